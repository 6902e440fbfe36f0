import type { LoadedTable } from '@floe/catalog'
import { FloeError, stringifyJson, toFloeError } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { ManifestCache, planScan, selectManifests } from '@floe/planner'
import type { ManifestSelection, ScanRequest, SelectedManifest } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'
import { querySchema, scanRequestOf } from './plan-request.ts'
import type { ScanQuery } from './plan-request.ts'
import { encodePlanTask, positionsOf, rangesOf } from './plan-task.ts'
import type { PlanTask } from './plan-task.ts'
import { scanTasksToJson } from './scan-tasks-json.ts'

export type ScanPlannerSettings = {
  /** File scan tasks of one answer; what is more comes through plan tasks (default 1000). */
  readonly fileTasksMax?: number
  /** Plan tasks of one plan (default 256): a client fetches them in parallel. */
  readonly planTasksMax?: number
  /** Bytes of manifests whose decoded form is kept (default 64 MiB). */
  readonly manifestCacheBytesMax?: number
}

const fileTasksMaxDefault = 1000
const planTasksMaxDefault = 256
/** The client's filter is repeated in every file scan task, and in every plan task. */
const repeatedFilterBytesMax = 8 * 1024 * 1024

/** A query whose version was there when it was asked. */
type Planned = { readonly table: LoadedTable; readonly planId: string; readonly query: ScanQuery }
type Scan = { readonly request: ScanRequest; readonly schema: NonNullable<ScanRequest['schema']> }

/** Makes the answers of scan planning; keeps nothing but decoded manifests. */
export class ScanPlanner {
  readonly #store: ObjectStore
  readonly #cache: ManifestCache
  readonly #fileTasksMax: number
  readonly #planTasksMax: number

  constructor(store: ObjectStore, settings: ScanPlannerSettings = {}) {
    const { manifestCacheBytesMax } = settings
    this.#store = store
    this.#cache = new ManifestCache(
      manifestCacheBytesMax === undefined ? {} : { bytesMax: manifestCacheBytesMax },
    )
    this.#fileTasksMax = settings.fileTasksMax ?? fileTasksMaxDefault
    this.#planTasksMax = settings.planTasksMax ?? planTasksMaxDefault
  }

  /**
   * Spec `ScanTasks` of a whole plan: the files of a small one, the plan tasks of a large one, which costs no more than
   * its manifest list.
   * @throws FloeError invalid-input for a filter that does not bind
   */
  async plan(planned: Planned, signal: AbortSignal): Promise<JsonObject> {
    const scan = scanOf(planned)
    if (scan === undefined) return { 'file-scan-tasks': [] }
    const selection = await namingLostFiles(() =>
      selectManifests(scan.request, { store: this.#store, cache: this.#cache, signal }),
    )
    const fileTasksMax = this.#fileTasksMaxOf(planned.query)
    const groups = this.#groupsOf(enoughManifests(selection, planned.query.rows), planned.query, fileTasksMax)
    const tasks = groups.map((positions) => ({
      table: planned.table.metadata.tableUuid,
      plan: planned.planId,
      query: planned.query,
      ranges: rangesOf(positions),
      total: selection.manifestsTotal,
      skip: 0,
    }))
    const [only] = tasks
    if (only === undefined) return { 'file-scan-tasks': [] }
    if (tasks.length > 1) return { 'plan-tasks': tasks.map(encodePlanTask), 'file-scan-tasks': [] }
    return this.#piece(planned, only, scan, signal)
  }

  /** Spec `FetchScanTasksResult`; `undefined` when the version that the task names is gone. */
  async fetch(table: LoadedTable, task: PlanTask, signal: AbortSignal): Promise<JsonObject | undefined> {
    const planned = { table, planId: task.plan, query: task.query }
    const { snapshot } = task.query
    const isThere = table.metadata.snapshots.some(({ snapshotId }) => snapshotId === snapshot)
    const scan = isThere ? scanOf(planned) : undefined
    if (scan === undefined) return undefined
    const components = { store: this.#store, cache: this.#cache, signal }
    const manifestsTotal = await namingLostFiles(() => selectManifests(scan.request, components)).then(
      (selection) => selection.manifestsTotal,
      (error: unknown) => {
        // The way from an incremental scan's start to its end has expired.
        if (toFloeError(error).code === 'invalid-input') return undefined
        throw error
      },
    )
    return manifestsTotal === task.total ? this.#piece(planned, task, scan, signal) : undefined
  }

  async #piece(
    { table, query }: Planned,
    task: PlanTask,
    { request, schema }: Scan,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const positions = positionsOf(task)
    const components = { store: this.#store, cache: this.#cache, signal }
    const { tasks } = await namingLostFiles(() =>
      planScan({ ...request, ...(positions === undefined ? {} : { positions }) }, components),
    )
    const end = task.skip + this.#fileTasksMaxOf(query)
    const page = tasks.slice(task.skip, end)
    const rest = end < tasks.length ? { 'plan-tasks': [encodePlanTask({ ...task, skip: end })] } : {}
    return { ...rest, ...scanTasksToJson(page, query, table.metadata, schema) }
  }

  #fileTasksMaxOf(query: ScanQuery): number {
    return Math.max(1, Math.min(this.#fileTasksMax, Math.floor(repeatedFilterBytesMax / filterBytes(query))))
  }

  /** Positions of manifests by plan task: about as many files in each, and no more tasks than allowed. */
  #groupsOf(
    manifests: readonly SelectedManifest[],
    query: ScanQuery,
    fileTasksMax: number,
  ): readonly (readonly number[])[] {
    const filesTotal = manifests.reduce((total, { files }) => total + (files ?? fileTasksMax), 0)
    const groupsMax = Math.max(
      1,
      Math.min(this.#planTasksMax, Math.floor(repeatedFilterBytesMax / filterBytes(query))),
    )
    const filesMax = Math.max(fileTasksMax, Math.ceil((2 * filesTotal) / groupsMax))
    const groups: number[][] = []
    let filesInLast = Number.POSITIVE_INFINITY
    for (const { position, files = fileTasksMax } of manifests) {
      if (filesInLast + files > filesMax) {
        groups.push([])
        filesInLast = 0
      }
      groups.at(-1)?.push(position)
      filesInLast += files
    }
    return groups
  }
}

function filterBytes({ filter }: ScanQuery): number {
  return filter === undefined ? 1 : stringifyJson(filter).length
}

function scanOf({ table, query }: Planned): Scan | undefined {
  const { metadata } = table
  const { snapshot } = query
  const schema = querySchema(query, metadata)
  if (snapshot === undefined || schema === undefined) return undefined
  return { request: scanRequestOf({ ...query, snapshot }, metadata, schema), schema }
}

/** The first manifests that hold the rows wanted, where every row of theirs is one. */
function enoughManifests(
  { manifests, hasDeletes, filter }: ManifestSelection,
  rowsWanted: number | undefined,
): readonly SelectedManifest[] {
  if (rowsWanted === undefined || hasDeletes || filter.kind !== 'true') return manifests
  const enough: SelectedManifest[] = []
  let rows = 0
  for (const manifest of manifests) {
    if (rows >= rowsWanted) break
    enough.push(manifest)
    rows += manifest.rows ?? 0
  }
  return enough
}

/** A file of metadata that is gone is the server's fault: 404 would tell the client that there is no table. */
async function namingLostFiles<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message } = toFloeError(error)
    throw code === 'not-found' ? new FloeError('corrupt-data', message, { cause: error }) : error
  }
}
