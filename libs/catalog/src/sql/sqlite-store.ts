import type { SQLOutputValue } from 'node:sqlite'
import { FloeError } from '@floe/iceberg'
import type { Namespace, NamespaceChange, TableIdentifier } from '../catalog.ts'
import type { RelationKind } from '../catalog-error.ts'
import { namespaceSeparator } from '../identifier.ts'
import type {
  CatalogStore,
  ChangeOutcome,
  DropNamespaceOutcome,
  FinishedRequest,
  RelationRow,
  RenameOutcome,
  RequestOutcome,
  RequestRecord,
  RowChange,
} from './catalog-store.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { brokenConstraint } from './sqlite-error.ts'

type Properties = Readonly<Record<string, string>>
type InsertNamespaceOutcome = 'inserted' | 'name-taken' | 'no-namespace'

/** Opens, and makes when absent, the catalog file at `path`. `busyTimeoutMs`: how long to wait for other processes. */
export function openSqliteStore(path: string, busyTimeoutMs: number): CatalogStore {
  return new SqliteStore(new SqliteDatabase(path, busyTimeoutMs), undefined)
}

class SqliteStore implements CatalogStore {
  readonly #database: SqliteDatabase
  readonly #request: RequestRecord | undefined

  constructor(database: SqliteDatabase, request: RequestRecord | undefined) {
    this.#database = database
    this.#request = request
  }

  async listNamespaces(parent: Namespace | undefined): Promise<readonly Namespace[]> {
    const sql = 'SELECT path FROM namespaces WHERE parent IS ? ORDER BY path'
    return this.#database.all(sql, parentPath(parent)).map(({ path }) => text(path).split(namespaceSeparator))
  }

  async findNamespace(namespace: Namespace): Promise<Properties | undefined> {
    const [row] = this.#database.all('SELECT properties FROM namespaces WHERE path = ?', pathOf(namespace))
    return row === undefined ? undefined : (JSON.parse(text(row['properties'])) as Properties)
  }

  async insertNamespace(namespace: Namespace, properties: Properties): Promise<InsertNamespaceOutcome> {
    const sql = 'INSERT INTO namespaces (path, parent, properties) VALUES (?, ?, ?)'
    const values = [pathOf(namespace), parentPath(namespace.slice(0, -1)), JSON.stringify(properties)]
    return this.#write<InsertNamespaceOutcome>(
      () => (this.#database.run(sql, ...values), 'inserted'),
      (outcome) => (outcome === 'inserted' ? { kind: 'done' } : undefined),
      { 'primary-key': 'name-taken', 'foreign-key': 'no-namespace' },
    )
  }

