import { setTimeout as sleep } from 'node:timers/promises'
import { escapeIdentifier } from 'pg'
import type { Pool } from 'pg'
import { migrateStore } from './migrate-store.ts'
import { brokenConstraint, isRolledBackForOthers, postgresError, unknownOutcome } from './postgres-error.ts'
import { createPostgresPool } from './postgres-pool.ts'
import type { PostgresPool, PostgresSettings } from './postgres-pool.ts'
import { PostgresSession, StatementNames } from './postgres-session.ts'
import { settleBroken } from './sql-database.ts'
import type { Constraint, SqlDatabase, SqlRow, SqlSession, SqlValue } from './sql-database.ts'

/** Times that a transaction is tried of which it is certain that it was rolled back. */
const transactionAttemptsMax = 6
/** Times that a read is tried: connections that idled may be dead. */
const readAttemptsMax = 3
/** Times that the server is asked about a transaction which it has not given up yet. */
const statusAttemptsMax = 10
const retryDelayMs = 20
/** Taken while a store is migrated; the number stands for nothing but this. */
const migrationLock = 7_205_759_403_792_793n

/** Opens the store in a PostgreSQL database, and makes it when absent. */
export async function openPostgresDatabase(settings: PostgresSettings): Promise<SqlDatabase> {
  const database = new PostgresDatabase(createPostgresPool(settings))
  try {
    await database.migrate()
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

type Attempt<T> =
  | { readonly kind: 'done'; readonly outcome: T }
  /** Surely nothing was written. */
  | { readonly kind: 'rolled-back'; readonly error: unknown }

/**
 * Statements run at READ COMMITTED: all that change a row name the state that they want it in, and those that read it
 * first lock it. Rows are locked in the order of their names, so that deadlocks are rare; the server breaks them.
 */
class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres'
  readonly #pool: Pool
  readonly #schema: string
  readonly #place: string
  readonly #names = new StatementNames()

  constructor({ pool, schema, place }: PostgresPool) {
    this.#pool = pool
    this.#schema = schema
    this.#place = place
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const isRead = /^\s*(?:SELECT|WITH)\b/i.test(sql)
    for (let attempt = 1; ; attempt++) {
      const session = await this.#connect()
      try {
        return await session.all(sql, ...values)
      } catch (error) {
        if (!session.isLost) throw error
        if (!isRead) throw unknownOutcome(error, this.#place)
        if (attempt >= readAttemptsMax) throw error
      } finally {
        session.release()
      }
    }
  }

  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    const session = await this.#connect()
    try {
      return await session.run(sql, ...values)
    } catch (error) {
      throw session.isLost ? unknownOutcome(error, this.#place) : error
    } finally {
      session.release()
    }
  }

  async transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    isKept: (outcome: T) => boolean = () => true,
  ): Promise<T> {
    return this.#transact(work, isKept)
  }

  async settle<T>(work: () => Promise<T>, outcomes: Partial<Record<Constraint, T>>): Promise<T> {
    return settleBroken(work, outcomes, brokenConstraint)
  }

  async migrate(): Promise<void> {
    await migrateStore({
      dialect: this.dialect,
      place: this.#place,
      findApplied: (session) => findApplied(session ?? this),
      exclusively: (work) =>
        this.#transact(
          async (session) => {
            await lockSchema(session, this.#schema)
            await work(session)
          },
          () => true,
        ),
    })
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end()
  }

  async #transact<T>(
    work: (session: PostgresSession) => Promise<T>,
    isKept: (outcome: T) => boolean,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const end = await this.#attempt(work, isKept)
      if (end.kind === 'done') return end.outcome
      if (attempt >= transactionAttemptsMax) throw end.error
      await sleep(retryDelayMs * attempt)
    }
  }

  async #attempt<T>(
    work: (session: PostgresSession) => Promise<T>,
    isKept: (outcome: T) => boolean,
  ): Promise<Attempt<T>> {
    const session = await this.#connect()
    let transactionId: string | undefined
    let isCommitting = false
    try {
      // A text of several statements takes one round trip.
      const begun = await session.script('BEGIN; SELECT pg_current_xact_id()::text AS id')
      transactionId = String(begun?.rows[0]?.['id'])
      const outcome = await work(session)
      isCommitting = isKept(outcome)
      await (isCommitting ? session.commit() : session.rollBack())
      return { kind: 'done', outcome }
    } catch (error) {
      if (!session.isLost) {
        await session.rollBack()
        if (isRolledBackForOthers(error)) return { kind: 'rolled-back', error }
        throw error
      }
      if (isCommitting && !(await this.#wasRolledBack(transactionId)))
        throw unknownOutcome(error, this.#place)
      return { kind: 'rolled-back', error }
    } finally {
      session.release()
    }
  }

  /**
   * Asks the server what became of a transaction whose COMMIT was not answered. Only `aborted` says enough: a server
   * that came back from a crash may have given the id to another transaction, which committed.
   */
  async #wasRolledBack(transactionId: string | undefined): Promise<boolean> {
    for (let attempt = 1; attempt <= statusAttemptsMax; attempt++) {
      const sql = 'SELECT pg_xact_status($1::text::xid8) AS status'
      const [row] = await this.all(sql, transactionId ?? null).catch(() => [])
      if (row?.['status'] !== 'in progress') return row?.['status'] === 'aborted'
      await sleep(retryDelayMs * attempt)
    }
    return false
  }

  async #connect(): Promise<PostgresSession> {
    try {
      return new PostgresSession(await this.#pool.connect(), this.#place, this.#names)
    } catch (error) {
      throw postgresError(error, this.#place)
    }
  }
}

async function findApplied(session: SqlSession): Promise<readonly string[]> {
  const [found] = await session.all("SELECT to_regclass('store_migrations')::text AS name")
  if (typeof found?.['name'] !== 'string') return []
  return (await session.all('SELECT id FROM store_migrations ORDER BY position')).map(({ id }) => String(id))
}

/** Makes the schema when there is none, which `IF NOT EXISTS` would ask a privilege for even when there is one. */
async function lockSchema(session: PostgresSession, schema: string): Promise<void> {
  await session.script('SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0')
  await session.all('SELECT pg_advisory_xact_lock($1)::text AS locked', migrationLock)
  const [found] = await session.all('SELECT to_regnamespace($1)::text AS name', escapeIdentifier(schema))
  if (found?.['name'] === null) await session.script(`CREATE SCHEMA ${escapeIdentifier(schema)}`)
}
