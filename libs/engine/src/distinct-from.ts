import { isList, isNode, mapMembers, nodes } from './sql-tree.ts'
import type { Statement, TreeNode, TreeValue } from './sql-tree.ts'

/**
 * Spells `a IS DISTINCT FROM b` out wherever it stands below an OR. DuckDB 1.5.5 takes it for `<>` there when it asks
 * statistics: of a column that holds nulls alone, in its own tables as in Parquet, it drops every row.
 */
export function spellOutDistinctFrom(statement: Statement): Statement {
  return spell(statement, false) as Statement
}

function spell(value: TreeValue, isBelowOr: boolean): TreeValue {
  if (isList(value)) return value.map((item) => spell(item, isBelowOr))
  if (!isNode(value)) return value
  const isBelow = isBelowOr || value['type'] === 'CONJUNCTION_OR'
  const spelled = mapMembers(value, (member) => spell(member, isBelow))
  const comparison = isBelowOr ? distinctFrom(spelled) : undefined
  return comparison === undefined ? spelled : isDistinct(comparison, spelled['alias'] ?? '')
}

/** The comparison that says it, also as NOT (a IS NOT DISTINCT FROM b). */
function distinctFrom(node: TreeNode): TreeNode | undefined {
  if (node['type'] === 'COMPARE_DISTINCT_FROM') return node
  if (node['type'] !== 'OPERATOR_NOT') return undefined
  const [child] = nodes(node['children'])
  return child?.['type'] === 'COMPARE_NOT_DISTINCT_FROM' ? child : undefined
}

/** `coalesce(a <> b, (a IS NULL) <> (b IS NULL))` */
function isDistinct({ left = null, right = null }: TreeNode, alias: TreeValue): TreeNode {
  const nullTests = notEqual(operator('OPERATOR_IS_NULL', [left]), operator('OPERATOR_IS_NULL', [right]))
  return { ...operator('OPERATOR_COALESCE', [notEqual(left, right), nullTests]), alias }
}

function notEqual(left: TreeValue, right: TreeValue): TreeNode {
  return { class: 'COMPARISON', type: 'COMPARE_NOTEQUAL', alias: '', left, right }
}

function operator(type: string, children: readonly TreeValue[]): TreeNode {
  return { class: 'OPERATOR', type, alias: '', children }
}
