import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { migrateStore } from './migrate-store.ts'
import type { MigrationTarget } from './migrate-store.ts'
import { migrations } from './migrations.ts'
import { settleBroken } from './sql-database.ts'
import type { Constraint, SqlDatabase, SqlRow, SqlSession, SqlValue } from './sql-database.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { brokenConstraint, isBusy, sqliteError } from './sqlite-error.ts'

/** Between two looks whether another process has let go of the file: short at first, as its commits are short. */
const busyDelaysMs = [1, 2, 5, 10, 20] as const
const busyDelayMaxMs = 50

/** Opens, and makes when absent, the file at `path`. `busyTimeoutMs`: how long to wait for other processes. */
export async function openSqliteDatabase(path: string, busyTimeoutMs: number): Promise<SqlDatabase> {
  try {
    mkdirSync(dirname(path), { recursive: true })
  } catch (error) {
    throw sqliteError(error, path)
  }
  // Waiting is done here, not by SQLite: it would stop the thread, and with it whoever of this process is waited for.
  const writer = new SqliteConnection(path, { timeout: 0, enableForeignKeyConstraints: true })
  try {
    // WAL: readers never wait for the writer. FULL: a commit is on the disk when it is acknowledged.
    const setUp = (): void => writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    await whenFree(setUp, busyTimeoutMs)
    await migrateStore(migrationTarget(writer, path, busyTimeoutMs))
    return new SqliteDatabase(
      writer,
      new SqliteConnection(path, { timeout: 0, readOnly: true }),
      busyTimeoutMs,
    )
  } catch (error) {
    writer.close()
    throw error
  }
}

/**
 * `node:sqlite` is synchronous and a connection has one transaction, so the writer's tasks take turns. Reads outside of
 * transactions have a connection of their own, and never see what is not committed.
 */
class SqliteDatabase implements SqlDatabase {
  readonly dialect = 'sqlite'
  readonly #writer: SqliteConnection
  readonly #reader: SqliteConnection
  readonly #busyTimeoutMs: number
  #lastTurn: Promise<unknown> = Promise.resolve()

  constructor(writer: SqliteConnection, reader: SqliteConnection, busyTimeoutMs: number) {
    this.#writer = writer
    this.#reader = reader
    this.#busyTimeoutMs = busyTimeoutMs
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return whenFree(() => this.#reader.all(sql, values), this.#busyTimeoutMs)
  }

  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    return this.#inTurn(() => whenFree(() => this.#writer.run(sql, values), this.#busyTimeoutMs))
  }

  async transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    isKept?: (outcome: T) => boolean,
  ): Promise<T> {
    return this.#inTurn(() => runTransaction(this.#writer, this.#busyTimeoutMs, work, isKept))
  }

  async settle<T>(work: () => Promise<T>, outcomes: Partial<Record<Constraint, T>>): Promise<T> {
    return settleBroken(work, outcomes, brokenConstraint)
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => this.#writer.close())
    this.#reader.close()
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(task)
    this.#lastTurn = turn.catch(() => undefined)
    return turn
  }
}

async function runTransaction<T>(
  connection: SqliteConnection,
  busyTimeoutMs: number,
  work: (session: SqlSession) => Promise<T>,
  isKept: (outcome: T) => boolean = () => true,
): Promise<T> {
  // IMMEDIATE: a read that turns into a write would fail instead of waiting for another process.
  await whenFree(() => connection.run('BEGIN IMMEDIATE', []), busyTimeoutMs)
  try {
    const outcome = await work({
      all: async (sql, ...values) => connection.all(sql, values),
      run: async (sql, ...values) => connection.run(sql, values),
    })
    connection.run(isKept(outcome) ? 'COMMIT' : 'ROLLBACK', [])
    return outcome
  } catch (error) {
    if (connection.isTransaction) connection.run('ROLLBACK', [])
    throw error
  }
}

/** `work`, again and again while another process holds the file. */
async function whenFree<T>(work: () => T, busyTimeoutMs: number): Promise<T> {
  let waitedMs = 0
  for (let attempt = 0; ; attempt++) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= busyTimeoutMs) throw error
    }
    const delayMs = Math.min(busyDelaysMs[attempt] ?? busyDelayMaxMs, busyTimeoutMs - waitedMs)
    await sleep(delayMs)
    waitedMs += delayMs
  }
}

function migrationTarget(
  connection: SqliteConnection,
  place: string,
  busyTimeoutMs: number,
): MigrationTarget {
  return {
    dialect: 'sqlite',
    place,
    findApplied: async () => whenFree(() => appliedMigrations(connection), busyTimeoutMs),
    exclusively: (work) =>
      runTransaction(connection, busyTimeoutMs, async (session) => {
        await work({ ...session, script: async (sql) => connection.exec(sql) })
        connection.exec(`PRAGMA user_version = ${migrations.length}`)
      }),
  }
}

/**
 * `user_version` is all that the first releases kept; they look at it, so it goes on counting. Beyond the known
 * migrations the version itself stands for the unknown ids.
 */
function appliedMigrations(connection: SqliteConnection): readonly string[] {
  const [row] = connection.all('SELECT user_version AS version FROM pragma_user_version', [])
  const version = Number(row?.['version'])
  const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'store_migrations'"
  const ids =
    connection.all(table, []).length === 0
      ? migrations.map(({ id }) => id)
      : connection.all('SELECT id FROM store_migrations ORDER BY position', []).map(({ id }) => String(id))
  return Array.from({ length: version }, (_, at) => ids[at] ?? `version ${at + 1}`)
}
