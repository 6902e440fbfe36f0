import { DatabaseSync } from 'node:sqlite'
import type { DatabaseSyncOptions, StatementSync } from 'node:sqlite'
import type { SqlRow, SqlValue } from './sql-database.ts'
import { sqliteError } from './sqlite-error.ts'

/** One connection to a SQLite file, with its statements prepared once. Errors are `FloeError`s. */
export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string, options: DatabaseSyncOptions) {
    this.#path = path
    this.#database = this.#guard(() => new DatabaseSync(path, options))
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  all(sql: string, values: readonly SqlValue[]): readonly SqlRow[] {
    // Columns hold text and integers only.
    return this.#guard(() => this.#statement(sql).all(...values) as unknown as readonly SqlRow[])
  }

  /** Rows changed. */
  run(sql: string, values: readonly SqlValue[]): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes))
  }

  /** A text of several statements, without parameters. */
  exec(sql: string): void {
    this.#guard(() => this.#database.exec(sql))
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      // SQLite takes `$1` for a name; its numbered parameters are `?1`.
      statement = this.#database.prepare(sql.replaceAll(/\$(?=\d)/g, '?'))
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw sqliteError(error, this.#path)
    }
  }
}