  async updateNamespace(
    namespace: Namespace,
    change: (properties: Properties) => { readonly properties: Properties; readonly change: NamespaceChange },
  ): Promise<NamespaceChange | undefined> {
    const path = pathOf(namespace)
    return this.#database.guard(() =>
      this.#database.transaction(() => {
        const [row] = this.#database.all('SELECT properties FROM namespaces WHERE path = ?', path)
        if (row === undefined) return undefined
        const changed = change(JSON.parse(text(row['properties'])) as Properties)
        const sql = 'UPDATE namespaces SET properties = ? WHERE path = ?'
        this.#database.run(sql, JSON.stringify(changed.properties), path)
        this.#record({ kind: 'done', namespace: changed.change })
        return changed.change
      }),
    )
  }

  async deleteNamespace(namespace: Namespace): Promise<DropNamespaceOutcome> {
    const sql = 'DELETE FROM namespaces WHERE path = ?'
    return this.#write<DropNamespaceOutcome>(
      () => (this.#database.run(sql, pathOf(namespace)) === 0 ? 'no-namespace' : 'dropped'),
      (outcome) => (outcome === 'dropped' ? { kind: 'done' } : undefined),
      { 'foreign-key': 'not-empty' },
    )
  }

  async listRelations(relation: RelationKind, namespace: Namespace): Promise<readonly string[]> {
    const sql = 'SELECT name FROM relations WHERE namespace = ? AND kind = ? ORDER BY name'
    return this.#database.all(sql, pathOf(namespace), relation).map(({ name }) => text(name))
  }

  async findRelation(
    relation: RelationKind,
    { namespace, name }: TableIdentifier,
  ): Promise<RelationRow | undefined> {
    const sql = `SELECT uuid, metadata_location, previous_metadata_location, version FROM relations
      WHERE namespace = ? AND name = ? AND kind = ?`
    const [row] = this.#database.all(sql, pathOf(namespace), name, relation)
    if (row === undefined) return undefined
    const previous = row['previous_metadata_location']
    return {
      uuid: text(row['uuid']),
      metadataLocation: text(row['metadata_location']),
      previousMetadataLocation: typeof previous === 'string' ? previous : undefined,
      version: Number(row['version']),
    }
  }

  async applyChanges(changes: readonly RowChange[]): Promise<ChangeOutcome> {
    const ordered = changes
      .map((change) => ({ change, key: rowKey(change.identifier) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    const isApplied = ({ kind }: ChangeOutcome): boolean => kind === 'applied'
    return this.#database.guard(() =>
      this.#database.transaction((): ChangeOutcome => {
        for (const { change } of ordered) {
          const kind = this.#applyChange(change)
          if (kind !== 'applied') return { kind, change }
        }
        this.#record({ kind: 'done', ...locationOf(changes) })
        return { kind: 'applied' }
      }, isApplied),
    )
  }

  async deleteRelation(
    relation: RelationKind,
    { namespace, name }: TableIdentifier,
    at?: string,
  ): Promise<boolean> {
    const sql = `DELETE FROM relations
      WHERE namespace = ? AND name = ? AND kind = ? AND metadata_location = coalesce(?, metadata_location)`
    return this.#write(
      () => this.#database.run(sql, pathOf(namespace), name, relation, at ?? null) === 1,
      (isDeleted) =>
        isDeleted ? { kind: 'done', ...(at === undefined ? {} : { metadataLocation: at }) } : undefined,
    )
  }

  async renameRelation(
    relation: RelationKind,
    from: TableIdentifier,
    to: TableIdentifier,
  ): Promise<RenameOutcome> {
    const sql = 'UPDATE relations SET namespace = ?, name = ? WHERE namespace = ? AND name = ? AND kind = ?'
    const values = [pathOf(to.namespace), to.name, pathOf(from.namespace), from.name, relation]
    return this.#write<RenameOutcome>(
      () => (this.#database.run(sql, ...values) === 1 ? 'renamed' : 'not-found'),
      (outcome) => (outcome === 'renamed' ? { kind: 'done' } : undefined),
      { 'primary-key': 'name-taken', 'foreign-key': 'no-namespace' },
    )
  }

  forRequest(request: RequestRecord): CatalogStore {
    return new SqliteStore(this.#database, request)
  }

  async findRequest(key: string): Promise<FinishedRequest | undefined> {
    const [row] = this.#database.all('SELECT fingerprint, outcome FROM requests WHERE key = ?', key)
    if (row === undefined) return undefined
    const outcome = JSON.parse(text(row['outcome'])) as RequestOutcome
    return { fingerprint: text(row['fingerprint']), outcome }
  }

  async insertRequest(request: RequestRecord, outcome: RequestOutcome): Promise<void> {
    const sql =
      'INSERT OR IGNORE INTO requests (key, fingerprint, outcome, finished_at_ms) VALUES (?, ?, ?, ?)'
    const values = [request.key, request.fingerprint, JSON.stringify(outcome), request.nowMs]
    this.#database.guard(() => this.#database.run(sql, ...values))
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #applyChange(change: RowChange): ChangeOutcome['kind'] {
    const { relation, identifier } = change
    const at = [pathOf(identifier.namespace), identifier.name, relation]
    switch (change.kind) {
      case 'insert': {
        const sql = `INSERT INTO relations (namespace, name, kind, uuid, metadata_location, version)
          VALUES (?, ?, ?, ?, ?, 1)`
        const values = [...at, change.uuid, change.metadataLocation]
        return this.#database.settle<ChangeOutcome['kind']>(
          () => (this.#database.run(sql, ...values), 'applied'),
          { 'primary-key': 'name-taken', unique: 'uuid-taken', 'foreign-key': 'no-namespace' },
        )
      }
      case 'swap': {
        const sql = `UPDATE relations SET uuid = ?, metadata_location = ?,
            previous_metadata_location = metadata_location, version = version + 1
          WHERE namespace = ? AND name = ? AND kind = ? AND uuid = ? AND metadata_location = ?`
        const { uuid, metadataLocation, from } = change
        const values = [uuid, metadataLocation, ...at, from.uuid, from.metadataLocation]
        return this.#database.settle<ChangeOutcome['kind']>(
          () => (this.#database.run(sql, ...values) === 1 ? 'applied' : 'lost'),
          { unique: 'uuid-taken' },
        )
      }
      case 'check': {
        const sql = `SELECT 1 FROM relations
          WHERE namespace = ? AND name = ? AND kind = ? AND uuid = ? AND metadata_location = ?`
        const { uuid, metadataLocation } = change.from
        return this.#database.all(sql, ...at, uuid, metadataLocation).length === 1 ? 'applied' : 'lost'
      }
    }
  }

  /** One statement, and in the same transaction the record of the request that it is for, if it is for one. */
  #write<T>(
    work: () => T,
    recordOf: (outcome: T) => RequestOutcome | undefined,
    broken: Partial<Record<'foreign-key' | 'primary-key' | 'unique', T>> = {},
  ): T {
    const recorded = (): T => {
      const outcome = work()
      const record = recordOf(outcome)
      if (record !== undefined) this.#record(record)
      return outcome
    }
    const isRecorded = this.#request !== undefined
    return this.#database.settle(isRecorded ? () => this.#database.transaction(recorded) : work, broken)
  }

  #record(outcome: RequestOutcome): void {
    if (this.#request === undefined) return
    const { key, fingerprint, nowMs, forgetBeforeMs } = this.#request
    this.#database.run('DELETE FROM requests WHERE finished_at_ms < ?', forgetBeforeMs)
    const sql = 'INSERT INTO requests (key, fingerprint, outcome, finished_at_ms) VALUES (?, ?, ?, ?)'
    try {
      this.#database.run(sql, key, fingerprint, JSON.stringify(outcome), nowMs)
    } catch (error) {
      if (brokenConstraint(error) !== 'primary-key') throw error
      throw new FloeError('unavailable', 'the same request was finished meanwhile', { cause: error })
    }
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

function rowKey({ namespace, name }: TableIdentifier): string {
  return `${pathOf(namespace)}${namespaceSeparator}${namespaceSeparator}${name}`
}

function pathOf(namespace: Namespace): string {
  return namespace.join(namespaceSeparator)
}

/** SQL's null is the parent of the top level. */
function parentPath(parent: Namespace | undefined): string | null {
  return parent === undefined || parent.length === 0 ? null : pathOf(parent)
}

function text(value: SQLOutputValue | undefined): string {
  return String(value)
}
