import { errorToData, FloeError } from '@floe/iceberg'
import type { Namespace } from '@floe/catalog'
import { connectSource, exportSnapshot } from '@floe/postgres'
import type { ReadMethod, SourceConnection, SourceSnapshot } from '@floe/postgres'
import { findSources } from './find-sources.ts'
import type { SelectedTable } from './find-sources.ts'
import type { LoadComponents } from './load-components.ts'
import { loadError } from './load-error.ts'
import { loadTable } from './load-table.ts'
import { loadTransaction } from './load-transaction.ts'
import { describePlan, planTable, sourceName } from './plan-table.ts'
import type { PlannedTable, TableLoadRequest } from './plan-table.ts'
import { tableName } from './load-target.ts'
import type { LoadReport, TableFailure, TableLoad, TablePlan } from './load-report.ts'
import { loadTask } from './load-task.ts'
import type { LoadLimits } from './load-task.ts'
import type { TableSettings, TableSelection } from './table-selection.ts'

export type LoadRequest = TableSettings & {
  readonly sourceUrl: string
  /** Table patterns such as `public.orders` or `public.*`, alone or with settings of their own. */
  readonly tables: readonly (string | TableSelection)[]
  readonly namespace: Namespace
  readonly workers: number
  readonly dryRun?: boolean
  /**
   * What the workers hold of rows and uploads together, in bytes; fewer workers run where it has no room for all. When
   * absent each holds batches of 64 MiB and usual uploads.
   */
  readonly memoryBytes?: number
  /** All tables become visible in one commit, or none does. */
  readonly transaction?: boolean
  readonly limits?: Partial<LoadLimits>
  /** How rows are read: COPY BINARY unless said otherwise. */
  readonly method?: ReadMethod
  /**
   * Whether a load goes on with what one of the same plan had finished before it was killed, and keeps what it finishes
   * for one after it. Default true.
   */
  readonly resume?: boolean
}

export type LoadRunComponents = LoadComponents & {
  /** CPU microseconds of this process so far. */
  readonly cpuUsage: () => number
}

/** One row group: large enough for good dictionaries, small enough for two workers under a gigabyte. */
export const defaultLimits: LoadLimits = { batchRowsMax: 262_144, batchBytesMax: 64 * 1024 * 1024 }

/**
 * Loads tables, largest first, all from one instant of the source. Each table is its own commit unless the request asks
 * for a transaction; one that fails does not stop the others, and the report says so.
 * @throws when nothing can be loaded at all: no connection, no such table
 */
export async function load(request: LoadRequest, components: LoadRunComponents): Promise<LoadReport> {
  const started = components.clock.now()
  const cpuStarted = components.cpuUsage()
  if (request.dryRun !== true) components.pool.start(loadTask)
  const connection = await connectSource(request.sourceUrl)
  try {
    const { found, failures } = await findSources(request, connection)
    if (request.dryRun !== true) await ensureNamespaces(found, components)
    const tables = await loadUnderSnapshot(found, request, connection, components)
    return {
      tables: [...failures, ...tables],
      seconds: (components.clock.now() - started) / 1000,
      cpuSeconds: (components.cpuUsage() - cpuStarted) / 1_000_000,
    }
  } finally {
    await connection.end().catch(() => undefined)
  }
}

/** A connection of its own holds the snapshot: an error on the one that plans would end it for every worker. */
async function loadUnderSnapshot(
  tables: readonly SelectedTable[],
  request: LoadRequest,
  connection: SourceConnection,
  components: LoadRunComponents,
): Promise<LoadReport['tables']> {
  const holder = await connectSource(request.sourceUrl)
  try {
    const snapshot = await exportSnapshot(holder, { tables: tables.map(({ source }) => source) })
    const run = { request, connection, snapshot, components }
    const results =
      request.transaction === true && request.dryRun !== true
        ? await loadTogether(tables, run)
        : await loadEach(tables, run)
    await snapshot.release()
    return results
  } finally {
    await holder.end().catch(() => undefined)
  }
}

type Run = {
  readonly request: LoadRequest
  readonly connection: SourceConnection
  readonly snapshot: SourceSnapshot
  readonly components: LoadRunComponents
}

async function loadEach(tables: readonly SelectedTable[], run: Run): Promise<LoadReport['tables']> {
  const { request, snapshot, connection, components } = run
  const results: (TablePlan | TableLoad | TableFailure)[] = []
  for (const table of tables) {
    const plan = await planOne(table, run)
    if (isFailure(plan)) results.push(plan)
    else if (request.dryRun === true) results.push(describePlan(plan))
    else {
      const result = await loadTable(plan, snapshot, connection, components).catch((error: unknown) =>
        failureOf(plan.request, error, components),
      )
      components.onProgress?.({ kind: 'table-finished', result })
      results.push(result)
    }
  }
  return results
}

async function loadTogether(tables: readonly SelectedTable[], run: Run): Promise<LoadReport['tables']> {
  const { snapshot, connection, components } = run
  const plans: PlannedTable[] = []
  const failures: TableFailure[] = []
  for (const table of tables) {
    const plan = await planOne(table, run)
    if (isFailure(plan)) failures.push(plan)
    else plans.push(plan)
  }
  const results = await loadTransaction(plans, failures[0], snapshot, connection, components)
  const described = results.map(({ plan, outcome }) =>
    'error' in outcome ? failureOf(plan.request, outcome.error, components) : outcome.loaded,
  )
  for (const result of described) components.onProgress?.({ kind: 'table-finished', result })
  return [...failures, ...described]
}

function isFailure(plan: PlannedTable | TableFailure): plan is TableFailure {
  return 'status' in plan
}

async function planOne(
  table: SelectedTable,
  { request, connection, snapshot, components }: Run,
): Promise<PlannedTable | TableFailure> {
  const tableRequest = tableRequestOf(table, request)
  try {
    components.signal?.throwIfAborted()
    return await planTable(tableRequest, snapshot, connection, components)
  } catch (error) {
    const result = failureOf(tableRequest, error, components)
    components.onProgress?.({ kind: 'table-finished', result })
    return result
  }
}

function failureOf(
  { identifier, source }: Pick<TableLoadRequest, 'identifier' | 'source'>,
  error: unknown,
  { signal }: LoadComponents,
): TableFailure {
  const { stack: _, ...data } = errorToData(loadError(error, signal))
  return { status: 'failed', table: tableName(identifier), source: sourceName(source), error: data }
}

function tableRequestOf(
  { source, settings, identifier }: SelectedTable,
  request: LoadRequest,
): TableLoadRequest {
  const { sourceUrl, workers, limits, method, memoryBytes, resume } = request
  return {
    ...settings,
    sourceUrl,
    source,
    identifier,
    workers,
    limits: { ...defaultLimits, ...limits },
    dryRun: request.dryRun === true,
    ...(method === undefined ? {} : { method }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(resume === undefined ? {} : { resume }),
  }
}

async function ensureNamespaces(
  tables: readonly SelectedTable[],
  { catalog }: LoadComponents,
): Promise<void> {
  const names = new Map(tables.map(({ identifier: { namespace } }) => [namespace.join('\u001f'), namespace]))
  for (const namespace of names.values()) {
    for (let depth = 1; depth <= namespace.length; depth++) {
      await catalog.createNamespace(namespace.slice(0, depth)).catch((error: unknown) => {
        if (!(error instanceof FloeError) || error.code !== 'already-exists') throw error
      })
    }
  }
}
