import { FloeError } from '@floe/iceberg'
import type { NestedField, Schema, Expression } from '@floe/iceberg'
import type { DuckDBConnection } from '@duckdb/node-api'

import { toEngineError } from './duckdb-error.ts'
import { readRows, runAll } from './duckdb-session.ts'
import { and, filterExpression, isExactFilter, or } from './filter-expression.ts'
import type { FieldFinder } from './filter-expression.ts'
import { isReserved } from './row-lineage.ts'
import { scanName } from './select-gate.ts'
import { parseConditions, parseTree, isNode, nodes, text, texts } from './sql-tree.ts'
import type { TreeNode, TreeValue } from './sql-tree.ts'
import { duckdbType, quoteIdentifier } from './sql-text.ts'

/** Optimizers that would hide an empty table's filters from EXPLAIN, or print them in forms of their own. */
const disabledOptimizers: string = [
  'statistics_propagation',
  'in_clause',
  'late_materialization',
  'compressed_materialization',
  'top_n_window_elimination',
].join(',')

/** Settings of the session whose plans are read. Nothing else may be disabled: other rules depend on the rest. */
export async function prepareForExplain(connection: DuckDBConnection): Promise<void> {
  await readRows(connection, `SET GLOBAL disabled_optimizers = '${disabledOptimizers}'`)
}

/** What a plan tells of one scan. */
export type ScanNeed = {
  readonly filter: Expression
  /** True when the filter keeps no row that the SELECT drops. */
  readonly isExact: boolean
  /** True when the scan's rows end in counts, minima and maxima over all of them, and nowhere else. */
  readonly onlyMetadataAggregates: boolean
  /** Fields of the schema that anything in the SELECT looks at; `undefined` when the plan does not tell. */
  readonly fieldIds: ReadonlySet<number> | undefined
  /** True when the only thing above the scan is a LIMIT: any rows will do. */
  readonly onlyLimited: boolean
}

/** A SELECT over scans, and over views that stand on scans and on earlier views. */
export type BindableSelect = {
  readonly sql: string
  readonly scans: readonly {
    readonly index: number
    readonly schema: Schema
    /** Columns whose values the query sees masked: what it asks of them prunes nothing. */
    readonly masked: ReadonlySet<number>
  }[]
  readonly views: readonly ViewDefinition[]
}

export type ViewDefinition = {
  /** What the catalog calls it. */
  readonly view: string
  /** Statement that makes it. */
  readonly sql: string
}

/** Prefix of a placeholder's columns: no name of the query or of a schema may look like one, since plans print names bare. */
function columnPrefix({ sql, scans, views }: BindableSelect): string {
  const columns = scans.flatMap(({ schema }) => schema.fields.map(({ name }) => name))
  const names = [sql, ...views.map((view) => view.sql), ...columns]
  let prefix = 'f'
  while (names.some((name) => name.toLowerCase().includes(prefix))) prefix += '_'
  return prefix
}

/**
 * Binds a gated SELECT to empty tables of the right types, and reads from the optimized plan what each scan must
 * return. A scan's columns are named by field id, and its view gives them their names.
 * @throws FloeError invalid-input when the SELECT does not bind
 */
export async function explainScans(
  connection: DuckDBConnection,
  select: BindableSelect,
): Promise<readonly ScanNeed[]> {
  const prefix = columnPrefix(select)
  await runAll(
    connection,
    select.scans.flatMap(({ index, schema }) => placeholderSql(index, schema, prefix)),
  )
  await createViews(connection, select.views)
  const [row] = await readRows(connection, `EXPLAIN (FORMAT json) ${select.sql}`)
  const plan = parseTree(`{"plan":${String(row?.[1] ?? '[]')}}`)['plan'] ?? []
  const scans = [...findScans(nodes(plan), [])]
  const conditions = [...new Set(scans.flatMap(conditionsOf))]
  const parsed = await parseConditions(connection, conditions)
  const trees: ConditionTrees = new Map(conditions.map((condition, at) => [condition, parsed[at]]))
  return select.scans.map(({ index, schema, masked }) =>
    scanNeed({ plan, scans, trees }, tableOf(index), { schema, prefix, masked }),
  )
}

