import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { brokenConstraint, sqliteError } from './sqlite-error.ts'
import { migrateSqlite } from './sqlite-schema.ts'

export type SqliteRow = Record<string, SQLOutputValue>
type Constraint = 'foreign-key' | 'primary-key' | 'unique'

/** `node:sqlite` is synchronous: the statements of one call run in one turn, so no other call stands between them. */
export class SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #statements = new Map<string, StatementSync>()

  /** Opens, and makes when absent, the file at `path`. `busyTimeoutMs`: how long to wait for other processes. */
  constructor(path: string, busyTimeoutMs: number) {
    this.#path = path
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
      try {
        // WAL: readers never wait for the writer. FULL: a commit is on the disk when it is acknowledged.
        this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
        migrateSqlite(this.#database, path)
      } catch (error) {
        this.#database.close()
        throw error
      }
    } catch (error) {
      throw sqliteError(error, path)
    }
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly SqliteRow[] {
    return this.guard(() => this.#statement(sql).all(...values))
  }

  /** Rows changed. Errors come out as SQLite's own: run it in `guard` or `settle`. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** Errors of SQLite in `work` as `FloeError`s. */
  guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw sqliteError(error, this.#path)
    }
  }

  /** The outcome of `work`, or the one that `outcomes` gives for the constraint that it broke. */
  settle<T>(work: () => T, outcomes: Partial<Record<Constraint, T>>): T {
    return this.guard(() => {
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

  /** `work` in one transaction, which is rolled back when it throws, and when `isKept` says no to its outcome. */
  transaction<T>(work: () => T, isKept: (outcome: T) => boolean = () => true): T {
    // IMMEDIATE: a read that turns into a write would fail instead of waiting for another process.
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const outcome = work()
      this.#database.exec(isKept(outcome) ? 'COMMIT' : 'ROLLBACK')
      return outcome
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
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
}
