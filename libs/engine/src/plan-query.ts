import { and } from '@floe/iceberg'
import type { Expression } from '@floe/iceberg'
import { planChanges, planScan } from '@floe/planner'
import type { RowChanges, ScanPlan } from '@floe/planner'

import { restrictionsOf } from './bind-mentions.ts'
import type { BoundScan, BoundSelect } from './bind-select.ts'
import type { JoinKey } from './join-key.ts'
import { areComparable, keyExpression, paysOff } from './join-pruning.ts'
import { answerFromMetadata } from './known-aggregates.ts'
import type { ScanPruning } from './query-result.ts'
import { pruningFilter } from './restricted-scan.ts'
import { createScanViews, openScanSession } from './scan-session.ts'
import type { PlannedScan, ScanSessionComponents } from './scan-session.ts'

export type QueryPlan = {
  /** What is left to be read. */
  readonly scans: readonly PlannedScan[]
  /** Statements that make the views of what metadata knows. */
  readonly knownSql: readonly string[]
  readonly pruning: readonly ScanPruning[]
}

/** The files of every scan of a query: pruned by its filters, by the keys of joined tables, and by what metadata answers. */
export async function planQuery(select: BoundSelect, components: ScanSessionComponents): Promise<QueryPlan> {
  const filters = select.scans.map(filterOf)
  const plan = (at: number): Promise<ScanPlan | undefined> =>
    planOf(select, at, filters[at] ?? { kind: 'true' }, components)
  const plans = await Promise.all(select.scans.map((_, at) => plan(at)))
  for (const key of select.joinKeys) {
    const [source, pruned] = [positionOf(select, key.source.index), positionOf(select, key.pruned.index)]
    const keys = await keysThatPay(key, { select, plans, source, pruned }, components)
    if (keys === undefined) continue
    filters[pruned] = and(filters[pruned] ?? { kind: 'true' }, keys)
    plans[pruned] = await plan(pruned)
  }
  const changes = await Promise.all(
    select.scans.map((scan, at) => changesOf(scan, filters[at] ?? { kind: 'true' }, components)),
  )
  return answered(select, plans, changes)
}

/** Changes of a mention such as `"orders$changes"`. */
async function changesOf(
  { source, snapshot, schema }: BoundScan,
  filter: Expression,
  { store, manifests, deadline }: ScanSessionComponents,
): Promise<readonly RowChanges[] | undefined> {
  if (source.kind !== 'changes') return undefined
  const { metadata } = source.loaded
  const components = { store, cache: manifests, signal: deadline.signal }
  return planChanges({ metadata, snapshot, schema, filter }, components)
}

function filterOf(scan: BoundScan): Expression {
  const restrictions = restrictionsOf(scan)
  const { need, schema } = scan
  return restrictions === undefined ? need.filter : and(need.filter, pruningFilter(restrictions, schema))
}

function positionOf({ scans }: BoundSelect, index: number): number {
  return scans.findIndex((scan) => scan.index === index)
}

async function planOf(
  { scans, rowsWanted, pushdowns, joinKeys }: BoundSelect,
  at: number,
  filter: Expression,
  { store, manifests, deadline, decodeElsewhere }: ScanSessionComponents,
): Promise<ScanPlan | undefined> {
  const scan = scans[at]
  if (scan?.source.kind !== 'table') return undefined
  const metricColumns = new Set([...columnsAnswered(scan, pushdowns), ...columnsJoined(scan, joinKeys)])
  const plan = await planScan(
    {
      metadata: scan.source.loaded.metadata,
      selector: scan.selector,
      filter,
      metricColumns,
      ...(rowsWanted === undefined ? {} : { rowsWanted }),
    },
    {
      store,
      cache: manifests,
      signal: deadline.signal,
      ...(decodeElsewhere === undefined ? {} : { decodeElsewhere }),
    },
  )
  // A query may look at columns that no schema lists.
  return { ...plan, schema: scan.schema }
}

/** Columns whose metrics answer aggregates. */
function columnsAnswered({ index }: BoundScan, pushdowns: BoundSelect['pushdowns']): readonly number[] {
  const own = pushdowns.filter((pushdown) => pushdown.index === index)
  const aggregates = own.flatMap((pushdown) => pushdown.aggregates)
  return aggregates.flatMap((each) => (each.kind === 'count-rows' ? [] : [each.fieldId]))
}

function columnsJoined({ index }: BoundScan, joinKeys: readonly JoinKey[]): readonly number[] {
  return joinKeys.filter(({ pruned }) => pruned.index === index).map(({ pruned }) => pruned.field.id)
}

type KeyRead = {
  readonly select: BoundSelect
  readonly plans: readonly (ScanPlan | undefined)[]
  readonly source: number
  readonly pruned: number
}

/** Reads the small side of a join for its keys, when that may leave files of the other side out. */
async function keysThatPay(
  key: JoinKey,
  { select, plans, source, pruned }: KeyRead,
  components: ScanSessionComponents,
): Promise<Expression | undefined> {
  const [scan, other] = [select.scans[source], select.scans[pruned]]
  const [plan, otherPlan] = [plans[source], plans[pruned]]
  if (scan === undefined || plan === undefined || otherPlan === undefined || other?.source.kind !== 'table')
    return undefined
  if (!areComparable(key) || !paysOff(key, plan, otherPlan, other.source.loaded.metadata)) return undefined
  const open = await openScanSession([{ scan, plan }], undefined, components)
  const { session, lease } = open
  try {
    await createScanViews(open)
    return await components.deadline.guard(keyExpression(session.connection, key))
  } finally {
    session.close()
    await lease.release()
  }
}

function answered(
  { scans, pushdowns }: BoundSelect,
  plans: readonly (ScanPlan | undefined)[],
  changes: readonly (readonly RowChanges[] | undefined)[],
): QueryPlan {
  const knownSql: string[] = []
  const pruning: ScanPruning[] = []
  const left = scans.map((scan, at): PlannedScan => {
    const plan = plans[at]
    if (plan === undefined) return { scan, plan, changes: changes[at] }
    const pushdown = pushdowns.find(({ index }) => index === scan.index)
    const answer = pushdown === undefined ? undefined : answerFromMetadata(plan, pushdown)
    const { filesAnswered = 0 } = answer ?? {}
    const shown = { table: scan.table, report: plan.report }
    // What was pruned tells of rows that are not shown.
    if (restrictionsOf(scan) === undefined)
      pruning.push(filesAnswered === 0 ? shown : { ...shown, filesAnswered })
    if (answer === undefined) return { scan, plan }
    knownSql.push(answer.knownSql)
    return { scan, plan: answer.plan }
  })
  return { scans: left, knownSql, pruning }
}
