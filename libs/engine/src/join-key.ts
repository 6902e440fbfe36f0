import type { NestedField } from '@floe/iceberg'

import type { FoundScan } from './bind-mentions.ts'
import { scanName } from './select-gate.ts'
import { isNode, nodes, text, texts, treeNodes } from './sql-tree.ts'
import type { Statement, TreeNode } from './sql-tree.ts'

/** One side of an equality between two tables of a query. */
type KeySide = { readonly index: number; readonly field: NestedField }

/**
 * Rows of `pruned` reach the result only where `source` has their key: so what `keys` selects from `source` rules
 * files of `pruned` out.
 */
export type JoinKey = {
  readonly source: KeySide
  readonly pruned: KeySide
  /** Selects the keys of `source` that its own conditions leave, in a column `k`. Few keys ever become SQL. */
  readonly keys: Statement
  /** True when the query has conditions on `source` alone. */
  readonly isFiltered: boolean
}

/** Every equality of two tables, both ways, that a query demands of its result in FROM or WHERE. */
export function findJoinKeys(statement: Statement, scans: readonly FoundScan[]): readonly JoinKey[] {
  const keys: JoinKey[] = []
  for (const node of treeNodes(statement)) {
    if (node['type'] !== 'SELECT_NODE') continue
    const from = collectFrom(node, scans)
    if (from === undefined || from.tables.filter(({ isKept }) => isKept).length < 2) continue
    for (const equality of equalitiesOf(from)) {
      for (const [source, pruned] of [equality, [...equality].reverse() as [KeyColumn, KeyColumn]]) {
        const own = from.conditions.filter((condition) => isAbout(condition, source.table, from))
        keys.push({
          source: { index: source.table.scan.index, field: source.field },
          pruned: { index: pruned.table.scan.index, field: pruned.field },
          keys: keysOf(node, source, own),
          isFiltered: own.length > 0,
        })
      }
    }
  }
  return keys
}

type FromTable = {
  readonly scan: FoundScan
  readonly alias: string
  readonly node: TreeNode
  /** False on the side of an outer join that may be all nulls: its conditions say nothing of the result. */
  readonly isKept: boolean
}
type From = { readonly tables: FromTable[]; readonly conditions: TreeNode[]; readonly using: KeyColumn[][] }
type KeyColumn = { readonly table: FromTable; readonly field: NestedField; readonly reference: TreeNode }

/** The tables of a query; `undefined` when one of them is sampled, or joined by position or nearest match. */
function collectFrom(node: TreeNode, scans: readonly FoundScan[]): From | undefined {
  const from: From = { tables: [], conditions: [], using: [] }
  if (isNode(node['sample']) || !isNode(node['from_table'])) return undefined
  if (!collect(node['from_table'], true, from, scans)) return undefined
  addConditions(node['where_clause'], from)
  return from
}

function collect(node: TreeNode, isKept: boolean, from: From, scans: readonly FoundScan[]): boolean {
  if (isNode(node['sample'])) return false
  if (node['type'] === 'BASE_TABLE') {
    const name = text(node['table_name'])
    const scan = scans.find(({ index }) => scanName(index) === name)
    const isPlain = scan?.source.kind === 'table' && texts(node['column_name_alias']).length === 0
    if (isPlain) from.tables.push({ scan, alias: text(node['alias']) || name, node, isKept })
    return true
  }
  if (node['type'] !== 'JOIN') return true
  const { left, right } = node
  if (!isNode(left) || !isNode(right)) return false
  const kind = text(node['ref_type'])
  if (kind !== 'REGULAR' && kind !== 'CROSS') return false
  const type = text(node['join_type'])
  const isInner = type === 'INNER'
  const first = from.tables.length
  const collected =
    collect(left, isKept && (isInner || type === 'LEFT'), from, scans) &&
    collect(right, isKept && (isInner || type === 'RIGHT'), from, scans)
  if (isInner && isKept) {
    addConditions(node['condition'], from)
    addUsing(texts(node['using_columns']), from.tables.slice(first), from)
  }
  return collected
}

