import { conjuncts, isPrimitive } from '@floe/iceberg'
import type {
  Expression,
  LiteralOperator,
  NestedField,
  PrimitiveType,
  PrimitiveValue,
  Reference,
} from '@floe/iceberg'

import { literalOf } from './filter-literal.ts'
import { isNode, nodes, text, texts, treeNodes } from './sql-tree.ts'
import type { TreeNode } from './sql-tree.ts'

const always: Expression = { kind: 'true' }

/** Finds the field that a column of a filter means; `undefined` for anything but a placeholder's column. */
export type FieldFinder = (names: readonly string[]) => NestedField | undefined

/**
 * What a condition that DuckDB printed says of a table's columns, widened where the two languages differ: every row
 * that the condition keeps, the expression keeps. An unknown conjunct counts as true, an unknown disjunct makes the
 * whole disjunction true.
 */
export function filterExpression(node: TreeNode, find: FieldFinder): Expression {
  switch (text(node['type'])) {
    case 'CONJUNCTION_AND':
      return nodes(node['children']).reduce<Expression>(
        (left, child) => and(left, filterExpression(child, find)),
        always,
      )
    case 'CONJUNCTION_OR':
      return nodes(node['children'])
        .map((child) => filterExpression(child, find))
        .reduce(or)
    case 'COLUMN_REF':
      return booleanColumn(node, find, true)
    case 'OPERATOR_NOT':
      return booleanColumn(nodes(node['children'])[0], find, false)
    case 'OPERATOR_IS_NULL':
      return nullTest(node, find, 'is-null')
    case 'OPERATOR_IS_NOT_NULL':
      return nullTest(node, find, 'not-null')
    case 'COMPARE_IN':
      return membership(node, find)
    case 'COMPARE_BETWEEN':
      return between(node, find)
    case 'FUNCTION':
      return prefixTest(node, find)
    default:
      return comparison(node, find)
  }
}

export function and(left: Expression, right: Expression): Expression {
  if (left.kind === 'true' || right.kind === 'false') return right
  if (right.kind === 'true' || left.kind === 'false') return left
  return { kind: 'and', left, right }
}

export function or(left: Expression, right: Expression): Expression {
  if (left.kind === 'false' || right.kind === 'true') return right
  if (right.kind === 'false' || left.kind === 'true') return left
  return { kind: 'or', left, right }
}

/** Operators under which Iceberg and SQL keep the same rows: Iceberg's negations keep nulls, which SQL's drop. */
const exactOperators: ReadonlySet<string> = new Set([
  'eq',
  'lt',
  'lt-eq',
  'gt',
  'gt-eq',
  'in',
  'is-null',
  'not-null',
  'starts-with',
])

/** Whether `filterExpression` keeps no row that the condition drops. Floating columns count as widened, for NaN and -0. */
export function isExactFilter(node: TreeNode, find: FieldFinder): boolean {
  const type = text(node['type'])
  if (type === 'CONJUNCTION_AND' || type === 'CONJUNCTION_OR')
    return nodes(node['children']).every((child) => isExactFilter(child, find))
  for (const inner of treeNodes(node)) {
    const kind = columnOf(inner, find)?.type.kind
    if (kind === 'float' || kind === 'double') return false
  }
  return conjuncts(filterExpression(node, find)).every(
    (part) => 'operator' in part && exactOperators.has(part.operator),
  )
}

type Column = { readonly reference: Reference; readonly type: PrimitiveType; readonly nested: boolean }

function columnOf(node: TreeNode | undefined, find: FieldFinder): Column | undefined {
  if (node?.['type'] !== 'COLUMN_REF') return undefined
  const names = texts(node['column_names'])
  const field = find(names)
  if (field === undefined || !isPrimitive(field.type)) return undefined
  return { reference: { kind: 'id', fieldId: field.id }, type: field.type, nested: names.length > 1 }
}

function booleanColumn(node: TreeNode | undefined, find: FieldFinder, value: boolean): Expression {
  const column = columnOf(node, find)
  if (column?.type.kind !== 'boolean') return always
  return { kind: 'literal', operator: 'eq', reference: column.reference, value }
}

