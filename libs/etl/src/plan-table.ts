import { FloeError, transformToString, typeToString } from '@floe/iceberg'
import type { Schema } from '@floe/iceberg'
import type { LoadedTable } from '@floe/catalog'
import { estimateRows, onSnapshot, planChunks, planColumns } from '@floe/postgres'
import type {
  Chunk,
  ColumnPlan,
  ReadMethod,
  SourceConnection,
  SourceSnapshot,
  SourceTable,
  TypePolicies,
} from '@floe/postgres'
import type { LoadComponents } from './load-components.ts'
import { findTargetTable, planTarget, tableName } from './load-target.ts'
import type { LoadTarget, TargetRequest } from './load-target.ts'
import type { IncrementReport, TablePlan } from './load-report.ts'
import type { LoadLimits } from './load-task.ts'
import { planIncrement } from './plan-increment.ts'
import type { CursorRequest, Increment } from './plan-increment.ts'
import { currentPosition, positionProperties } from './source-position.ts'
import type { SourcePosition } from './source-position.ts'

/** Heap bytes that one worker reads in a second, for the estimate of a dry run only: 2 cores, TPC-H lineitem. */
const estimatedHeapBytesPerSecond = 60_000_000

export type TableLoadRequest = Omit<TargetRequest, 'columns' | 'needsGlobalDeletes'> & {
  readonly sourceUrl: string
  readonly workers: number
  readonly limits: LoadLimits
  /** What the workers may hold of rows and uploads together; decides the limits when it is given. */
  readonly memoryBytes?: number
  /** Overrides the planner's choice. */
  readonly method?: ReadMethod
  readonly policies?: TypePolicies
  /** Names of the columns to load; all when absent. */
  readonly columns?: readonly string[]
  /** A condition in SQL that the rows to load meet. */
  readonly where?: string
  readonly cursor?: CursorRequest
  /** False: begins anew whatever a killed load has finished, and keeps nothing for one after this. Default true. */
  readonly resume?: boolean
}

/** One commit of a load: what it reads, and where the table stands afterwards. */
export type PlannedStep = {
  readonly chunks: readonly Chunk[]
  readonly reason: string
  readonly position?: SourcePosition
}

export type PlannedTable = {
  readonly request: TableLoadRequest
  readonly source: SourceTable
  readonly columns: readonly ColumnPlan[]
  readonly method: ReadMethod
  readonly steps: readonly [PlannedStep, ...PlannedStep[]]
  readonly increment?: Increment
  /** Names of the columns that rows are replaced by; empty when none are replaced. */
  readonly mergeKey: readonly string[]
  readonly estimatedRows: number
  readonly first: TargetPlan
}

/** A target together with the token of the commit that will write it. */
export type TargetPlan = { readonly target: LoadTarget; readonly token: string }

/** Decides what a load of one table reads and writes. Makes nothing visible. */
export async function planTable(
  request: TableLoadRequest,
  snapshot: SourceSnapshot,
  connection: SourceConnection,
  components: LoadComponents,
): Promise<PlannedTable> {
  const source = selectColumns(request)
  const columns = planColumns(source, request.policies)
  const existing = await findTargetTable(request, components.catalog)
  const key = mergeableKey(source, columns)
  return onSnapshot(connection, snapshot.id, async () => {
    const increment = await planCursor({ ...request, source }, key, existing, snapshot, connection)
    const mergeKey = increment?.rule === 'merge' && !increment.isFirst ? key : []
    const { steps, method } = await planSteps(request, source, increment, connection)
    const estimatedRows = await estimateRows(
      connection,
      source,
      steps.flatMap(({ chunks }) => chunks),
    )
    const partial = { request, source, columns, method, steps, mergeKey, estimatedRows }
    const first = await planStepTarget(partial, steps[0], existing, components)
    assertMergeable(first.target, mergeKey)
    return { ...partial, first, ...(increment === undefined ? {} : { increment }) }
  })
}

function selectColumns({ source, columns: wanted }: TableLoadRequest): SourceTable {
  if (wanted === undefined) return source
  const missing = wanted.find((name) => !source.columns.some((column) => column.name === name))
  if (missing !== undefined) {
    throw new FloeError('invalid-input', `${source.schema}.${source.name} has no column ${missing}`, {
      hint: `choose among ${source.columns.map(({ name }) => name).join(', ')}`,
    })
  }
  return { ...source, columns: source.columns.filter(({ name }) => wanted.includes(name)) }
}

/** The primary key, when all of it is loaded and can be compared: spec "Identifier Field IDs". */
function mergeableKey({ primaryKey }: SourceTable, columns: readonly ColumnPlan[]): readonly string[] {
  const uncomparable = new Set(['float', 'double', 'list', 'struct', 'map'])
  const plans = primaryKey.map((name) => columns.find((plan) => plan.name === name))
  return plans.every((plan) => plan?.required === true && !uncomparable.has(plan.type.kind)) ? primaryKey : []
}

