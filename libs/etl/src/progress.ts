import { tableName } from './load-target.ts'
import type { LoadTaskProgress } from './load-task.ts'
import type { LoadComponents } from './load-components.ts'
import type { PlannedTable } from './plan-table.ts'

/** Sums up the workers of one table, for those who watch the load. */
export type TableProgress = {
  /** What a worker of the running step has done since it began. */
  report(worker: number, progress: LoadTaskProgress): void
  /** So many rows were there already; what is left is in `chunks`. */
  resumed(rows: number, chunks: number): void
  stepEnded(): void
}

type Sums = Omit<LoadTaskProgress, 'chunksTaken'>

const nothing: Sums = {
  rows: 0,
  wireBytes: 0,
  encodedBytes: 0,
  waitMs: 0,
  decodeMs: 0,
  encodeMs: 0,
  uploadMs: 0,
}

export function progressOf(
  { request, steps, estimatedRows: estimatedInAll }: PlannedTable,
  { clock, onProgress }: LoadComponents,
): TableProgress {
  const table = tableName(request.identifier)
  let estimatedRows = estimatedInAll
  let chunks = steps.reduce((sum, step) => sum + step.chunks.length, 0)
  const started = clock.now()
  const workers = new Map<number, Sums>()
  let before = nothing
  let step = 0
  let chunksBefore = 0
  onProgress?.({ kind: 'table-started', table, estimatedRows, chunks })
  return {
    report: (worker, { chunksTaken, ...progress }) => {
      workers.set(worker, progress)
      const { rows, wireBytes, encodedBytes, ...phases } = addSums(before, workers)
      const seconds = (clock.now() - started) / 1000
      const left = estimateLeft({
        rows,
        estimatedRows,
        chunksTaken: chunksBefore + chunksTaken,
        chunks,
        seconds,
      })
      onProgress?.({
        kind: 'table-progress',
        table,
        rows,
        estimatedRows,
        wireBytes,
        encodedBytes,
        seconds,
        phases,
        ...left,
      })
    },
    resumed: (rows, left) => {
      estimatedRows = Math.max(0, estimatedRows - rows)
      chunks = left
    },
    stepEnded: () => {
      before = addSums(before, workers)
      workers.clear()
      chunksBefore += steps[step++]?.chunks.length ?? 0
    },
  }
}

function addSums(before: Sums, workers: ReadonlyMap<number, Sums>): Sums {
  return [...workers.values()].reduce(
    (sum, next) => ({
      rows: sum.rows + next.rows,
      wireBytes: sum.wireBytes + next.wireBytes,
      encodedBytes: sum.encodedBytes + next.encodedBytes,
      waitMs: sum.waitMs + next.waitMs,
      decodeMs: sum.decodeMs + next.decodeMs,
      encodeMs: sum.encodeMs + next.encodeMs,
      uploadMs: sum.uploadMs + next.uploadMs,
    }),
    before,
  )
}

/** A chunk that was taken is on average half read. */
const takenChunkShare = 0.5
/** Statistics are estimates: nothing is done before it is done. */
const doneShareMax = 0.99

/**
 * How much of a load is done and how long the rest may take, by the row estimate; by chunks where there is none, or
 * where more rows have come than it says (statistics are as old as the last ANALYZE). Nothing when neither tells.
 */
export function estimateLeft(so: {
  readonly rows: number
  readonly estimatedRows: number
  readonly chunksTaken: number
  readonly chunks: number
  readonly seconds: number
}): { readonly doneShare?: number; readonly secondsLeft?: number } {
  const byChunks = so.chunks > 1 ? (so.chunksTaken - takenChunkShare) / so.chunks : 0
  const share = so.estimatedRows > so.rows ? so.rows / so.estimatedRows : byChunks
  if (!(share > 0)) return {}
  const doneShare = Math.min(doneShareMax, share)
  return { doneShare, secondsLeft: (so.seconds * (1 - doneShare)) / doneShare }
}
