import type { DuckDBResult } from '@duckdb/node-api'
import type { PruningReport } from '@floe/planner'

import { toEngineError } from './duckdb-error.ts'
import type { QueryDeadline } from './query-deadline.ts'
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
  /** Rows in batches, once. See `plainValue` for the forms of values. Frees the query when it ends. */
  rows(): AsyncIterable<readonly (readonly unknown[])[]>
  /** True when `rowsMax` cut rows off; known once all rows were read. */
  truncated(): boolean
  /** One per place in the SQL where a table stands. */
  readonly references: readonly SnapshotReference[]
  readonly pruning: readonly ScanPruning[]
  /** Frees the query's memory and files, read to the end or not. */
  close(): Promise<void>
}

export type ResultSettings = {
  readonly result: DuckDBResult
  readonly rowsMax: number
  readonly deadline: QueryDeadline
  /** Throws when what looked like the end of the rows was a failure. */
  readonly assertEnded: () => Promise<void>
  /** Makes a running fetch fail soon; what it returns is called when the fetch has ended. */
  readonly interrupt: () => () => void
  readonly free: () => Promise<void>
  readonly references: QueryResult['references']
  readonly pruning: QueryResult['pruning']
}

export function queryResult({
  result,
  rowsMax,
  deadline,
  assertEnded,
  interrupt,
  free,
  references,
  pruning,
}: ResultSettings): QueryResult {
  const types = result.columnTypes()
  let truncated = false
  let closing: Promise<void> | undefined
  let fetching: Promise<unknown> | undefined
  const close = (): Promise<void> => (closing ??= endFetch().then(free))

  /** A session must not be closed under a running fetch. */
  async function endFetch(): Promise<void> {
    if (fetching === undefined) return
    const stop = interrupt()
    await fetching.catch(() => undefined).finally(stop)
  }

  async function* rows(): AsyncGenerator<readonly (readonly unknown[])[]> {
    let left = rowsMax
    try {
      for (;;) {
        const next = fetchChunk(result, deadline, assertEnded)
        fetching = next
        const chunk = await next.finally(() => (fetching = undefined))
        if (chunk === undefined) return
        const batch = chunk.slice(0, left)
        left -= batch.length
        truncated = batch.length < chunk.length
        if (batch.length > 0) yield batch
        if (truncated) return
      }
    } finally {
      await close()
    }
  }

  return {
    columns: result.columnNames().map((name, at) => ({ name, type: String(types[at] ?? '') })),
    rows,
    truncated: () => truncated,
    references,
    pruning,
    close,
  }
}

async function fetchChunk(
  result: DuckDBResult,
  deadline: QueryDeadline,
  assertEnded: () => Promise<void>,
): Promise<readonly (readonly unknown[])[] | undefined> {
  try {
    deadline.check()
    const chunk = await deadline.guard(result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) {
      await assertEnded()
      return undefined
    }
    return chunk.getRows().map((row) => row.map(plainValue))
  } catch (error) {
    throw toEngineError(error)
  }
}