async function planCursor(
  { cursor, mode, identifier, source, workers, where }: TableLoadRequest,
  key: readonly string[],
  existing: LoadedTable | undefined,
  snapshot: SourceSnapshot,
  connection: SourceConnection,
): Promise<Increment | undefined> {
  if (cursor === undefined) {
    if (mode !== 'incremental') return undefined
    throw new FloeError('invalid-input', 'an incremental load needs a cursor', {
      hint: 'give --cursor a column that grows with time, or xmin',
    })
  }
  if (mode === 'append') {
    throw new FloeError('invalid-input', '--mode append adds every row, whatever the cursor', {
      hint: 'use --mode incremental to add what is new',
    })
  }
  const name = tableName(identifier)
  const goesOn = mode === 'incremental' && existing !== undefined
  const earlier = goesOn ? currentPosition(name, existing.metadata) : undefined
  const request = { cursor, source, key, workers, earlier, ...(where === undefined ? {} : { where }) }
  const increment = await planIncrement(request, snapshot, connection)
  if (increment.steps.length === 1 || mode === 'incremental') return increment
  throw new FloeError('invalid-input', `--commit-every is for --mode incremental, not for ${mode}`, {
    hint: `${mode} makes everything visible in one commit`,
  })
}

async function planSteps(
  { workers, method: wanted, where }: TableLoadRequest,
  source: SourceTable,
  increment: Increment | undefined,
  connection: SourceConnection,
): Promise<Pick<PlannedTable, 'steps' | 'method'>> {
  const options = { workers, ...(wanted === undefined ? {} : { method: wanted }) }
  const everything = { select: where === undefined ? {} : { filterOf: () => where } }
  const [first = everything, ...others] = increment?.steps ?? []
  const plan = async (step: {
    select: object
    position?: SourcePosition
  }): Promise<PlannedStep & { method: ReadMethod }> => {
    const { chunks, reason, method } = await planChunks(connection, source, { ...options, ...step.select })
    return { chunks, reason, method, ...(step.position === undefined ? {} : { position: step.position }) }
  }
  const planned = await plan(first)
  const steps: [PlannedStep, ...PlannedStep[]] = [planned]
  for (const step of others) steps.push(await plan(step))
  return { steps, method: planned.method }
}

/** The target of one step: on the table as the step before has left it. */
export async function planStepTarget(
  { request, source, columns, mergeKey }: Pick<PlannedTable, 'request' | 'source' | 'columns' | 'mergeKey'>,
  { position }: PlannedStep,
  existing: LoadedTable | undefined,
  components: LoadComponents,
): Promise<TargetPlan> {
  const token = components.uuid()
  const own = position === undefined ? {} : positionProperties(position, token)
  const properties = { ...request.properties, ...own }
  const target = await planTarget(
    { ...request, source, columns, properties, needsGlobalDeletes: mergeKey.length > 0 },
    existing,
    components,
  )
  return { target, token }
}

function assertMergeable({ metadata }: LoadTarget, mergeKey: readonly string[]): void {
  if (mergeKey.length === 0 || metadata.formatVersion > 1) return
  throw new FloeError('unsupported', 'a table of format version 1 holds no deletes', {
    hint: 'upgrade it to format version 2, or load with --no-merge',
  })
}

/** The reader labels what it decodes with the ids of the fields that the files will hold. */
export function withFieldIds(columns: readonly ColumnPlan[], { fields }: Schema): readonly ColumnPlan[] {
  return columns.map((plan, index) => {
    const field = fields[index]
    if (field === undefined)
      throw new FloeError('internal', `column ${plan.name} has no field in the file schema`)
    return { ...plan, fieldId: field.id, type: field.type }
  })
}

export function describePlan(plan: PlannedTable): TablePlan {
  const { request, source, method, steps, increment, estimatedRows, first } = plan
  const { identifier, mode } = request
  const { target } = first
  const chunks = steps.reduce((sum, step) => sum + step.chunks.length, 0)
  return {
    status: 'planned',
    table: tableName(identifier),
    source: sourceName(source),
    mode,
    method,
    methodReason: steps[0].reason,
    chunks,
    commits: steps.length,
    sourceBytes: source.sizeBytes,
    estimatedRows,
    estimatedSeconds: estimateSeconds(plan, chunks),
    columns: target.schema.fields.map(({ name, type, required }) => ({
      name,
      type: typeToString(type),
      required,
    })),
    partitionedBy: target.spec.fields
      .map(({ name, transform }) => `${name}: ${transformToString(transform)}`)
      .join(', '),
    schemaChanges: target.changes,
    ...(increment === undefined ? {} : { increment: describeIncrement(request, increment) }),
  }
}

/** By the bytes of the heap; of an index, by the share of the rows that its ranges hold. */
function estimateSeconds({ request, source, steps, estimatedRows }: PlannedTable, chunks: number): number {
  const isRanges = steps.some((step) =>
    step.chunks.some(({ kind, filter }) => kind === 'whole' && filter !== undefined),
  )
  const share = isRanges && source.estimatedRows > 0 ? Math.min(1, estimatedRows / source.estimatedRows) : 1
  const workers = Math.min(request.workers, Math.max(1, chunks))
  return (source.sizeBytes * share) / (estimatedHeapBytesPerSecond * workers)
}

export function describeIncrement(
  { cursor }: TableLoadRequest,
  { rule, isFirst }: Increment,
): IncrementReport {
  return { cursor: cursor?.column ?? '', rule, isFirst }
}

export function sourceName({ schema, name }: SourceTable): string {
  return `${schema}.${name}`
}