/** Conditions of a plan as trees; `undefined` for what is no SQL. */
type ConditionTrees = ReadonlyMap<string, TreeNode | undefined>
type ReadPlan = {
  readonly plan: TreeValue
  readonly scans: readonly PlanScan[]
  readonly trees: ConditionTrees
}

/** @throws FloeError invalid-input that names the view which does not fit its tables */
export async function createViews(
  connection: DuckDBConnection,
  views: readonly ViewDefinition[],
): Promise<void> {
  for (const { view, sql } of views) {
    try {
      await readRows(connection, sql)
    } catch (error) {
      const { code, message, hint } = toEngineError(error)
      throw new FloeError(code, `the view ${view}: ${message}`, {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }
}

function tableOf(index: number): string {
  return `${scanName(index)}_rows`
}

function placeholderSql(index: number, { fields }: Schema, prefix: string): readonly string[] {
  const columns = fields.map(({ id, type }) => `${prefix}${id} ${duckdbType(type)}`).join(', ')
  const names = fields.map(({ id, name }) => `${prefix}${id} AS ${quoteIdentifier(name)}`).join(', ')
  return [
    `CREATE TEMP TABLE ${tableOf(index)} (${columns})`,
    `CREATE TEMP VIEW ${scanName(index)} AS SELECT ${names} FROM ${tableOf(index)}`,
  ]
}

type Placeholder = {
  readonly schema: Schema
  readonly prefix: string
  readonly masked: ReadonlySet<number>
}

function fieldFinder({ schema, prefix, masked }: Placeholder): FieldFinder {
  const measured = schema.fields.filter((field) => !isReserved(field) && !masked.has(field.id))
  const byColumn = new Map(measured.map((field) => [`${prefix}${field.id}`, field]))
  return ([column = '', ...path]) => {
    let field: NestedField | undefined = byColumn.get(column)
    for (const name of path)
      field = field?.type.kind === 'struct' ? childOf(field.type.fields, name) : undefined
    return field
  }
}

/** Plans print nested names bare, so a name with a dot beside another makes every name of its struct unsure. */
function childOf(fields: readonly NestedField[], name: string): NestedField | undefined {
  if (fields.some((field) => field.name.includes('.'))) return undefined
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase())
}

type PlanScan = { readonly scan: TreeNode; readonly above: readonly TreeNode[] }

function scanNeed({ plan, scans, trees }: ReadPlan, table: string, placeholder: Placeholder): ScanNeed {
  const own = scans.filter(({ scan }) => tableName(scan) === table)
  const [first] = own
  if (first === undefined) return hasEmptyResult(plan) ? nothingNeeded : everythingNeeded
  const find = fieldFinder(placeholder)
  const filters = own.map((scan) => filterOf(scan, trees, find))
  return {
    filter: filters.map(({ filter }) => filter).reduce(or),
    isExact: filters.every(({ isExact }) => isExact),
    onlyMetadataAggregates: own.length === 1 && endsInMetadataAggregates(first.above),
    fieldIds: new Set(own.flatMap(({ scan }) => [...fieldsOf(scan, placeholder)])),
    onlyLimited: scans.length === 1 && own.every(({ above }) => isOnlyLimited(above)),
  }
}

/** Every row, without any promise. */
export const everythingNeeded: ScanNeed = {
  filter: { kind: 'true' },
  isExact: false,
  onlyMetadataAggregates: false,
  fieldIds: undefined,
  onlyLimited: false,
}

export const nothingNeeded: ScanNeed = {
  ...everythingNeeded,
  filter: { kind: 'false' },
  fieldIds: new Set(),
}

function endsInMetadataAggregates(above: readonly TreeNode[]): boolean {
  const passing = new Set(['FILTER', 'PROJECTION'])
  const end = above.find((node) => !passing.has(text(node['name']).trim()))
  if (end === undefined || text(end['name']).trim() !== 'UNGROUPED_AGGREGATE') return false
  return infoOf(end, 'Aggregates')
    .split('\n')
    .every((aggregate) => /^(?:count_star\(\)|(?:count|min|max)\(#\d+\))$/.test(aggregate.trim()))
}

/** Fields that a scan returns or filters by. */
function fieldsOf(scan: TreeNode, { prefix }: Placeholder): readonly number[] {
  const shown = `${infoOf(scan, 'Projections')}\n${infoOf(scan, 'Filters')}`
  return [...shown.matchAll(new RegExp(`${prefix}(\\d+)`, 'g'))].map(([, id]) => Number(id))
}

function* findScans(plan: readonly TreeNode[], above: readonly TreeNode[]): Generator<PlanScan> {
  for (const node of plan) {
    if (text(node['name']).trim() === 'SEQ_SCAN') yield { scan: node, above }
    yield* findScans(nodes(node['children']), [node, ...above])
  }
}

function hasEmptyResult(plan: TreeValue): boolean {
  return nodes(plan).some(
    (node) => text(node['name']).trim() === 'EMPTY_RESULT' || hasEmptyResult(node['children'] ?? []),
  )
}

function tableName(scan: TreeNode): string {
  return (infoOf(scan, 'Table').split('.').at(-1) ?? '').replaceAll('"', '')
}

function isOnlyLimited(above: readonly TreeNode[]): boolean {
  const names = above.map((node) => text(node['name']).trim())
  const others = names.filter((name) => name !== 'PROJECTION')
  return others.length === 1 && (others[0] === 'LIMIT' || others[0] === 'STREAMING_LIMIT')
}

type ScanFilter = { readonly filter: Expression; readonly isExact: boolean }

/** What a plan shows as filters in a scan and right above it. */
function shownFilters({ scan, above }: PlanScan): readonly string[] {
  const shown = [infoOf(scan, 'Filters')]
  for (const node of above) {
    if (text(node['name']).trim() !== 'FILTER') break
    shown.push(infoOf(node, 'Expression'))
  }
  return shown
}

function conditionsOf(scan: PlanScan): readonly string[] {
  return shownFilters(scan).flatMap(splitConditions)
}

function filterOf(scan: PlanScan, parsed: ConditionTrees, find: FieldFinder): ScanFilter {
  const shown = shownFilters(scan)
  const trees = conditionsOf(scan).map((condition) => parsed.get(condition))
  const filter = trees
    .filter((tree) => tree !== undefined)
    .map((tree) => filterExpression(tree, find))
    .reduce(and, { kind: 'true' })
  const isMarked = shown.some((conditions) => withoutMarks(conditions) !== conditions)
  const isExact = !isMarked && trees.every((tree) => tree !== undefined && isExactFilter(tree, find))
  return { filter, isExact: isExact && !hasLaterFilter(scan.above) }
}

/** A condition above a projection, which is not among those that were read. */
function hasLaterFilter(above: readonly TreeNode[]): boolean {
  const names = above.map((node) => text(node['name']).trim())
  const end = names.indexOf('UNGROUPED_AGGREGATE')
  return names
    .slice(
      names.findIndex((name) => name !== 'FILTER'),
      end < 0 ? names.length : end,
    )
    .includes('FILTER')
}

/** EXPLAIN cuts texts at newlines, those inside of literals included. */
function infoOf(node: TreeNode, key: string): string {
  const info = isNode(node['extra_info']) ? node['extra_info'][key] : undefined
  return typeof info === 'string' ? info : texts(info).join('\n')
}

/** Conditions of one scan, which stand one per line. `optional:` ones hold too; dynamic ones say nothing yet. */
function splitConditions(shown: string): readonly string[] {
  return splitOutsideQuotes(shown)
    .map((line) => mapOutsideQuotes(line.trim(), withoutMarks))
    .filter((line) => line !== '')
}

function withoutMarks(sql: string): string {
  return sql.replaceAll('optional: ', '').replaceAll(/Dynamic Filter \([^()]*\)/g, 'true')
}

function mapOutsideQuotes(line: string, change: (sql: string) => string): string {
  const parts = line.split(/('(?:[^']|'')*')/)
  return parts.map((part, at) => (at % 2 === 0 ? change(part) : part)).join('')
}

function splitOutsideQuotes(shown: string): readonly string[] {
  const lines: string[] = []
  let quoted = false
  let start = 0
  for (let at = 0; at < shown.length; at++) {
    if (shown[at] === "'") quoted = !quoted
    if (shown[at] !== '\n' || quoted) continue
    lines.push(shown.slice(start, at))
    start = at + 1
  }
  return [...lines, shown.slice(start)]
}