function nullTest(node: TreeNode, find: FieldFinder, operator: 'is-null' | 'not-null'): Expression {
  const column = columnOf(nodes(node['children'])[0], find)
  // A struct that is null counts in no null count of its children, so null tests stop at the top level.
  return column === undefined || column.nested
    ? always
    : { kind: 'unary', operator, reference: column.reference }
}

const operators: Readonly<Record<string, LiteralOperator>> = {
  COMPARE_EQUAL: 'eq',
  COMPARE_NOT_DISTINCT_FROM: 'eq',
  COMPARE_NOTEQUAL: 'not-eq',
  COMPARE_LESSTHAN: 'lt',
  COMPARE_LESSTHANOREQUALTO: 'lt-eq',
  COMPARE_GREATERTHAN: 'gt',
  COMPARE_GREATERTHANOREQUALTO: 'gt-eq',
}

function comparison(node: TreeNode, find: FieldFinder): Expression {
  const operator = operators[text(node['type'])]
  const right = isNode(node['right']) ? node['right'] : undefined
  const column = columnOf(isNode(node['left']) ? node['left'] : undefined, find)
  if (operator === undefined || right === undefined || column === undefined) return always
  return compare(column, operator, literalOf(right, column.type))
}

function compare(
  { reference, type }: Column,
  operator: LiteralOperator,
  value: PrimitiveValue | undefined,
): Expression {
  if (value === undefined) return always
  const literal: Expression = { kind: 'literal', operator, reference, value }
  if (type.kind !== 'float' && type.kind !== 'double') return literal
  return floatingComparison(reference, operator, value as number)
}

/**
 * DuckDB orders NaN above every number and equal to itself, and takes -0 and 0 as equal. Iceberg's bounds leave NaN
 * out and order -0 below 0.
 */
function floatingComparison(reference: Reference, operator: LiteralOperator, value: number): Expression {
  const nan: Expression = { kind: 'unary', operator: 'is-nan', reference }
  if (Number.isNaN(value)) return operator === 'eq' || operator === 'gt-eq' ? nan : always
  const test = (name: LiteralOperator, bound: number): Expression => ({
    kind: 'literal',
    operator: name,
    reference,
    value: bound,
  })
  switch (operator) {
    case 'eq':
      return value === 0 ? and(test('gt-eq', -0), test('lt-eq', 0)) : test('eq', value)
    case 'gt':
      return or(test('gt', value === 0 ? -0 : value), nan)
    case 'gt-eq':
      return or(test('gt-eq', value === 0 ? -0 : value), nan)
    case 'lt':
    case 'lt-eq':
      return test(operator, value === 0 ? 0 : value)
    default:
      return always
  }
}

function membership(node: TreeNode, find: FieldFinder): Expression {
  const [first, ...rest] = nodes(node['children'])
  const column = columnOf(first, find)
  if (column === undefined) return always
  const values = rest.map((item) => literalOf(item, column.type))
  const known = values.filter((value) => value !== undefined)
  if (known.length !== values.length || known.length === 0) return always
  if (column.type.kind === 'float' || column.type.kind === 'double') {
    return known.map((value) => compare(column, 'eq', value)).reduce(or)
  }
  return { kind: 'set', operator: 'in', reference: column.reference, values: known }
}

function between(node: TreeNode, find: FieldFinder): Expression {
  const { input, lower, upper } = node
  const column = columnOf(isNode(input) ? input : undefined, find)
  if (column === undefined || !isNode(lower) || !isNode(upper)) return always
  return and(
    compare(column, 'gt-eq', literalOf(lower, column.type)),
    compare(column, 'lt-eq', literalOf(upper, column.type)),
  )
}

function prefixTest(node: TreeNode, find: FieldFinder): Expression {
  const name = text(node['function_name'])
  const [subject, prefix] = nodes(node['children'])
  const column = columnOf(subject, find)
  if ((name !== 'starts_with' && name !== 'prefix') || column?.type.kind !== 'string' || prefix === undefined)
    return always
  const value = literalOf(prefix, column.type)
  return value === undefined
    ? always
    : { kind: 'literal', operator: 'starts-with', reference: column.reference, value }
}
