import type { PoolClient, QueryResult } from 'pg'
import { FloeError } from '@floe/iceberg'
import { isSessionLost, postgresError } from './postgres-error.ts'
import type { SqlRow, SqlSession, SqlValue } from './sql-database.ts'

/** One connection, while it is taken out of the pool. Errors are `FloeError`s whose cause is the driver's. */
export class PostgresSession implements SqlSession {
  /** The connection is of no more use: what it was doing may or may not have been done. */
  isLost = false
  readonly #client: PoolClient
  readonly #place: string
  readonly #names: StatementNames

  constructor(client: PoolClient, place: string, names: StatementNames) {
    this.#client = client
    this.#place = place
    this.#names = names
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return (await this.#prepared(sql, values)).rows as readonly SqlRow[]
  }

  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    return (await this.#prepared(sql, values)).rowCount ?? 0
  }

  /** One or several statements without parameters; the result of the last. */
  async script(sql: string): Promise<QueryResult | undefined> {
    const results: QueryResult | QueryResult[] = await this.#guard(() => this.#client.query(sql))
    return Array.isArray(results) ? results.at(-1) : results
  }

  async commit(): Promise<void> {
    const ended = await this.script('COMMIT')
    if (ended?.command === 'COMMIT') return
    // The server answers so, without an error, when a statement had failed before.
    throw new FloeError('internal', `the catalog at ${this.#place} rolled a transaction back at its end`)
  }

  /** What can be lost on the way is rolled back by the server too. */
  async rollBack(): Promise<void> {
    await this.script('ROLLBACK').catch(() => {
      this.isLost = true
    })
  }

  release(): void {
    this.#client.release(this.isLost)
  }

  #prepared(sql: string, values: readonly SqlValue[]): Promise<QueryResult> {
    return this.#guard(() =>
      this.#client.query({ name: this.#names.nameOf(sql), text: sql, values: [...values] }),
    )
  }

  async #guard<T>(query: () => Promise<T>): Promise<T> {
    try {
      return await query()
    } catch (error) {
      this.isLost ||= isSessionLost(error)
      throw postgresError(error, this.#place)
    }
  }
}

/** The server plans a statement that has a name once for each connection. */
export class StatementNames {
  readonly #names = new Map<string, string>()

  nameOf(sql: string): string {
    let name = this.#names.get(sql)
    if (name === undefined) {
      name = `floe_${this.#names.size}`
      this.#names.set(sql, name)
    }
    return name
  }
}