function addConditions(value: TreeNode[string] | undefined, { conditions }: From): void {
  if (!isNode(value)) return
  if (value['type'] === 'CONJUNCTION_AND')
    for (const child of nodes(value['children'])) addConditions(child, { tables: [], conditions, using: [] })
  else conditions.push(value)
}

/** `USING (a)` where exactly two of the joined tables have `a`. */
function addUsing(columns: readonly string[], tables: readonly FromTable[], { using }: From): void {
  for (const column of columns) {
    const sides = tables.flatMap((table): readonly KeyColumn[] => {
      const field = fieldOf(table, column)
      const names = [table.alias, column]
      const reference = { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', column_names: names }
      return field === undefined ? [] : [{ table, field, reference }]
    })
    if (sides.length === 2) using.push(sides)
  }
}

function equalitiesOf(from: From): readonly (readonly [KeyColumn, KeyColumn])[] {
  const written = from.conditions.map((condition) =>
    condition['type'] === 'COMPARE_EQUAL'
      ? [columnOf(condition['left'], from), columnOf(condition['right'], from)]
      : [],
  )
  return [...written, ...from.using].flatMap(([left, right]) => {
    if (left === undefined || right === undefined || left.table === right.table) return []
    return left.table.isKept && right.table.isKept ? [[left, right] as const] : []
  })
}

function fieldOf({ scan }: FromTable, column: string | undefined): NestedField | undefined {
  return scan.schema.fields.find(({ name }) => name.toLowerCase() === column?.toLowerCase())
}

/** The column that a reference means, if it is sure: `t.a`, or `a` when one table has it. */
function columnOf(value: TreeNode[string] | undefined, { tables }: From): KeyColumn | undefined {
  if (!isNode(value) || value['class'] !== 'COLUMN_REF') return undefined
  const names = texts(value['column_names'])
  const [first, second] = names
  if (names.length > 2) return undefined
  const isColumn = tables.filter((table) => fieldOf(table, first) !== undefined)
  const isTable = tables.filter(({ alias }) => alias.toLowerCase() === first?.toLowerCase())
  const [table, other] = second === undefined ? isColumn : isTable
  // A struct may be called like a table.
  if (table === undefined || other !== undefined || (second !== undefined && isColumn.length > 0))
    return undefined
  const field = fieldOf(table, second ?? first)
  return field === undefined ? undefined : { table, field, reference: value }
}

/** Expressions that are no plain function of the row. */
const otherClasses: ReadonlySet<string> = new Set([
  'SUBQUERY',
  'WINDOW',
  'LAMBDA',
  'STAR',
  'POSITIONAL_REFERENCE',
])
const volatileFunctions: ReadonlySet<string> = new Set([
  'random',
  'uuid',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'setseed',
])

function isAbout(condition: TreeNode, table: FromTable, from: From): boolean {
  let mentions = 0
  for (const node of treeNodes(condition)) {
    if (otherClasses.has(text(node['class']))) return false
    if (node['class'] === 'FUNCTION' && volatileFunctions.has(text(node['function_name']).toLowerCase()))
      return false
    if (node['class'] !== 'COLUMN_REF') continue
    if (columnOf(node, from)?.table !== table) return false
    mentions += 1
  }
  return mentions > 0
}

function keysOf(node: TreeNode, { table, reference }: KeyColumn, conditions: readonly TreeNode[]): Statement {
  const [first, second] = conditions
  const where =
    first === undefined || second === undefined
      ? (first ?? null)
      : { class: 'CONJUNCTION', type: 'CONJUNCTION_AND', alias: '', children: conditions }
  const query = {
    ...node,
    modifiers: [],
    cte_map: { map: [] },
    select_list: [{ ...reference, alias: 'k' }],
    from_table: table.node,
    where_clause: where,
    group_expressions: [],
    group_sets: [],
    having: null,
    qualify: null,
  }
  return { node: query, named_param_map: [] }
}
