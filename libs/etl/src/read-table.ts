import { FloeError, toFloeError } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'
import type { Chunk, ColumnPlan, SourceSnapshot } from '@floe/postgres'
import type { LoadComponents } from './load-components.ts'
import { globalSpecOf } from './load-target.ts'
import type { LoadTarget } from './load-target.ts'
import { addStats, emptyStats, loadTask } from './load-task.ts'
import type { LoadStats, LoadTaskInput, LoadTaskProgress } from './load-task.ts'
import { divideMemory, workersWithin } from './memory-budget.ts'
import type { OpenedFiles } from './opened-files.ts'
import { withFieldIds } from './plan-table.ts'
import type { TableProgress } from './progress.ts'
import type { PlannedTable, TargetPlan } from './plan-table.ts'
import { newChunkCounter } from './own-state.ts'
import type { StepStart } from './start-step.ts'

/** Files that are durable and that no snapshot lists yet. */
export type ReadTable = {
  readonly dataFiles: readonly DataFile[]
  readonly deleteFiles: readonly DataFile[]
  /** Of what was read now. */
  readonly stats: LoadStats
  /** All that the files hold. */
  readonly rows: number
  readonly workers: number
}

/**
 * Reads the rows of one step into files, with as many workers as there is work for. The first failure stops the others;
 * what was opened is in `opened`, for the caller to remove.
 */
export async function readTable(
  plan: PlannedTable,
  { chunks, into, state, reused }: StepStart,
  snapshot: SourceSnapshot,
  opened: OpenedFiles,
  progress: TableProgress,
  components: LoadComponents,
): Promise<ReadTable> {
  const workers = workersOf(plan, chunks.length)
  const counter = state?.counter ?? newChunkCounter()
  const failure = new AbortController()
  const signal = AbortSignal.any([
    failure.signal,
    ...(components.signal === undefined ? [] : [components.signal]),
  ])
  const runs = Array.from({ length: workers }, async (_, worker) => {
    const openedFiles = opened.portForWorker()
    const checkpoints = state?.checkpointsOf(worker)
    const shared = {
      chunks,
      chunkCounter: counter,
      openedFiles,
      ...(checkpoints === undefined ? {} : { checkpoints }),
      ...within(plan, workers, into, components),
    }
    const input = taskInput(plan, into.target, snapshot, `${into.token}-${worker}`, shared)
    const options = {
      signal,
      transfer: [openedFiles],
      onProgress: (value: LoadTaskProgress) => progress.report(worker, value),
    }
    try {
      return await components.pool.run(loadTask, input, options)
    } catch (error) {
      // The first failure stops the others, which then remove their own files.
      failure.abort(error)
      throw error
    }
  })
  const settled = await Promise.allSettled(runs)
  if (failure.signal.aborted) throw toFloeError(failure.signal.reason)
  progress.stepEnded()
  const results = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const stats = results.reduce((sum, result) => addStats(sum, result.stats), emptyStats)
  return {
    workers,
    dataFiles: [...(reused?.dataFiles ?? []), ...results.flatMap(({ dataFiles }) => dataFiles)],
    deleteFiles: results.flatMap(({ deleteFiles }) => deleteFiles),
    stats: reused === undefined ? stats : addStats(stats, { ...emptyStats, touched: reused.touched }),
    rows: stats.rows + (reused?.rows ?? 0),
  }
}

function workersOf({ request: { workers, memoryBytes } }: PlannedTable, chunks: number): number {
  const wanted = Math.max(1, Math.min(workers, chunks))
  return memoryBytes === undefined ? wanted : workersWithin(memoryBytes, wanted)
}

/** Limits and store settings of one worker. */
function within(
  { request: { memoryBytes, limits }, columns, mergeKey }: PlannedTable,
  workers: number,
  { target }: TargetPlan,
  { storeSettings }: LoadComponents,
): Pick<LoadTaskInput, 'limits' | 'store'> {
  if (memoryBytes === undefined) return { limits, store: storeSettings() }
  const budget = divideMemory(memoryBytes / workers, {
    columns: columns.length,
    isPartitioned: target.spec.fields.length > 0,
    merges: mergeKey.length > 0,
  })
  return { limits: budget.limits, store: { ...storeSettings(), ...budget.parts } }
}

function taskInput(
  { request, columns, method, mergeKey }: PlannedTable,
  target: LoadTarget,
  { id: snapshotId }: SourceSnapshot,
  fileNamePrefix: string,
  shared: Pick<LoadTaskInput, 'chunkCounter' | 'openedFiles' | 'store' | 'limits' | 'checkpoints'> & {
    readonly chunks: readonly Chunk[]
  },
): LoadTaskInput {
  const { metadata, schema, fileSchema, spec, sortOrder } = target
  const labelled = withFieldIds(columns, fileSchema)
  const deletes = deletesOf(target, labelled, mergeKey)
  return {
    source: { url: request.sourceUrl, snapshotId, columns: labelled, method },
    ...shared,
    target: {
      schema,
      fileSchema,
      spec,
      sortOrder,
      tableLocation: metadata.location,
      properties: metadata.properties,
      ...(deletes === undefined ? {} : { deletes }),
    },
    fileNamePrefix,
  }
}

function deletesOf(
  { metadata }: LoadTarget,
  columns: readonly ColumnPlan[],
  mergeKey: readonly string[],
): LoadTaskInput['target']['deletes'] {
  if (mergeKey.length === 0) return undefined
  const spec = globalSpecOf(metadata)
  if (spec === undefined) throw new FloeError('internal', `${metadata.location} has no spec for its deletes`)
  return {
    spec,
    keyFieldIds: columns.filter(({ name }) => mergeKey.includes(name)).map(({ fieldId }) => fieldId),
  }
}
