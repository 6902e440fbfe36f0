import { decodeSingleValue, isPrimitive } from '@floe/iceberg'
import type { Expression, NestedField, PrimitiveValue, TableMetadata } from '@floe/iceberg'
import type { ScanPlan } from '@floe/planner'
import type { DuckDBConnection } from '@duckdb/node-api'

import { readRows } from './duckdb-session.ts'
import { treeToSql } from './sql-tree.ts'
import { valueOfText } from './filter-literal.ts'
import type { JoinKey } from './join-key.ts'

/** A side without conditions has every key, unless it is a short list. */
const unfilteredRowsMax = 1000
/**
 * Keys that are spread evenly rule files out only where they are fewer than the files, and conditions seldom leave less
 * than one row of a thousand: of a side with more rows than this for each file of the other, the keys are not read.
 * Without this bound TPC-H at scale 1 reads orders before every lineitem, for nothing: 1.3 times the CPU time in total.
 */
const filteredRowsPerFileMax = 1000
/** How many times more bytes the other side must have. */
const bytesRatioMin = 4
/** Above this many keys their least and greatest stand for them. */
const keysMax = 1000
/** Part of the range of all files that a file covers on average, above which bounds rule too few files out. */
const coveredPartMax = 0.5

/** Whether reading the keys of one side first may save more than it costs. */
export function paysOff(
  { isFiltered, pruned }: JoinKey,
  source: ScanPlan,
  other: ScanPlan,
  metadata: TableMetadata,
): boolean {
  const rows = source.tasks.reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0)
  const isFew = rows <= (isFiltered ? filteredRowsPerFileMax * other.tasks.length : unfilteredRowsMax)
  const isSmaller = source.report.bytesKept * bytesRatioMin <= other.report.bytesKept
  return isFew && isSmaller && other.tasks.length > 1 && mayRuleOut(pruned.field, other, metadata)
}

function mayRuleOut(field: NestedField, plan: ScanPlan, { partitionSpecs }: TableMetadata): boolean {
  const isPartitioned = partitionSpecs.some(({ fields }) =>
    fields.some(({ sourceIds, transform }) => sourceIds[0] === field.id && transform.kind !== 'void'),
  )
  if (isPartitioned) return true
  const ranges = plan.tasks.flatMap(({ dataFile }) => {
    const lower = boundOf(field, dataFile.lowerBounds)
    const upper = boundOf(field, dataFile.upperBounds)
    return lower === undefined || upper === undefined ? [] : [{ lower, upper }]
  })
  const lowers = ranges.map(({ lower }) => Number(lower))
  const uppers = ranges.map(({ upper }) => Number(upper))
  if (ranges.length * 2 < plan.tasks.length) return false
  // Texts: no distance is known between them.
  if (lowers.some(Number.isNaN)) return new Set(ranges.map(({ lower }) => lower)).size > 1
  const width =
    uppers.reduce((most, upper) => Math.max(most, upper)) -
    lowers.reduce((least, lower) => Math.min(least, lower))
  const covered = uppers.reduce((sum, upper, at) => sum + upper - (lowers[at] ?? 0), 0) / ranges.length
  return width > 0 && covered / width <= coveredPartMax
}

function boundOf(
  { id, type }: NestedField,
  bounds: ReadonlyMap<number, Uint8Array> | undefined,
): PrimitiveValue | undefined {
  const bytes = bounds?.get(id)
  if (bytes === undefined || !isPrimitive(type)) return undefined
  try {
    return decodeSingleValue(type, bytes)
  } catch {
    return undefined
  }
}

/** Whether keys of one column can be compared with another's as they are. */
export function areComparable({ source, pruned }: JoinKey): boolean {
  const [from, to] = [source.field.type, pruned.field.type]
  if (!isPrimitive(to) || !comparableKinds.has(to.kind)) return false
  return from.kind === to.kind || (integerKinds.has(from.kind) && integerKinds.has(to.kind))
}

const integerKinds: ReadonlySet<string> = new Set(['int', 'long'])
const comparableKinds: ReadonlySet<string> = new Set([
  ...integerKinds,
  'date',
  'string',
  'uuid',
  'timestamp',
  'timestamptz',
])

/** What the keys of one side say of the other: a list of values, or their range when they are many. */
export async function keyExpression(
  connection: DuckDBConnection,
  { keys, pruned }: JoinKey,
): Promise<Expression> {
  const { id, type } = pruned.field
  if (!isPrimitive(type)) return { kind: 'true' }
  const reference = { kind: 'id', fieldId: id } as const
  const sql = await treeToSql(connection, keys)
  const distinct = `SELECT DISTINCT k FROM (${sql}) AS keys WHERE k IS NOT NULL`
  await readRows(connection, `CREATE OR REPLACE TEMP TABLE __floe_keys AS ${distinct}`)
  const [counts] = await readRows(
    connection,
    'SELECT count(*), min(k)::VARCHAR, max(k)::VARCHAR FROM __floe_keys',
  )
  const [count, least, greatest] = counts ?? []
  const value = (text: unknown): PrimitiveValue | undefined =>
    typeof text === 'string' ? valueOfText(text, type) : undefined
  if (Number(count) === 0) return { kind: 'false' }
  if (Number(count) > keysMax) {
    const [lower, upper] = [value(least), value(greatest)]
    if (lower === undefined || upper === undefined) return { kind: 'true' }
    return {
      kind: 'and',
      left: { kind: 'literal', operator: 'gt-eq', reference, value: lower },
      right: { kind: 'literal', operator: 'lt-eq', reference, value: upper },
    }
  }
  const rows = await readRows(connection, 'SELECT k::VARCHAR FROM __floe_keys')
  // What the column cannot hold, such as a long in an int, equals none of its values.
  const values = rows.map(([text]) => value(text)).filter((each) => each !== undefined)
  return values.length === 0 ? { kind: 'false' } : { kind: 'set', operator: 'in', reference, values }
}
