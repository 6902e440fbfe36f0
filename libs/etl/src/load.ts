import { errorToData, FloeError } from '@floe/iceberg'
import type { Namespace } from '@floe/catalog'
import { connectSource, exportSnapshot, findSourceTables } from '@floe/postgres'
import type { ReadMethod, SourceConnection, SourceSnapshot, SourceTable, TypePolicies } from '@floe/postgres'
import { loadError } from './load-error.ts'
import { describePlan, loadTable, planTable, sourceName } from './load-table.ts'
import type { LoadComponents, TableLoadRequest } from './load-table.ts'
import type { LoadMode } from './load-target.ts'
import { tableName } from './load-target.ts'
import type { LoadReport, TableFailure, TableLoad, TablePlan } from './load-report.ts'
import type { LoadLimits } from './load-task.ts'

/** Type policies of the tables of a load; columns are named `schema.table.column`. */
export type TableTypePolicies = TypePolicies

export type LoadRequest = {
  readonly sourceUrl: string
  /** Table patterns such as `public.orders` or `public.*`. */
  readonly tables: readonly string[]
  readonly namespace: Namespace
  readonly mode: LoadMode
  readonly partitionBy?: string
  /** Such as `category, day(ts) desc nulls last`: the table's order from now on, which its files are sorted by. */
  readonly sortBy?: string
  readonly workers: number
  readonly dryRun?: boolean
  readonly limits?: Partial<LoadLimits>
  /** How rows are read: COPY BINARY unless said otherwise. */
  readonly method?: ReadMethod
  /** What becomes of types and values that Iceberg does not have. */
  readonly policies?: TableTypePolicies
  readonly properties?: Readonly<Record<string, string>>
}

export type LoadRunComponents = LoadComponents & {
  /** CPU microseconds of this process so far. */
  readonly cpuUsage: () => number
}

/** One row group: large enough for good dictionaries, small enough for two workers under a gigabyte. */
export const defaultLimits: LoadLimits = { batchRowsMax: 262_144, batchBytesMax: 64 * 1024 * 1024 }

/**
 * Loads tables, largest first, all from one instant of the source. Each table is its own commit; one that fails does
 * not stop the others, and the report says so.
 * @throws when nothing can be loaded at all: no connection, no such table
 */
export async function load(request: LoadRequest, components: LoadRunComponents): Promise<LoadReport> {
  const started = components.clock.now()
  const cpuStarted = components.cpuUsage()
  const connection = await connectSource(request.sourceUrl)
  try {
    const sources = await findSources(request, connection)
    if (request.dryRun !== true) await ensureNamespace(request.namespace, components)
    const tables = await loadUnderSnapshot(sources, request, connection, components)
    return {
      tables,
      seconds: (components.clock.now() - started) / 1000,
      cpuSeconds: (components.cpuUsage() - cpuStarted) / 1_000_000,
    }
  } finally {
    await connection.end().catch(() => undefined)
  }
}

/** A connection of its own holds the snapshot: an error on the one that plans would end it for every worker. */
async function loadUnderSnapshot(
  sources: readonly SourceTable[],
  request: LoadRequest,
  connection: SourceConnection,
  components: LoadRunComponents,
): Promise<LoadReport['tables']> {
  const holder = await connectSource(request.sourceUrl)
  try {
    const snapshot = await exportSnapshot(holder, { tables: sources })
    const tables: LoadReport['tables'][number][] = []
    for (const source of sources)
      tables.push(await loadOne(source, request, connection, snapshot, components))
    await snapshot.release()
    return tables
  } finally {
    await holder.end().catch(() => undefined)
  }
}

async function loadOne(
  source: SourceTable,
  request: LoadRequest,
  connection: SourceConnection,
  snapshot: SourceSnapshot,
  components: LoadRunComponents,
): Promise<TablePlan | TableLoad | TableFailure> {
  const tableRequest = tableRequestOf(source, request)
  try {
    components.signal?.throwIfAborted()
    const plan = await planTable(tableRequest, connection, components)
    if (request.dryRun === true) return describePlan(plan)
    const result = await loadTable(plan, snapshot, components)
    components.onProgress?.({ kind: 'table-finished', result })
    return result
  } catch (error) {
    const floe = loadError(error, components.signal)
    const { stack: _, ...data } = errorToData(floe)
    const result = {
      status: 'failed',
      table: tableName(tableRequest.identifier),
      source: sourceName(source),
      error: data,
    } satisfies TableFailure
    components.onProgress?.({ kind: 'table-finished', result })
    return result
  }
}

function tableRequestOf(source: SourceTable, request: LoadRequest): TableLoadRequest {
  const { sourceUrl, namespace, mode, partitionBy, sortBy, workers, limits, method, policies, properties } =
    request
  return {
    sourceUrl,
    source,
    identifier: { namespace, name: source.name },
    mode,
    workers,
    limits: { ...defaultLimits, ...limits },
    dryRun: request.dryRun === true,
    ...(partitionBy === undefined ? {} : { partitionBy }),
    ...(sortBy === undefined ? {} : { sortBy }),
    ...(method === undefined ? {} : { method }),
    ...(policies === undefined ? {} : { policies: policiesOf(source, policies) }),
    ...(properties === undefined ? {} : { properties }),
  }
}

/** The policies of one table's columns, under their bare names. */
function policiesOf(source: SourceTable, { default: all, columns = {} }: TableTypePolicies): TypePolicies {
  const prefix = `${sourceName(source)}.`
  const own = Object.entries(columns)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, policy]) => [name.slice(prefix.length), policy] as const)
  return { columns: Object.fromEntries(own), ...(all === undefined ? {} : { default: all }) }
}

async function findSources(
  request: LoadRequest,
  connection: SourceConnection,
): Promise<readonly SourceTable[]> {
  if (request.tables.length === 0) {
    throw new FloeError('invalid-input', 'no table to load', { hint: 'name one with --table schema.table' })
  }
  const byOid = new Map<number, SourceTable>()
  for (const pattern of request.tables) {
    for (const table of await findSourceTables(connection, pattern)) byOid.set(table.oid, table)
  }
  const sources = [...byOid.values()].toSorted((left, right) => right.sizeBytes - left.sizeBytes)
  assertDistinctNames(sources)
  return sources
}

function assertDistinctNames(sources: readonly SourceTable[]): void {
  const seen = new Map<string, SourceTable>()
  for (const source of sources) {
    const other = seen.get(source.name)
    if (other !== undefined) {
      throw new FloeError(
        'invalid-input',
        `${sourceName(other)} and ${sourceName(source)} would both become ${source.name}`,
        {
          hint: 'load them into two namespaces, one call each',
        },
      )
    }
    seen.set(source.name, source)
  }
}

async function ensureNamespace(namespace: Namespace, { catalog }: LoadComponents): Promise<void> {
  for (let depth = 1; depth <= namespace.length; depth++) {
    await catalog.createNamespace(namespace.slice(0, depth)).catch((error: unknown) => {
      if (!(error instanceof FloeError) || error.code !== 'already-exists') throw error
    })
  }
}
