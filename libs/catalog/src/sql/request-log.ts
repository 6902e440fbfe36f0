import { FloeError } from '@floe/iceberg'
import type { FinishedRequest, RequestOutcome, RequestRecord } from './catalog-store.ts'
import type { SqlDatabase, SqlSession } from './sql-database.ts'

const insertSql = `INSERT INTO requests (warehouse, key, fingerprint, outcome, finished_at_ms)
  VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`

/** Between two removals of outcomes that are over their lifetime, by this process. */
const forgetEveryMs = 60_000

/** What requests of one warehouse that take effect once have come to. */
export class RequestLog {
  readonly #sql: SqlDatabase
  readonly #warehouse: string
  #forgottenAtMs: number | undefined

  constructor(sql: SqlDatabase, warehouse: string) {
    this.#sql = sql
    this.#warehouse = warehouse
  }

  async find(key: string): Promise<FinishedRequest | undefined> {
    const sql = 'SELECT fingerprint, outcome FROM requests WHERE warehouse = $1 AND key = $2'
    const [row] = await this.#sql.all(sql, this.#warehouse, key)
    if (row === undefined) return undefined
    const outcome = JSON.parse(String(row['outcome'])) as RequestOutcome
    return { fingerprint: String(row['fingerprint']), outcome }
  }

  /** For an outcome that changed no row; one that is recorded already stays as it is. */
  async insert(record: RequestRecord, outcome: RequestOutcome): Promise<void> {
    await insertInto(this.#sql, this.#warehouse, record, outcome)
  }

  /** In the transaction of the change itself. @throws FloeError unavailable when the request is recorded already */
  async record(session: SqlSession, record: RequestRecord, outcome: RequestOutcome): Promise<void> {
    if ((await insertInto(session, this.#warehouse, record, outcome)) === 1) return
    throw new FloeError('unavailable', 'the same request was finished meanwhile')
  }

  /** Removes what is over its lifetime, now and then; outside of the transactions, which would wait for each other. */
  async forget({ nowMs, forgetBeforeMs }: RequestRecord): Promise<void> {
    if (this.#forgottenAtMs !== undefined && nowMs - this.#forgottenAtMs < forgetEveryMs) return
    this.#forgottenAtMs = nowMs
    await this.#sql.run('DELETE FROM requests WHERE finished_at_ms < $1', forgetBeforeMs)
  }
}

async function insertInto(
  session: SqlSession,
  warehouse: string,
  { key, fingerprint, nowMs }: RequestRecord,
  outcome: RequestOutcome,
): Promise<number> {
  return session.run(insertSql, warehouse, key, fingerprint, JSON.stringify(outcome), nowMs)
}
