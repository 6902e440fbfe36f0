import type { Namespace, NamespaceChange, TableIdentifier } from '../catalog.ts'
import type { RelationKind } from '../catalog-error.ts'
import { namespaceSeparator } from '../identifier.ts'
import { applyRowChange, pathOf, rowKey } from './apply-row-change.ts'
import type {
  CatalogStore,
  ChangeOutcome,
  DropNamespaceOutcome,
  FinishedRequest,
  InsertNamespaceOutcome,
  RelationRow,
  RenameOutcome,
  RequestOutcome,
  RequestRecord,
  RowChange,
  StoreRequest,
} from './catalog-store.ts'
import { RequestLog } from './request-log.ts'
import { allNames, rowLock } from './sql-database.ts'
import type { Constraint, SqlDatabase, SqlRow, SqlSession } from './sql-database.ts'

type Properties = Readonly<Record<string, string>>

/** The rows of one warehouse in a database that several may share. */
export function createSqlStore(sql: SqlDatabase, warehouse: string): CatalogStore {
  return new SqlStore(sql, warehouse, new RequestLog(sql, warehouse), {})
}

class SqlStore implements CatalogStore {
  readonly #sql: SqlDatabase
  readonly #warehouse: string
  readonly #requests: RequestLog
  readonly #request: StoreRequest

  constructor(sql: SqlDatabase, warehouse: string, requests: RequestLog, request: StoreRequest) {
    this.#sql = sql
    this.#warehouse = warehouse
    this.#requests = requests
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
      (outcome) => (outcome === 'inserted' ? { kind: 'done' } : undefined),
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
      (changed) => (changed === undefined ? undefined : { kind: 'done', namespace: changed }),
    )
  }

  async deleteNamespace(namespace: Namespace): Promise<DropNamespaceOutcome> {
    const sql = 'DELETE FROM namespaces WHERE warehouse = $1 AND path = $2'
    return this.#write<DropNamespaceOutcome>(
      async (session) => {
        const deleted = await session.run(sql, this.#warehouse, pathOf(namespace))
        return deleted === 0 ? 'no-namespace' : 'dropped'
      },
      (outcome) => (outcome === 'dropped' ? { kind: 'done' } : undefined),
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
      ({ kind }) => (kind === 'applied' ? { kind: 'done', ...locationOf(changes) } : undefined),
    )
  }

  async deleteRelation(
    relation: RelationKind,
    { namespace, name }: TableIdentifier,
    at?: string,
  ): Promise<boolean> {
    const sql = `DELETE FROM relations
      WHERE warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4
        AND metadata_location = coalesce($5, metadata_location)`
    const values = [this.#warehouse, pathOf(namespace), name, relation, at ?? null]
    return this.#write(
      async (session) => (await session.run(sql, ...values)) === 1,
      (isDeleted) =>
        isDeleted ? { kind: 'done', ...(at === undefined ? {} : { metadataLocation: at }) } : undefined,
    )
  }

  async renameRelation(
    relation: RelationKind,
    from: TableIdentifier,
    to: TableIdentifier,
  ): Promise<RenameOutcome> {
    const sql = `UPDATE relations SET namespace = $5, name = $6
      WHERE warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4`
    const values = [pathOf(from.namespace), from.name, relation, pathOf(to.namespace), to.name]
    return this.#write<RenameOutcome>(
      async (session) =>
        (await session.run(sql, this.#warehouse, ...values)) === 1 ? 'renamed' : 'not-found',
      (outcome) => (outcome === 'renamed' ? { kind: 'done' } : undefined),
      { 'primary-key': 'name-taken', 'foreign-key': 'no-namespace' },
    )
  }

  forRequest(request: StoreRequest): CatalogStore {
    return new SqlStore(this.#sql, this.#warehouse, this.#requests, request)
  }

  async findRequest(key: string): Promise<FinishedRequest | undefined> {
    return this.#requests.find(key)
  }

  async insertRequest(record: RequestRecord, outcome: RequestOutcome): Promise<void> {
    return this.#requests.insert(record, outcome)
  }

  /**
   * One transaction: `work`, and what is kept with it. Nothing is kept, and nothing has happened, when `recordOf` gives
   * no record for the outcome.
   */
  async #write<T>(
    work: (session: SqlSession) => Promise<T>,
    recordOf: (outcome: T) => RequestOutcome | undefined,
    broken: Partial<Record<Constraint, T>> = {},
  ): Promise<T> {
    const { record } = this.#request
    const recorded = async (session: SqlSession): Promise<T> => {
      const outcome = await work(session)
      const done = recordOf(outcome)
      if (record !== undefined && done !== undefined) await this.#requests.record(session, record, done)
      return outcome
    }
    const isKept = (outcome: T): boolean => recordOf(outcome) !== undefined
    const outcome = await this.#sql.settle(() => this.#sql.transaction(recorded, isKept), broken)
    // What is done is done: old outcomes that stay for now are no failure.
    if (record !== undefined) await this.#requests.forget(record).catch(() => undefined)
    return outcome
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
