import { openPool } from '@floe/compute'
import { nullStageTask } from './null-stage.ts'
import type { LoadFigures, LoadRequest, NullVariant } from './load-request.ts'
import { openChunks } from './open-chunks.ts'

/**
 * A load without one of its stages, which prices the stage: without the encoder (and what follows), without the store,
 * without the source. Workers, batches and files are those of a load; nothing is committed.
 */
export async function runNullVariant(
  request: LoadRequest & { readonly variant: NullVariant },
): Promise<Omit<LoadFigures, 'peakMemoryBytes'>> {
  const { variant, url, rows, workers, folder } = request
  await using pool = openPool({ workers })
  await using source = await openChunks(request)
  const { columns, snapshotId, chunks } = source
  const shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
  const results = await Promise.all(
    Array.from({ length: workers }, (_, worker) =>
      pool.run(nullStageTask, {
        variant,
        source: { url, snapshotId, columns },
        chunks,
        shared,
        workers,
        rows: rowsOf(worker, workers, rows),
        file: `${folder}/worker-${worker}.parquet`,
      }),
    ),
  )
  const started = results.toSorted((left, right) => left.startedMs - right.startedMs)[0]
  const ended = results.toSorted((left, right) => right.endedMs - left.endedMs)[0]
  const sum = (figure: 'rows' | 'wireBytes'): number =>
    results.reduce((total, result) => total + result[figure], 0)
  return {
    rows: sum('rows'),
    seconds: ((ended?.endedMs ?? 0) - (started?.startedMs ?? 0)) / 1000,
    loaderCpuSeconds: (ended?.endedCpuSeconds ?? 0) - (started?.startedCpuSeconds ?? 0),
    ...(variant === 'null-source' ? {} : { wireBytes: sum('wireBytes') }),
  }
}

function rowsOf(worker: number, workers: number, rows: number): number {
  return Math.floor((rows * (worker + 1)) / workers) - Math.floor((rows * worker) / workers)
}
