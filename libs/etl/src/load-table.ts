import { FloeError, toFloeError, typeToString, transformToString } from '@floe/iceberg'
import type { DataFile, Schema } from '@floe/iceberg'
import type { Catalog } from '@floe/catalog'
import type { Pool } from '@floe/compute'
import { planChunks, planColumns } from '@floe/postgres'
import type {
  Chunk,
  ColumnPlan,
  ReadMethod,
  SourceConnection,
  SourceSnapshot,
  SourceTable,
  TypePolicies,
} from '@floe/postgres'
import type { ObjectStore, StoreSettings } from '@floe/storage'
import { commitSnapshot, parseWriteSettings } from '@floe/writer'
import type { CommittedSnapshot } from '@floe/writer'
import { loadError } from './load-error.ts'
import { OpenedFiles } from './opened-files.ts'
import { planTarget, tableName } from './load-target.ts'
import type { LoadTarget, TargetRequest } from './load-target.ts'
import type { LoadProgress, TableLoad, TablePlan } from './load-report.ts'
import { addStats, emptyStats, loadTask } from './load-task.ts'
import type { LoadLimits, LoadStats, LoadTaskInput, LoadTaskProgress } from './load-task.ts'

/** Heap bytes that one worker reads in a second, for the estimate of a dry run only: 2 cores, TPC-H lineitem. */
const estimatedHeapBytesPerSecond = 60_000_000

export type TableLoadRequest = Omit<TargetRequest, 'columns'> & {
  readonly sourceUrl: string
  readonly workers: number
  readonly limits: LoadLimits
  /** Overrides the planner's choice. */
  readonly method?: ReadMethod
  readonly policies?: TypePolicies
}

export type LoadComponents = {
  readonly catalog: Catalog
  readonly store: ObjectStore
  /** The same store as data, for the workers to open. Asked for when the table is loaded: its keys come with it. */
  readonly storeSettings: () => StoreSettings
  readonly pool: Pool
  readonly clock: { now(): number }
  readonly uuid: () => string
  readonly newSnapshotId: () => bigint
  readonly sleep: (ms: number) => Promise<void>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LoadProgress) => void
}

type PlannedTable = {
  readonly request: TableLoadRequest
  readonly target: LoadTarget
  readonly columns: readonly ColumnPlan[]
  readonly chunks: readonly Chunk[]
  readonly method: ReadMethod
  readonly reason: string
}

/** Decides what a load of one table reads and writes. Makes nothing visible. */
export async function planTable(
  request: TableLoadRequest,
  connection: SourceConnection,
  components: LoadComponents,
): Promise<PlannedTable> {
  const columns = planColumns(request.source, request.policies)
  const target = await planTarget({ ...request, columns }, components)
  const { workers, method: wanted } = request
  const options = { workers, ...(wanted === undefined ? {} : { method: wanted }) }
  const { chunks, method, reason } = await planChunks(connection, request.source, options)
  return { request, target, columns: withFieldIds(columns, target.fileSchema), chunks, method, reason }
}

/** The reader labels what it decodes with the ids of the fields that the files will hold. */
function withFieldIds(columns: readonly ColumnPlan[], { fields }: Schema): readonly ColumnPlan[] {
  return columns.map((plan, index) => {
    const field = fields[index]
    if (field === undefined)
      throw new FloeError('internal', `column ${plan.name} has no field in the file schema`)
    return { ...plan, fieldId: field.id, type: field.type }
  })
}

export function describePlan({ request, target, chunks, method, reason }: PlannedTable): TablePlan {
  const { source, identifier, mode, workers } = request
  return {
    status: 'planned',
    table: tableName(identifier),
    source: sourceName(source),
    mode,
    method,
    methodReason: reason,
    chunks: chunks.length,
    sourceBytes: source.sizeBytes,
    estimatedRows: source.estimatedRows,
    estimatedSeconds:
      source.sizeBytes / (estimatedHeapBytesPerSecond * Math.min(workers, Math.max(1, chunks.length))),
    columns: target.schema.fields.map(({ name, type, required }) => ({
      name,
      type: typeToString(type),
      required,
    })),
    partitionedBy: target.spec.fields
      .map(({ name, transform }) => `${name}: ${transformToString(transform)}`)
      .join(', '),
    schemaChanges: target.changes,
  }
}

/** Loads one planned table under one source snapshot and commits it. No file stays behind after a known failure. */
export async function loadTable(
  plan: PlannedTable,
  snapshot: SourceSnapshot,
  components: LoadComponents,
): Promise<TableLoad> {
  const started = components.clock.now()
  const token = components.uuid()
  using opened = new OpenedFiles()
  const outcome = await readAndCommit(plan, snapshot, token, opened, components).catch(
    async (error: unknown) => {
      const failure = loadError(error, components.signal)
      // After an unknown outcome the files may be part of the table: they stay.
      if (failure.code !== 'commit-state-unknown') await opened.remove(components.store)
      throw failure
    },
  )
  return describeLoad(plan, outcome, components.clock.now() - started)
}

type LoadOutcome = Staged & { readonly committed: CommittedSnapshot; readonly token: string }

