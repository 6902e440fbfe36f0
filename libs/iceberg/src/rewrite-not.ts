import {
  alwaysFalse,
  alwaysTrue,
  and,
  isNan,
  isNull,
  or,
  type Expression,
  type LiteralOperator,
  type Predicate,
  type Reference,
  type SetOperator,
  type UnaryOperator,
} from './expression.ts'
import { mayBeNull } from './required-field.ts'
import { findFieldById, type Schema } from './schema.ts'

/**
 * The same expression without `not`. Because a comparison is false for null and NaN, its negation is true for them:
 * `not(x < 5)` becomes `x >= 5 or x is null or x is NaN`.
 * @param schema  of a bound expression: leaves out tests for null and NaN that its columns cannot meet
 */
export function rewriteNot(expression: Expression, schema?: Schema): Expression {
  switch (expression.kind) {
    case 'and':
      return and(rewriteNot(expression.left, schema), rewriteNot(expression.right, schema))
    case 'or':
      return or(rewriteNot(expression.left, schema), rewriteNot(expression.right, schema))
    case 'not':
      return negate(expression.child, schema)
    default:
      return expression
  }
}

function negate(expression: Expression, schema: Schema | undefined): Expression {
  switch (expression.kind) {
    case 'true':
      return alwaysFalse
    case 'false':
      return alwaysTrue
    case 'and':
      return or(negate(expression.left, schema), negate(expression.right, schema))
    case 'or':
      return and(negate(expression.left, schema), negate(expression.right, schema))
    case 'not':
      return rewriteNot(expression.child, schema)
    case 'unary':
      return { ...expression, operator: negatedUnary[expression.operator] }
    case 'set':
      return { ...expression, operator: negatedSet[expression.operator] }
    case 'literal':
      return negateComparison(expression, schema)
  }
}

const negatedUnary: Readonly<Record<UnaryOperator, UnaryOperator>> = {
  'is-null': 'not-null',
  'not-null': 'is-null',
  'is-nan': 'not-nan',
  'not-nan': 'is-nan',
}
const negatedSet: Readonly<Record<SetOperator, SetOperator>> = { in: 'not-in', 'not-in': 'in' }
const negatedLiteral: Readonly<Record<LiteralOperator, LiteralOperator>> = {
  lt: 'gt-eq',
  'lt-eq': 'gt',
  gt: 'lt-eq',
  'gt-eq': 'lt',
  eq: 'not-eq',
  'not-eq': 'eq',
  'starts-with': 'not-starts-with',
  'not-starts-with': 'starts-with',
}
const orderOperators: ReadonlySet<LiteralOperator> = new Set(['lt', 'lt-eq', 'gt', 'gt-eq'])

function negateComparison(
  predicate: Extract<Predicate, { kind: 'literal' }>,
  schema: Schema | undefined,
): Expression {
  const negated: Predicate = { ...predicate, operator: negatedLiteral[predicate.operator] }
  if (!orderOperators.has(predicate.operator)) return negated
  return or(negated, ...incomparable(predicate.reference, schema))
}

/** Tests for the values of a column that no order holds for. */
function incomparable(reference: Reference, schema: Schema | undefined): readonly Expression[] {
  const field =
    schema !== undefined && reference.kind === 'id' ? findFieldById(schema, reference.fieldId) : undefined
  if (schema === undefined || field === undefined) return [isNull(reference), isNan(reference)]
  const floating = field.type.kind === 'float' || field.type.kind === 'double'
  return [
    ...(mayBeNull(schema, field.id) ? [isNull(reference)] : []),
    ...(floating ? [isNan(reference)] : []),
  ]
}
