import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Namespace, TableIdentifier } from '../catalog.ts'
import { namespaceSeparator } from '../identifier.ts'
import type {
  CatalogStore,
  DropNamespaceOutcome,
  InsertOutcome,
  RenameOutcome,
  TableRow,
} from './catalog-store.ts'
import { brokenConstraint, sqliteError } from './sqlite-error.ts'
import { migrateSqlite } from './sqlite-schema.ts'

type Row = Record<string, SQLOutputValue>
type Properties = Readonly<Record<string, string>>

/** Opens, and makes when absent, the catalog file at `path`. `busyTimeoutMs`: how long to wait for other processes. */
export function openSqliteStore(path: string, busyTimeoutMs: number): CatalogStore {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
    try {
      // WAL: readers never wait for the writer. FULL: a commit is on the disk when it is acknowledged.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      migrateSqlite(database, path)
      return new SqliteStore(database, path)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw sqliteError(error, path)
  }
}

/** `node:sqlite` is synchronous: a method's statements run in one turn, so no other call stands between them. */
class SqliteStore implements CatalogStore {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
  }

  async listNamespaces(parent: Namespace | undefined): Promise<readonly Namespace[]> {
    const rows = this.#all('SELECT path FROM namespaces WHERE parent IS ? ORDER BY path', parentPath(parent))
    return rows.map(({ path }) => text(path).split(namespaceSeparator))
  }

  async findNamespace(namespace: Namespace): Promise<Properties | undefined> {
    const [row] = this.#all('SELECT properties FROM namespaces WHERE path = ?', pathOf(namespace))
    return row === undefined ? undefined : (JSON.parse(text(row['properties'])) as Properties)
  }

  async insertNamespace(
    namespace: Namespace,
    properties: Properties,
  ): Promise<'inserted' | 'name-taken' | 'no-namespace'> {
    const sql = 'INSERT INTO namespaces (path, parent, properties) VALUES (?, ?, ?)'
    const values = [pathOf(namespace), parentPath(namespace.slice(0, -1)), JSON.stringify(properties)]
    return this.#settle<'inserted' | 'name-taken' | 'no-namespace'>(
      () => (this.#run(sql, ...values), 'inserted'),
      { 'primary-key': 'name-taken', 'foreign-key': 'no-namespace' },
    )
  }

  async updateNamespace(
    namespace: Namespace,
    change: (properties: Properties) => Properties,
  ): Promise<boolean> {
    return this.#transaction(() => {
      const path = pathOf(namespace)
      const [row] = this.#all('SELECT properties FROM namespaces WHERE path = ?', path)
      if (row === undefined) return false
      const changed = JSON.stringify(change(JSON.parse(text(row['properties'])) as Properties))
      this.#run('UPDATE namespaces SET properties = ? WHERE path = ?', changed, path)
      return true
    })
  }

  async deleteNamespace(namespace: Namespace): Promise<DropNamespaceOutcome> {
    const path = pathOf(namespace)
    return this.#settle<DropNamespaceOutcome>(
      () => (this.#run('DELETE FROM namespaces WHERE path = ?', path) === 0 ? 'no-namespace' : 'dropped'),
      { 'foreign-key': 'not-empty' },
    )
  }

  async listTables(namespace: Namespace): Promise<readonly string[]> {
    const sql = "SELECT name FROM relations WHERE namespace = ? AND kind = 'table' ORDER BY name"
    return this.#all(sql, pathOf(namespace)).map(({ name }) => text(name))
  }

  async findTable({ namespace, name }: TableIdentifier): Promise<TableRow | undefined> {
    const sql = `SELECT uuid, metadata_location, previous_metadata_location, version FROM relations
      WHERE namespace = ? AND name = ? AND kind = 'table'`
    const [row] = this.#all(sql, pathOf(namespace), name)
    if (row === undefined) return undefined
    const previous = row['previous_metadata_location']
    return {
      uuid: text(row['uuid']),
      metadataLocation: text(row['metadata_location']),
      previousMetadataLocation: typeof previous === 'string' ? previous : undefined,
      version: Number(row['version']),
    }
  }

  async insertTable(
    { namespace, name }: TableIdentifier,
    { uuid, metadataLocation }: Pick<TableRow, 'uuid' | 'metadataLocation'>,
  ): Promise<InsertOutcome> {
    const sql = `INSERT INTO relations (namespace, name, kind, uuid, metadata_location, version)
      VALUES (?, ?, 'table', ?, ?, 1)`
    const values = [pathOf(namespace), name, uuid, metadataLocation]
    return this.#settle<InsertOutcome>(() => (this.#run(sql, ...values), 'inserted'), {
      'primary-key': 'name-taken',
      unique: 'uuid-taken',
      'foreign-key': 'no-namespace',
    })
  }

  async swapTable(
    { namespace, name }: TableIdentifier,
    from: TableRow,
    metadataLocation: string,
  ): Promise<boolean> {
    const sql = `UPDATE relations
      SET metadata_location = ?, previous_metadata_location = metadata_location, version = version + 1
      WHERE namespace = ? AND name = ? AND kind = 'table' AND uuid = ? AND metadata_location = ?`
    const values = [metadataLocation, pathOf(namespace), name, from.uuid, from.metadataLocation]
    return this.#guard(() => this.#run(sql, ...values) === 1)
  }

  async deleteTable({ namespace, name }: TableIdentifier, at?: string): Promise<boolean> {
    const sql = `DELETE FROM relations
      WHERE namespace = ? AND name = ? AND kind = 'table' AND metadata_location = coalesce(?, metadata_location)`
    return this.#guard(() => this.#run(sql, pathOf(namespace), name, at ?? null) === 1)
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<RenameOutcome> {
    const sql = `UPDATE relations SET namespace = ?, name = ? WHERE namespace = ? AND name = ? AND kind = 'table'`
    const values = [pathOf(to.namespace), to.name, pathOf(from.namespace), from.name]
    return this.#settle<RenameOutcome>(() => (this.#run(sql, ...values) === 1 ? 'renamed' : 'no-table'), {
      'primary-key': 'name-taken',
      'foreign-key': 'no-namespace',
    })
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#guard(() => this.#statement(sql).all(...values))
  }

  /** Rows changed. Constraint errors come out as SQLite's own. */
  #run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw sqliteError(error, this.#path)
    }
  }

  /** The outcome of `work`, or the one that `outcomes` gives for the constraint that it broke. */
  #settle<T extends string>(
    work: () => T,
    outcomes: Partial<Record<'foreign-key' | 'primary-key' | 'unique', T>>,
  ): T {
    return this.#guard(() => {
      try {
        return work()
      } catch (error) {
        const broken = brokenConstraint(error)
        const outcome = broken === undefined ? undefined : outcomes[broken]
        if (outcome === undefined) throw error
        return outcome
      }
    })
  }

  #transaction<T>(work: () => T): T {
    return this.#guard(() => {
      // IMMEDIATE: a read that turns into a write would fail instead of waiting for another process.
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }
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
