import type { DuckDBResult } from '@duckdb/node-api'
import type { PruningReport } from '@floe/planner'

import { ByteBudget, bytesOf } from './byte-budget.ts'
import type { QueryDeadline } from './query-deadline.ts'
import type { QueryProfile, QueryTimer } from './query-profile.ts'
import { ResultChunks } from './result-chunks.ts'
import { plainValue } from './row-value.ts'

export type ResultColumn = {
  readonly name: string
  /** DuckDB's name of the type, such as `DECIMAL(18,2)`. */
  readonly type: string
}

/** A version of a table that a result was read from. */
export type SnapshotReference = {
  readonly table: string
  /** `undefined` when the table has no data yet. */
  readonly snapshotId: bigint | undefined
  /** When the snapshot was committed. */
  readonly timestampMs?: number
  /** Branch or tag that the SQL named. */
  readonly ref?: string
}

export type ScanPruning = {
  readonly table: string
  readonly report: PruningReport
  /** Kept files whose metrics answered the query, so that they were not opened; absent when there are none. */
  readonly filesAnswered?: number
}

export type QueryResult = {
  readonly columns: readonly ResultColumn[]
  /** Rows in batches. See `plainValue` for the forms of values. Frees the query when it ends. */
  rows(): AsyncIterable<readonly (readonly unknown[])[]>
  /**
   * The rows as the bytes of an Arrow IPC stream, in place of `rows`; only one of the two, once. A stream that fails has
   * no end mark. `metadata` goes with its schema.
   */
  arrow(metadata?: ReadonlyMap<string, string>): AsyncIterable<Uint8Array>
  /** True when `rowsMax` cut rows off; known once all rows were read. */
  truncated(): boolean
  /** One per place in the SQL where a table stands. */
  readonly references: readonly SnapshotReference[]
  readonly pruning: readonly ScanPruning[]
  /** Where the time went so far. */
  profile(): QueryProfile
  /** Frees the query's memory and files, read to the end or not. */
  close(): Promise<void>
}

export type ResultSettings = {
  readonly result: DuckDBResult
  readonly rowsMax: number
  /** Bytes of values, or of Arrow messages, after which the query fails; `Infinity` for no limit. */
  readonly bytesMax: number
  readonly deadline: QueryDeadline
  /** Throws when what looked like the end of the rows was a failure. */
  readonly assertEnded: () => Promise<void>
  /** Makes a running fetch fail soon; what it returns is called when the fetch has ended. */
  readonly interrupt: () => () => void
  readonly free: () => Promise<void>
  readonly references: QueryResult['references']
  readonly pruning: QueryResult['pruning']
  readonly timer: QueryTimer
}

export function queryResult(settings: ResultSettings): QueryResult {
  const { result, references, pruning, timer } = settings
  const types = result.columnTypes()
  const chunks = new ResultChunks(settings)
  return {
    columns: result.columnNames().map((name, at) => ({ name, type: String(types[at] ?? '') })),
    rows: () => plainRows(chunks, settings.bytesMax),
    arrow: (metadata = new Map()) => arrowBytes(chunks, settings, metadata),
    truncated: () => chunks.truncated,
    references,
    pruning,
    profile: () => timer.profile(chunks.rows),
    close: () => chunks.close(),
  }
}

async function* plainRows(
  chunks: ResultChunks,
  bytesMax: number,
): AsyncGenerator<readonly (readonly unknown[])[]> {
  const budget = new ByteBudget(bytesMax)
  for await (const { chunk, rows } of chunks.read()) {
    const all = chunk.getRows().map((row) => row.map(plainValue))
    const batch = rows < all.length ? all.slice(0, rows) : all
    if (Number.isFinite(bytesMax)) budget.spend(bytesOf(batch))
    yield batch
  }
}

async function* arrowBytes(
  chunks: ResultChunks,
  { result, bytesMax }: ResultSettings,
  metadata: ReadonlyMap<string, string>,
): AsyncGenerator<Uint8Array> {
  // Most queries want rows, and Arrow's code takes a while to be read.
  const { ArrowStream } = await import('./arrow-stream.ts')
  const stream = new ArrowStream(result, metadata)
  const budget = new ByteBudget(bytesMax)
  yield stream.head()
  for await (const { chunk, rows } of chunks.read()) {
    const bytes = stream.batch(chunk, rows)
    budget.spend(bytes.byteLength)
    yield bytes
  }
  yield stream.end()
}
