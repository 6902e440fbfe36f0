import type { Namespace, NamespaceChange, TableIdentifier } from '../catalog.ts'
import type { RelationKind } from '../catalog-error.ts'
import { namespaceSeparator } from '../identifier.ts'
import type { AuditEntry, AuditFilter, DroppedRelation, EventPage, Protectable } from '../managed-catalog.ts'
import { applyRowChange, auditOfChange, pathOf, rowKey } from './apply-row-change.ts'
import { AuditReader } from './audit-reader.ts'
import type {
  CatalogStore,
  ChangeOutcome,
  DropNamespaceOutcome,
  FinishedRequest,
  InsertNamespaceOutcome,
  ProtectOutcome,
  RelationRow,
  Removal,
  RemoveOutcome,
  RenameOutcome,
  RequestOutcome,
  RequestRecord,
  RowChange,
  StoreRequest,
  UndropOutcome,
} from './catalog-store.ts'
import { DroppedRows, keepDropped } from './dropped-rows.ts'
import { findProtection, protect } from './protected-rows.ts'
import { RequestLog } from './request-log.ts'
import { allNames, rowLock } from './sql-database.ts'
import type { Constraint, SqlDatabase, SqlRow, SqlSession } from './sql-database.ts'

import { kept, removalDetails, writeChange } from './write-change.ts'
import type { Kept, StoreComponents, WriterParts } from './write-change.ts'

type Properties = Readonly<Record<string, string>>

/** The rows of one warehouse in a database that several may share. */
export function createSqlStore(
  sql: SqlDatabase,
  warehouse: string,
  components: StoreComponents,
): CatalogStore {
  const parts = {
    sql,
    warehouse,
    components,
    requests: new RequestLog(sql, warehouse),
    dropped: new DroppedRows(sql, warehouse),
    audit: new AuditReader(sql, warehouse),
  }
  return new SqlStore(parts, {})
}

type StoreParts = WriterParts & { readonly dropped: DroppedRows; readonly audit: AuditReader }

class SqlStore implements CatalogStore {
  readonly #parts: StoreParts
  readonly #sql: SqlDatabase
  readonly #warehouse: string
  readonly #request: StoreRequest

  constructor(parts: StoreParts, request: StoreRequest) {
    this.#parts = parts
    this.#sql = parts.sql
    this.#warehouse = parts.warehouse
    this.#request = request
  }

