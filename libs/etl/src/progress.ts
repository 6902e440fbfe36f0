import { tableName } from './load-target.ts'
import type { LoadTaskProgress } from './load-task.ts'
import type { LoadComponents } from './load-components.ts'
import type { PlannedTable } from './plan-table.ts'

/** Takes what one worker has done since it was last heard. */
export type TableProgress = (worker: number, progress: LoadTaskProgress) => void

/** Sums up the workers of one table, for those who watch the load. */
export function progressOf(
  { request, steps, estimatedRows }: PlannedTable,
  { clock, onProgress }: LoadComponents,
): TableProgress {
  const table = tableName(request.identifier)
  const chunks = steps.reduce((sum, step) => sum + step.chunks.length, 0)
  const started = clock.now()
  const encodedByWorker = new Map<number, number>()
  let rows = 0
  onProgress?.({ kind: 'table-started', table, estimatedRows, chunks })
  return (worker, progress) => {
    rows += progress.rows
    encodedByWorker.set(worker, progress.encodedBytes)
    const encodedBytes = [...encodedByWorker.values()].reduce((sum, bytes) => sum + bytes, 0)
    const seconds = (clock.now() - started) / 1000
    onProgress?.({ kind: 'table-progress', table, rows, estimatedRows, encodedBytes, seconds })
  }
}
