import { createHash } from 'node:crypto'
import type { SourceConnection } from './connect-source.ts'
import { quoteRelation } from './relation-name.ts'
import { sourceError } from './source-error.ts'
import type { SourceTable } from './source-table.ts'

/** One instant of the source that other sessions can read while the exporting one stays open. */
export type SourceSnapshot = {
  /** For `SET TRANSACTION SNAPSHOT`. */
  readonly id: string
  /** Such as 180004. */
  readonly serverVersion: number
  /** ISO 8601, UTC. */
  readonly takenAt: string
  /** Transactions below this are visible or gone; an unsigned 64-bit number. */
  readonly xmin: bigint
  /** No transaction from this on is visible. */
  readonly xmax: bigint
  /** Takes a name for as long as the snapshot lives, unless another living snapshot of the server has it. */
  tryLock(name: string): Promise<boolean>
  release(): Promise<void>
}

export type SnapshotOptions = {
  /** Locked against TRUNCATE and rewrites, which a snapshot does not survive, before the snapshot is taken. */
  readonly tables?: readonly SourceTable[]
}

type SnapshotRow = { id: string; version: number; taken_at: string; xmin: string; xmax: string }

/** Exports a REPEATABLE READ, READ ONLY snapshot. `client` serves it until `release`. */
export async function exportSnapshot(
  client: SourceConnection,
  options: SnapshotOptions = {},
): Promise<SourceSnapshot> {
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await lockTables(client, options.tables ?? [])
    const { rows } = await client.query<SnapshotRow>(`
      SELECT pg_catalog.pg_export_snapshot() AS id, pg_catalog.current_setting('server_version_num')::int AS version,
        pg_catalog.to_char(pg_catalog.now(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS taken_at,
        pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())::text AS xmin,
        pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())::text AS xmax`)
    const row = rows[0] as SnapshotRow
    return {
      id: row.id,
      serverVersion: row.version,
      takenAt: row.taken_at,
      xmin: BigInt(row.xmin),
      xmax: BigInt(row.xmax),
      tryLock: (name) => tryLock(client, name),
      release: async () => {
        await client.query('ROLLBACK').catch(() => undefined)
      },
    }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw sourceError('exporting a snapshot', error)
  }
}

/**
 * Runs queries that see what the snapshot sees. `client` is free again afterwards, whatever happens.
 * @param snapshotId  of an exported snapshot whose session is still open
 */
export async function onSnapshot<T>(
  client: SourceConnection,
  snapshotId: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await client.query(`SET TRANSACTION SNAPSHOT '${snapshotId.replaceAll("'", "''")}'`)
    return await work()
  } finally {
    await client.query('ROLLBACK').catch(() => undefined)
  }
}

/** Advisory, and of the transaction: the server gives it back when the session ends, however it ends. */
async function tryLock(client: SourceConnection, name: string): Promise<boolean> {
  const key = createHash('sha256').update(name).digest().readBigInt64BE()
  const { rows } = await client.query<{ taken: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_xact_lock($1::int8) AS taken',
    [key.toString()],
  )
  return rows[0]?.taken === true
}

/** LOCK TABLE takes no materialized views and foreign tables. */
async function lockTables(client: SourceConnection, tables: readonly SourceTable[]): Promise<void> {
  const lockable = tables.filter(({ kind }) => kind === 'table' || kind === 'partitioned')
  if (lockable.length === 0) return
  await client.query(`LOCK TABLE ${lockable.map(quoteRelation).join(', ')} IN ACCESS SHARE MODE`)
}
