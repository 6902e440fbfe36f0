import type { PrimitiveValue } from './type.ts'

/** A column by dotted name or by field id. */
export type Reference =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'id'; readonly fieldId: number }

export type UnaryOperator = 'is-null' | 'not-null' | 'is-nan' | 'not-nan'
export type LiteralOperator =
  | 'lt'
  | 'lt-eq'
  | 'gt'
  | 'gt-eq'
  | 'eq'
  | 'not-eq'
  | 'starts-with'
  | 'not-starts-with'
export type SetOperator = 'in' | 'not-in'

/**
 * Iceberg's filter expression, before or after binding. Unbound literals may be in any value form that converts to the
 * column's type; `bindExpression` returns the same shape with `id` references and literals converted to `PrimitiveValue`.
 * It is true or false for every row, never unknown: a null is not less than 5, and it is not equal to 5 (expressions spec).
 */
export type Expression =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly child: Expression }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly reference: Reference }
  | {
      readonly kind: 'literal'
      readonly operator: LiteralOperator
      readonly reference: Reference
      readonly value: PrimitiveValue
    }
  | {
      readonly kind: 'set'
      readonly operator: SetOperator
      readonly reference: Reference
      readonly values: readonly PrimitiveValue[]
    }

/** An expression about one column. */
export type Predicate = Extract<Expression, { readonly kind: 'unary' | 'literal' | 'set' }>

export const alwaysTrue: Expression = { kind: 'true' }
export const alwaysFalse: Expression = { kind: 'false' }

/** All of them; constants are folded. */
export function and(...expressions: readonly Expression[]): Expression {
  return expressions.reduce((left, right) => {
    if (left.kind === 'true' || right.kind === 'false') return right
    return right.kind === 'true' || left.kind === 'false' ? left : { kind: 'and', left, right }
  }, alwaysTrue)
}

/** Any of them; constants are folded. */
export function or(...expressions: readonly Expression[]): Expression {
  return expressions.reduce((left, right) => {
    if (left.kind === 'false' || right.kind === 'true') return right
    return right.kind === 'false' || left.kind === 'true' ? left : { kind: 'or', left, right }
  }, alwaysFalse)
}

export function not(child: Expression): Expression {
  if (child.kind === 'true') return alwaysFalse
  if (child.kind === 'false') return alwaysTrue
  return child.kind === 'not' ? child.child : { kind: 'not', child }
}

/** Dotted name, field id, or a reference itself. */
export type ColumnName = string | number | Reference

export function toReference(column: ColumnName): Reference {
  if (typeof column === 'string') return { kind: 'name', name: column }
  return typeof column === 'number' ? { kind: 'id', fieldId: column } : column
}

export function isNull(column: ColumnName): Predicate {
  return { kind: 'unary', operator: 'is-null', reference: toReference(column) }
}

export function notNull(column: ColumnName): Predicate {
  return { kind: 'unary', operator: 'not-null', reference: toReference(column) }
}

export function isNan(column: ColumnName): Predicate {
  return { kind: 'unary', operator: 'is-nan', reference: toReference(column) }
}

/** `compare('id', 'lt', 5)`. */
export function compare(column: ColumnName, operator: LiteralOperator, value: PrimitiveValue): Predicate {
  return { kind: 'literal', operator, reference: toReference(column), value }
}

export function equal(column: ColumnName, value: PrimitiveValue): Predicate {
  return compare(column, 'eq', value)
}

/** Membership in a set; none and one value become a constant and an equality. */
export function isIn(column: ColumnName, values: readonly PrimitiveValue[]): Expression {
  return setOf('in', toReference(column), values)
}

export function notIn(column: ColumnName, values: readonly PrimitiveValue[]): Expression {
  return setOf('not-in', toReference(column), values)
}

function setOf(operator: SetOperator, reference: Reference, values: readonly PrimitiveValue[]): Expression {
  const [first] = values
  if (first === undefined) return operator === 'in' ? alwaysFalse : alwaysTrue
  if (values.length === 1) return compare(reference, operator === 'in' ? 'eq' : 'not-eq', first)
  return { kind: 'set', operator, reference, values }
}
