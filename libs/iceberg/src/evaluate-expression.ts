import { compareBytes, compareStrings } from './compare-values.ts'
import { FloeError } from './error.ts'
import type { Expression, LiteralOperator, Predicate } from './expression.ts'
import type { PrimitiveValue } from './type.ts'

/** Value of a column by field id in one row, `null` when it has none. */
export type RowLookup = (fieldId: number) => PrimitiveValue | null

/** Whether a bound expression is true for one row, in the two-valued logic of the expressions spec. */
export function evaluateExpression(expression: Expression, lookup: RowLookup): boolean {
  switch (expression.kind) {
    case 'true':
      return true
    case 'false':
      return false
    case 'and':
      return evaluateExpression(expression.left, lookup) && evaluateExpression(expression.right, lookup)
    case 'or':
      return evaluateExpression(expression.left, lookup) || evaluateExpression(expression.right, lookup)
    case 'not':
      return !evaluateExpression(expression.child, lookup)
    case 'unary':
    case 'literal':
    case 'set':
      return evaluatePredicate(expression, lookup(boundFieldId(expression)))
  }
}

/** Field id of a bound predicate. Throws `internal` for an unbound one. */
export function boundFieldId(predicate: Predicate): number {
  const { reference } = predicate
  if (reference.kind === 'id') return reference.fieldId
  throw new FloeError('internal', `filter column "${reference.name}" is not bound`, {
    hint: 'bind the expression to a schema first',
  })
}

function evaluatePredicate(predicate: Predicate, value: PrimitiveValue | null): boolean {
  switch (predicate.kind) {
    case 'unary':
      return evaluateUnary(predicate.operator, value)
    case 'literal':
      return evaluateLiteral(predicate.operator, value, predicate.value)
    case 'set': {
      const found =
        value !== null && predicate.values.some((item) => comparePredicateValues(value, item) === 0)
      return found === (predicate.operator === 'in')
    }
  }
}

function evaluateUnary(
  operator: Extract<Predicate, { kind: 'unary' }>['operator'],
  value: PrimitiveValue | null,
): boolean {
  switch (operator) {
    case 'is-null':
      return value === null
    case 'not-null':
      return value !== null
    case 'is-nan':
      return Number.isNaN(value)
    case 'not-nan':
      return !Number.isNaN(value)
  }
}

function evaluateLiteral(
  operator: LiteralOperator,
  value: PrimitiveValue | null,
  literal: PrimitiveValue,
): boolean {
  if (value === null || Number.isNaN(value)) return operator === 'not-eq' || operator === 'not-starts-with'
  switch (operator) {
    case 'lt':
      return comparePredicateValues(value, literal) < 0
    case 'lt-eq':
      return comparePredicateValues(value, literal) <= 0
    case 'gt':
      return comparePredicateValues(value, literal) > 0
    case 'gt-eq':
      return comparePredicateValues(value, literal) >= 0
    case 'eq':
      return comparePredicateValues(value, literal) === 0
    case 'not-eq':
      return comparePredicateValues(value, literal) !== 0
    case 'starts-with':
      return hasPrefix(value, literal)
    case 'not-starts-with':
      return !hasPrefix(value, literal)
  }
}

function hasPrefix(value: PrimitiveValue, prefix: PrimitiveValue): boolean {
  return (value as string).startsWith(prefix as string)
}

/**
 * Order of two values as predicates see it: one zero, and a promoted number equals the narrower one it was.
 * NaN equals nothing, so callers leave it out.
 */
export function comparePredicateValues(a: PrimitiveValue, b: PrimitiveValue): number {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (a < b) return -1
  return a > b ? 1 : Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0
}
