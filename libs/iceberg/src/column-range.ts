import { comparePredicateValues } from './evaluate-expression.ts'
import type { LiteralOperator, Predicate } from './expression.ts'
import { decodeSingleValue } from './single-value.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

/** What may be among the values of one column in some set of rows. Bounds hold for values that are not null, not NaN. */
export type ColumnRange = {
  readonly mayHaveNull: boolean
  readonly mayHaveNan: boolean
  /** False when every value is known to be null or NaN. */
  readonly mayHaveValue: boolean
  readonly lower?: PrimitiveValue
  readonly upper?: PrimitiveValue
}

export const unknownRange: ColumnRange = { mayHaveNull: true, mayHaveNan: true, mayHaveValue: true }

/** Bounds as a range holds them; what cannot be decoded, is NaN, or is upside down counts as unknown. */
export function decodeBounds(
  type: PrimitiveType,
  lowerBytes: Uint8Array | undefined,
  upperBytes: Uint8Array | undefined,
): Pick<ColumnRange, 'lower' | 'upper'> {
  const lower = decodeBound(type, lowerBytes)
  const upper = decodeBound(type, upperBytes)
  // Java compared UUIDs signed for years, so the bounds of such files can stand in the wrong order.
  if (lower !== undefined && upper !== undefined && comparePredicateValues(lower, upper) > 0) return {}
  return { ...(lower === undefined ? {} : { lower }), ...(upper === undefined ? {} : { upper }) }
}

function decodeBound(type: PrimitiveType, bytes: Uint8Array | undefined): PrimitiveValue | undefined {
  if (bytes === undefined) return undefined
  try {
    const value = decodeSingleValue(type, bytes)
    return Number.isNaN(value) ? undefined : value
  } catch {
    // Some writers cut strings inside a character, or write widths of their own: such a bound says nothing.
    return undefined
  }
}

export function isFloating(type: PrimitiveType): boolean {
  return type.kind === 'float' || type.kind === 'double'
}

/** False only when no row of the range can match the predicate, by this logic or by SQL that sorts NaN last. */
export function mightMatchRange(predicate: Predicate, range: ColumnRange): boolean {
  switch (predicate.kind) {
    case 'unary':
      return mightMatchUnary(predicate.operator, range)
    case 'literal':
      return mightMatchLiteral(predicate.operator, predicate.value, range)
    case 'set': {
      const operator = predicate.operator === 'in' ? 'eq' : 'not-eq'
      const match = (value: PrimitiveValue): boolean => mightMatchLiteral(operator, value, range)
      return predicate.operator === 'in' ? predicate.values.some(match) : predicate.values.every(match)
    }
  }
}

function mightMatchUnary(
  operator: Extract<Predicate, { kind: 'unary' }>['operator'],
  range: ColumnRange,
): boolean {
  switch (operator) {
    case 'is-null':
      return range.mayHaveNull
    case 'not-null':
      return range.mayHaveNan || range.mayHaveValue
    case 'is-nan':
      return range.mayHaveNan
    case 'not-nan':
      return range.mayHaveNull || range.mayHaveValue
  }
}

function mightMatchLiteral(operator: LiteralOperator, literal: PrimitiveValue, range: ColumnRange): boolean {
  const { lower, upper, mayHaveValue } = range
  const fromLower = lower === undefined ? undefined : comparePredicateValues(literal, lower)
  const fromUpper = upper === undefined ? undefined : comparePredicateValues(literal, upper)
  switch (operator) {
    case 'lt':
      return mayHaveValue && !(fromLower !== undefined && fromLower <= 0)
    case 'lt-eq':
      return mayHaveValue && !(fromLower !== undefined && fromLower < 0)
    case 'gt':
      // DuckDB and PostgreSQL sort NaN above every number, so it can match there though it is outside the bounds.
      return range.mayHaveNan || (mayHaveValue && !(fromUpper !== undefined && fromUpper >= 0))
    case 'gt-eq':
      return range.mayHaveNan || (mayHaveValue && !(fromUpper !== undefined && fromUpper > 0))
    case 'eq':
      return (
        mayHaveValue &&
        !(fromLower !== undefined && fromLower < 0) &&
        !(fromUpper !== undefined && fromUpper > 0)
      )
    case 'not-eq':
      return range.mayHaveNull || range.mayHaveNan || !(fromLower === 0 && fromUpper === 0)
    case 'starts-with':
      return mayHaveValue && mayHavePrefix(literal as string, lower, upper)
    case 'not-starts-with':
      return range.mayHaveNull || !allHavePrefix(literal as string, lower, upper)
  }
}

type Bound = PrimitiveValue | undefined

function mayHavePrefix(prefix: string, lower: Bound, upper: Bound): boolean {
  if (lower !== undefined && comparePredicateValues(cut(lower, prefix), prefix) > 0) return false
  return upper === undefined || comparePredicateValues(cut(upper, prefix), prefix) >= 0
}

function cut(bound: PrimitiveValue, prefix: string): string {
  return (bound as string).slice(0, prefix.length)
}

/** Everything between two strings with a prefix has it too. */
function allHavePrefix(prefix: string, lower: Bound, upper: Bound): boolean {
  return (
    lower !== undefined &&
    upper !== undefined &&
    cut(lower, prefix) === prefix &&
    cut(upper, prefix) === prefix
  )
}

/** True only when every row of the range matches the predicate, by this logic and by SQL's. */
export function mustMatchRange(predicate: Predicate, range: ColumnRange): boolean {
  if (predicate.kind === 'unary') return mustMatchUnary(predicate.operator, range)
  if (range.mayHaveNull || range.mayHaveNan) return false
  if (predicate.kind === 'literal') return mustMatchLiteral(predicate.operator, predicate.value, range)
  if (predicate.operator === 'in')
    return predicate.values.some((value) => mustMatchLiteral('eq', value, range))
  return predicate.values.every((value) => mustMatchLiteral('not-eq', value, range))
}

function mustMatchUnary(
  operator: Extract<Predicate, { kind: 'unary' }>['operator'],
  range: ColumnRange,
): boolean {
  switch (operator) {
    case 'is-null':
      return !range.mayHaveNan && !range.mayHaveValue
    case 'not-null':
      return !range.mayHaveNull
    case 'is-nan':
      return !range.mayHaveNull && !range.mayHaveValue
    case 'not-nan':
      return !range.mayHaveNull && !range.mayHaveNan
  }
}

function mustMatchLiteral(operator: LiteralOperator, literal: PrimitiveValue, range: ColumnRange): boolean {
  const { lower, upper } = range
  if (lower === undefined || upper === undefined) return false
  const [fromLower, fromUpper] = [
    comparePredicateValues(literal, lower),
    comparePredicateValues(literal, upper),
  ]
  switch (operator) {
    case 'lt':
      return fromUpper > 0
    case 'lt-eq':
      return fromUpper >= 0
    case 'gt':
      return fromLower < 0
    case 'gt-eq':
      return fromLower <= 0
    case 'eq':
      return fromLower === 0 && fromUpper === 0
    case 'not-eq':
      return fromLower < 0 || fromUpper > 0
    case 'starts-with':
      return allHavePrefix(literal as string, lower, upper)
    case 'not-starts-with':
      return !mayHavePrefix(literal as string, lower, upper)
  }
}