async function readAndCommit(
  plan: PlannedTable,
  snapshot: SourceSnapshot,
  token: string,
  opened: OpenedFiles,
  components: LoadComponents,
): Promise<LoadOutcome> {
  const staged = await readAndStage(plan, snapshot, token, opened, components)
  components.signal?.throwIfAborted()
  const committed = await commitLoad(plan, staged.dataFiles, staged.stats, token, components)
  return { ...staged, committed, token }
}

type Staged = { readonly dataFiles: readonly DataFile[]; readonly stats: LoadStats; readonly workers: number }

async function readAndStage(
  plan: PlannedTable,
  snapshot: SourceSnapshot,
  token: string,
  opened: OpenedFiles,
  components: LoadComponents,
): Promise<Staged> {
  const { request, chunks } = plan
  const workers = Math.max(1, Math.min(request.workers, chunks.length))
  const counter = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const failure = new AbortController()
  const signal = AbortSignal.any([
    failure.signal,
    ...(components.signal === undefined ? [] : [components.signal]),
  ])
  const onProgress = progressCollector(plan, components)
  const runs = Array.from({ length: workers }, async (_, worker) => {
    const openedFiles = opened.portForWorker()
    const shared = { chunkCounter: counter, openedFiles, store: components.storeSettings() }
    const input = taskInput(plan, snapshot, `${token}-${worker}`, shared)
    const options = {
      signal,
      transfer: [openedFiles],
      onProgress: (value: LoadTaskProgress) => onProgress(worker, value),
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
  const results = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  return {
    workers,
    dataFiles: results.flatMap(({ dataFiles }) => dataFiles),
    stats: results.reduce((sum, { stats }) => addStats(sum, stats), emptyStats),
  }
}

function taskInput(
  { request, target, columns, chunks, method }: PlannedTable,
  { id: snapshotId }: SourceSnapshot,
  fileNamePrefix: string,
  shared: Pick<LoadTaskInput, 'chunkCounter' | 'openedFiles' | 'store'>,
): LoadTaskInput {
  const { metadata, schema, fileSchema, spec, sortOrder } = target
  return {
    source: { url: request.sourceUrl, snapshotId, columns, method },
    ...shared,
    chunks,
    target: {
      schema,
      fileSchema,
      spec,
      sortOrder,
      tableLocation: metadata.location,
      properties: metadata.properties,
    },
    fileNamePrefix,
    limits: request.limits,
  }
}

function progressCollector(
  { request, chunks }: PlannedTable,
  { clock, onProgress }: LoadComponents,
): (worker: number, progress: LoadTaskProgress) => void {
  const table = tableName(request.identifier)
  const started = clock.now()
  const encodedByWorker = new Map<number, number>()
  let rows = 0
  onProgress?.({
    kind: 'table-started',
    table,
    estimatedRows: request.source.estimatedRows,
    chunks: chunks.length,
  })
  return (worker, progress) => {
    rows += progress.rows
    encodedByWorker.set(worker, progress.encodedBytes)
    const encodedBytes = [...encodedByWorker.values()].reduce((sum, bytes) => sum + bytes, 0)
    const seconds = (clock.now() - started) / 1000
    onProgress?.({
      kind: 'table-progress',
      table,
      rows,
      estimatedRows: request.source.estimatedRows,
      encodedBytes,
      seconds,
    })
  }
}

function commitLoad(
  { request, target }: PlannedTable,
  dataFiles: readonly DataFile[],
  { rows }: LoadStats,
  token: string,
  components: LoadComponents,
): Promise<CommittedSnapshot> {
  const { identifier, mode, source } = request
  const { catalog } = components
  return commitSnapshot(
    {
      table: tableName(identifier),
      base: target.base,
      target: target.metadata,
      updates: target.updates,
      change: { kind: mode === 'replace' ? 'replace-all' : 'append', dataFiles },
      token,
      summary: {
        'floe.source.table': sourceName(source),
        'floe.source.rows': String(rows),
        'engine-name': 'floe',
      },
    },
    {
      ...components,
      catalog: {
        load: () => catalog.loadTable(identifier),
        commit: (requirements, updates) => catalog.commitTable(identifier, { requirements, updates }),
      },
    },
  )
}

function describeLoad(
  { request, target, method, reason }: PlannedTable,
  { dataFiles, stats, workers, committed, token }: LoadOutcome,
  elapsedMs: number,
): TableLoad {
  const seconds = elapsedMs / 1000
  const { ignored } = parseWriteSettings(target.metadata.properties)
  return {
    status: 'loaded',
    table: tableName(request.identifier),
    source: sourceName(request.source),
    mode: request.mode,
    method,
    methodReason: reason,
    workers,
    rows: stats.rows,
    seconds,
    rowsPerSecond: stats.rows / seconds,
    megabytesPerSecond: stats.wireBytes / seconds / 1_000_000,
    files: dataFiles.length,
    dataBytes: dataFiles.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0),
    snapshotId: committed.snapshot.snapshotId,
    token,
    attempts: committed.attempts,
    schemaChanges: target.changes,
    stats,
    warnings: ignored.map((property) => `table property ${property} is set but has no effect on this writer`),
  }
}

export function sourceName({ schema, name }: SourceTable): string {
  return `${schema}.${name}`
}
