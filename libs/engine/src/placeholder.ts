import type { NestedField, Schema, Expression } from '@floe/iceberg'
import type { DuckDBConnection } from '@duckdb/node-api'

import { readRows } from './duckdb-session.ts'
import { and, filterExpression, or } from './filter-expression.ts'
import type { FieldFinder } from './filter-expression.ts'
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
  /** True when the only thing above the scan is a LIMIT: any rows will do. */
  readonly onlyLimited: boolean
}

/** Prefix of a placeholder's columns: no name of the query or of a schema may look like one, since plans print names bare. */
function columnPrefix(sql: string, schemas: readonly Schema[]): string {
  const names = [sql, ...schemas.flatMap(({ fields }) => fields.map(({ name }) => name))]
  let prefix = 'f'
  while (names.some((name) => name.toLowerCase().includes(prefix))) prefix += '_'
  return prefix
}

/**
 * Binds a gated SELECT to empty tables of the right types, and reads from the optimized plan what each scan must
 * return. A scan's columns are named by field id, and its view gives them their names.
 * @param masked  of each scan, the columns whose values the query sees masked: what it asks of them prunes nothing
 * @throws FloeError invalid-input when the SELECT does not bind
 */
export async function explainScans(
  connection: DuckDBConnection,
  sql: string,
  schemas: readonly Schema[],
  masked: readonly ReadonlySet<number>[],
): Promise<readonly ScanNeed[]> {
  const prefix = columnPrefix(sql, schemas)
  for (const [index, schema] of schemas.entries()) {
    for (const statement of placeholderSql(index, schema, prefix)) await readRows(connection, statement)
  }
  const [row] = await readRows(connection, `EXPLAIN (FORMAT json) ${sql}`)
  const plan = parseTree(`{"plan":${String(row?.[1] ?? '[]')}}`)['plan'] ?? []
  const needs: ScanNeed[] = []
  for (const [index, schema] of schemas.entries()) {
    needs.push(await scanNeed(connection, plan, tableOf(index), fieldFinder(schema, prefix, masked[index])))
  }
  return needs
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

function fieldFinder(
  { fields }: Schema,
  prefix: string,
  masked: ReadonlySet<number> = new Set(),
): FieldFinder {
  const open = fields.filter(({ id }) => !masked.has(id))
  const byColumn = new Map(open.map((field) => [`${prefix}${field.id}`, field]))
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

async function scanNeed(
  connection: DuckDBConnection,
  plan: TreeValue,
  table: string,
  find: FieldFinder,
): Promise<ScanNeed> {
  const scans = [...findScans(nodes(plan), [])]
  const own = scans.filter(({ scan }) => tableName(scan) === table)
  if (own.length === 0)
    return { filter: { kind: hasEmptyResult(plan) ? 'false' : 'true' }, onlyLimited: false }
  const filters: Expression[] = []
  for (const { scan, above } of own) filters.push(await filterOf(connection, scan, above, find))
  return {
    filter: filters.reduce(or),
    onlyLimited: scans.length === 1 && own.every(({ above }) => isOnlyLimited(above)),
  }
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

async function filterOf(
  connection: DuckDBConnection,
  scan: TreeNode,
  above: readonly TreeNode[],
  find: FieldFinder,
): Promise<Expression> {
  const shown = [infoOf(scan, 'Filters')]
  for (const node of above) {
    if (text(node['name']).trim() !== 'FILTER') break
    shown.push(infoOf(node, 'Expression'))
  }
  const trees = await parseConditions(connection, shown.flatMap(splitConditions))
  return trees
    .filter((tree) => tree !== undefined)
    .map((tree) => filterExpression(tree, find))
    .reduce(and, { kind: 'true' })
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