  async listNamespaces(parent: Namespace | undefined): Promise<readonly Namespace[]> {
    const path = parentPath(parent)
    const rows =
      path === null
        ? await this.#sql.all(
            'SELECT path FROM namespaces WHERE warehouse = $1 AND parent IS NULL ORDER BY path',
            this.#warehouse,
          )
        : await this.#sql.all(
            'SELECT path FROM namespaces WHERE warehouse = $1 AND parent = $2 ORDER BY path',
            this.#warehouse,
            path,
          )
    return rows.map((row) => text(row, 'path').split(namespaceSeparator))
  }

  async findNamespace(namespace: Namespace): Promise<Properties | undefined> {
    const sql = 'SELECT properties FROM namespaces WHERE warehouse = $1 AND path = $2'
    const [row] = await this.#sql.all(sql, this.#warehouse, pathOf(namespace))
    return row === undefined ? undefined : (JSON.parse(text(row, 'properties')) as Properties)
  }

  async insertNamespace(namespace: Namespace, properties: Properties): Promise<InsertNamespaceOutcome> {
    const sql = 'INSERT INTO namespaces (warehouse, path, parent, properties) VALUES ($1, $2, $3, $4)'
    const values = [pathOf(namespace), parentPath(namespace.slice(0, -1)), JSON.stringify(properties)]
    return this.#write<InsertNamespaceOutcome>(
      async (session) => (await session.run(sql, this.#warehouse, ...values), 'inserted'),
      (outcome) =>
        outcome === 'inserted' ? kept({ action: 'create', on: { kind: 'namespace', namespace } }) : undefined,
      { 'primary-key': 'name-taken', 'foreign-key': 'no-namespace' },
    )
  }

  async updateNamespace(
    namespace: Namespace,
    change: (properties: Properties) => { readonly properties: Properties; readonly change: NamespaceChange },
  ): Promise<NamespaceChange | undefined> {
    const at = [this.#warehouse, pathOf(namespace)]
    return this.#write<NamespaceChange | undefined>(
      async (session) => {
        const select = 'SELECT properties FROM namespaces WHERE warehouse = $1 AND path = $2'
        const [row] = await session.all(select + rowLock(this.#sql), ...at)
        if (row === undefined) return undefined
        const changed = change(JSON.parse(text(row, 'properties')) as Properties)
        const update = 'UPDATE namespaces SET properties = $3 WHERE warehouse = $1 AND path = $2'
        await session.run(update, ...at, JSON.stringify(changed.properties))
        return changed.change
      },
      (changed) => {
        if (changed === undefined) return undefined
        const { updated, removed } = changed
        const on = { kind: 'namespace', namespace } as const
        return kept({ action: 'update', on, details: { updated, removed } }, { namespace: changed })
      },
    )
  }

  async deleteNamespace(namespace: Namespace): Promise<DropNamespaceOutcome> {
    const on = { kind: 'namespace', namespace } as const
    const sql = 'DELETE FROM namespaces WHERE warehouse = $1 AND path = $2 AND protected = 0'
    return this.#write<DropNamespaceOutcome>(
      async (session) => {
        if ((await session.run(sql, this.#warehouse, pathOf(namespace))) === 1) return 'dropped'
        return (await findProtection(session, this.#warehouse, on)) === true ? 'protected' : 'no-namespace'
      },
      (outcome) => (outcome === 'dropped' ? kept({ action: 'drop', on }) : undefined),
      { 'foreign-key': 'not-empty' },
    )
  }

  async listRelations(relation: RelationKind, namespace: Namespace): Promise<readonly string[]> {
    const sql =
      'SELECT name FROM relations WHERE warehouse = $1 AND namespace = $2 AND kind = $3 ORDER BY name'
    return allNames(this.#sql, sql, this.#warehouse, pathOf(namespace), relation)
  }

  async findRelation(
    relation: RelationKind,
    { namespace, name }: TableIdentifier,
  ): Promise<RelationRow | undefined> {
    const sql = `SELECT uuid, metadata_location, previous_metadata_location, version FROM relations
      WHERE warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4`
    const [row] = await this.#sql.all(sql, this.#warehouse, pathOf(namespace), name, relation)
    if (row === undefined) return undefined
    const previous = row['previous_metadata_location']
    return {
      uuid: text(row, 'uuid'),
      metadataLocation: text(row, 'metadata_location'),
      previousMetadataLocation: typeof previous === 'string' ? previous : undefined,
      version: Number(row['version']),
    }
  }

  async findKind({ namespace, name }: TableIdentifier): Promise<RelationKind | undefined> {
    const sql = 'SELECT kind FROM relations WHERE warehouse = $1 AND namespace = $2 AND name = $3'
    const [row] = await this.#sql.all(sql, this.#warehouse, pathOf(namespace), name)
    if (row === undefined) return undefined
    return row['kind'] === 'view' ? 'view' : 'table'
  }

  async listOtherMetadata(uuid: string): Promise<readonly string[]> {
    const sql = `SELECT metadata_location AS name FROM relations WHERE uuid <> $1
      UNION SELECT metadata_location FROM dropped_relations WHERE uuid <> $1`
    return allNames(this.#sql, sql, uuid)
  }

  async applyChanges(changes: readonly RowChange[]): Promise<ChangeOutcome> {
    const ordered = changes
      .map((change) => ({ change, key: rowKey(change.identifier) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    return this.#write<ChangeOutcome>(
      async (session) => {
        for (const { change } of ordered) {
          const kind = await applyRowChange(this.#sql, session, this.#warehouse, change)
          if (kind !== 'applied') return { kind, change }
        }
        return { kind: 'applied' }
      },
      ({ kind }) =>
        kind === 'applied'
          ? {
              outcome: { kind: 'done', ...locationOf(changes) },
              audit: ordered.flatMap(({ change }) => auditOfChange(change)),
            }
          : undefined,
    )
  }

  async deleteRelation(
    relation: RelationKind,
    identifier: TableIdentifier,
    removal: Removal,
    at?: string,
  ): Promise<RemoveOutcome> {
    const on = { kind: relation, identifier }
    const sql = `DELETE FROM relations
      WHERE warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4 AND protected = 0
        AND metadata_location = coalesce($5, metadata_location)
      RETURNING uuid, kind, namespace, name, metadata_location, previous_metadata_location, version`
    const values = [this.#warehouse, pathOf(identifier.namespace), identifier.name, relation, at ?? null]
    const removed = await this.#write<RemoveOutcome | SqlRow>(
      async (session) => {
        const [row] = await session.all(sql, ...values)
        if (row !== undefined) {
          await this.#keepDropped(session, row, removal)
          return row
        }
        return (await findProtection(session, this.#warehouse, on)) === true ? 'protected' : 'not-found'
      },
      (row) => {
        if (typeof row === 'string') return undefined
        const draft = {
          action: removal.action,
          on,
          uuid: text(row, 'uuid'),
          before: text(row, 'metadata_location'),
        }
        const found = at === undefined ? {} : { metadataLocation: at }
        return kept({ ...draft, ...removalDetails(removal) }, found)
      },
    )
    return typeof removed === 'string' ? removed : 'removed'
  }

  async #keepDropped(session: SqlSession, row: SqlRow, removal: Removal): Promise<void> {
    if (removal.action !== 'drop' || removal.expiresAtMs === undefined) return
    const { isPurge, expiresAtMs } = removal
    const { principal: droppedBy } = this.#request
    const droppedAtMs = this.#parts.components.clock.now()
    await keepDropped(session, this.#warehouse, row, { isPurge, droppedBy, droppedAtMs, expiresAtMs })
  }

  async renameRelation(
    relation: RelationKind,
    from: TableIdentifier,
    to: TableIdentifier,
  ): Promise<RenameOutcome> {
    const sql = `UPDATE relations SET namespace = $5, name = $6
      WHERE warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4 RETURNING uuid, metadata_location`
    const values = [pathOf(from.namespace), from.name, relation, pathOf(to.namespace), to.name]
    const renamed = await this.#write<RenameOutcome | SqlRow>(
      async (session) => (await session.all(sql, this.#warehouse, ...values))[0] ?? 'not-found',
      (row) => {
        if (typeof row === 'string') return undefined
        const [uuid, location] = [text(row, 'uuid'), text(row, 'metadata_location')]
        const on = { kind: relation, identifier: from }
        return kept({ action: 'rename', on, uuid, before: location, after: location, details: { to } })
      },
      { 'primary-key': 'name-taken', 'foreign-key': 'no-namespace' },
    )
    return typeof renamed === 'string' ? renamed : 'renamed'
  }

  async listDropped(namespace: Namespace | undefined): Promise<readonly DroppedRelation[]> {
    return this.#parts.dropped.list(namespace)
  }

  async findDropped(uuid: string): Promise<DroppedRelation | undefined> {
    return this.#parts.dropped.find(uuid)
  }

  async listExpired(nowMs: number, limit: number): Promise<readonly DroppedRelation[]> {
    return this.#parts.dropped.listExpired(nowMs, limit)
  }

  async undrop(uuid: string, as: TableIdentifier | undefined): Promise<UndropOutcome> {
    return this.#write(
      (session) => this.#parts.dropped.bringBack(session, uuid, as),
      (outcome) => {
        if (outcome.kind !== 'undropped') return undefined
        const { relation: kind, identifier, metadataLocation: after } = outcome
        const location = after === undefined ? {} : { after }
        const undropped = { kind, identifier }
        return kept({ action: 'undrop', on: undropped, uuid, ...location }, { undropped })
      },
    )
  }

  async forgetDropped(dropped: DroppedRelation): Promise<'forgotten' | 'in-use' | 'not-found'> {
    const { kind, identifier, uuid, metadataLocation: before, isPurge } = dropped
    return this.#write(
      (session) => this.#parts.dropped.forget(session, dropped),
      (outcome) => {
        if (outcome === 'not-found') return undefined
        const details = { purge: isPurge && outcome === 'forgotten' }
        return kept({ action: 'expire', on: { kind, identifier }, uuid, before, details })
      },
    )
  }

  async findProtection(on: Protectable): Promise<boolean | undefined> {
    return findProtection(this.#sql, this.#warehouse, on)
  }

  async setProtection(on: Protectable, isProtected: boolean): Promise<ProtectOutcome> {
    return this.#write(
      (session) => protect(session, this.#warehouse, on, isProtected),
      (outcome) =>
        outcome === 'changed' ? kept({ action: isProtected ? 'protect' : 'unprotect', on }) : undefined,
    )
  }

  async readAudit(
    filter: AuditFilter,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditEntry[]> {
    return this.#parts.audit.readNewest(filter, page)
  }

  async readEvents(after: number, limit: number, filter: AuditFilter): Promise<EventPage> {
    return this.#parts.audit.readAfter(after, limit, filter)
  }

  forRequest(request: StoreRequest): CatalogStore {
    return new SqlStore(this.#parts, request)
  }

  async findRequest(key: string): Promise<FinishedRequest | undefined> {
    return this.#parts.requests.find(key)
  }

  async insertRequest(record: RequestRecord, outcome: RequestOutcome): Promise<void> {
    return this.#parts.requests.insert(record, outcome)
  }

  #write<T>(
    work: (session: SqlSession) => Promise<T>,
    keptOf: (outcome: T) => Kept | undefined,
    broken?: Partial<Record<Constraint, T>>,
  ): Promise<T> {
    return writeChange(this.#parts, this.#request, work, keptOf, broken)
  }
}

/** Where the one relation of a set is after it. */
function locationOf(changes: readonly RowChange[]): { readonly metadataLocation?: string } {
  const [change, second] = changes
  if (change === undefined || second !== undefined) return {}
  return {
    metadataLocation: change.kind === 'check' ? change.from.metadataLocation : change.metadataLocation,
  }
}

/** SQL's null is the parent of the top level. */
function parentPath(parent: Namespace | undefined): string | null {
  return parent === undefined || parent.length === 0 ? null : pathOf(parent)
}

function text(row: SqlRow, column: string): string {
  return String(row[column])
}
