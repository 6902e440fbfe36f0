import {
  alwaysFalse,
  alwaysTrue,
  and,
  compare,
  isIn,
  notIn,
  notNull,
  or,
  type Expression,
  type Predicate,
} from './expression.ts'
import type { ProjectionTarget } from './projection-target.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

/**
 * Projections through transforms that keep the order of numbers and instants: year, month, day, hour, and truncate of
 * integers and decimals. Each works on the partition of the literal, or of its neighbour for the open side.
 */

type Whole = number | bigint
type ValuePredicate = Exclude<Predicate, { kind: 'unary' }>

export function projectOrdered(target: ProjectionTarget, predicate: ValuePredicate): Expression {
  const { fieldId } = target
  const apply = target.apply as (value: PrimitiveValue) => Whole
  if (predicate.kind === 'set') {
    if (predicate.operator === 'not-in') return alwaysTrue
    return isIn(fieldId, withLegacy(target, predicate.values.map(apply)))
  }
  const literal = predicate.value as Whole
  switch (predicate.operator) {
    case 'lt': {
      const before = neighbour(target.type, literal, -1)
      return before === undefined ? alwaysFalse : atMost(target, before)
    }
    case 'lt-eq':
      return atMost(target, literal)
    case 'gt': {
      const after = neighbour(target.type, literal, 1)
      return after === undefined ? alwaysFalse : atLeast(target, after)
    }
    case 'gt-eq':
      return atLeast(target, literal)
    case 'eq':
      return isIn(fieldId, withLegacy(target, [apply(literal)]))
    default:
      return alwaysTrue
  }
}

function atMost(target: ProjectionTarget, literal: Whole): Expression {
  const projected = target.apply(literal) as Whole
  if (projected > literal && isTruncate(target)) return alwaysTrue
  const wrapped = wrappedLowest(target)
  const below = compare(
    target.fieldId,
    'lt-eq',
    isLegacyTime(target, projected) ? plus(projected, 1) : projected,
  )
  return wrapped === undefined ? below : or(below, compare(target.fieldId, 'eq', wrapped))
}

function atLeast(target: ProjectionTarget, literal: Whole): Expression {
  const projected = target.apply(literal) as Whole
  if (projected > literal && isTruncate(target)) return alwaysTrue
  return compare(target.fieldId, 'gt-eq', projected)
}

export function projectOrderedStrictly(target: ProjectionTarget, predicate: ValuePredicate): Expression {
  const { fieldId } = target
  const apply = target.apply as (value: PrimitiveValue) => Whole
  if (predicate.kind === 'set') {
    if (predicate.operator === 'in') return alwaysFalse
    return notIn(fieldId, withLegacy(target, predicate.values.map(apply)))
  }
  const literal = predicate.value as Whole
  switch (predicate.operator) {
    case 'lt':
      return allBelow(target, literal)
    case 'lt-eq': {
      const after = neighbour(target.type, literal, 1)
      return after === undefined ? notNull(fieldId) : allBelow(target, after)
    }
    case 'gt':
      return allAbove(target, literal)
    case 'gt-eq': {
      const before = neighbour(target.type, literal, -1)
      return before === undefined ? notNull(fieldId) : allAbove(target, before)
    }
    case 'not-eq':
      return notIn(fieldId, withLegacy(target, [apply(literal)]))
    default:
      return alwaysFalse
  }
}

function allBelow(target: ProjectionTarget, literal: Whole): Expression {
  const projected = target.apply(literal) as Whole
  if (projected > literal && isTruncate(target)) return alwaysFalse
  return compare(target.fieldId, 'lt', projected)
}

function allAbove(target: ProjectionTarget, literal: Whole): Expression {
  const projected = target.apply(literal) as Whole
  if (projected > literal && isTruncate(target)) return alwaysFalse
  const wrapped = wrappedLowest(target)
  const above = compare(
    target.fieldId,
    'gt',
    isLegacyTime(target, projected) ? plus(projected, 1) : projected,
  )
  return wrapped === undefined ? above : and(above, compare(target.fieldId, 'not-eq', wrapped))
}

function isTruncate(target: ProjectionTarget): boolean {
  return target.transform.kind === 'truncate'
}

/**
 * Java before 1.0 did not floor instants before 1970, so files of theirs can carry a partition one too high
 * (apache/iceberg issue 1680).
 */
function isLegacyTime(target: ProjectionTarget, projected: Whole): boolean {
  return !isTruncate(target) && projected < 0
}

function withLegacy(target: ProjectionTarget, projected: readonly Whole[]): readonly Whole[] {
  const values = projected.flatMap((value) =>
    isLegacyTime(target, value) ? [value, plus(value, 1)] : [value],
  )
  return [...new Set(values)]
}

function plus(value: Whole, step: 1 | -1): Whole {
  return typeof value === 'bigint' ? value + BigInt(step) : value + step
}

/** The next value of the type, or `undefined` at its end. */
function neighbour(type: PrimitiveType, value: Whole, step: 1 | -1): Whole | undefined {
  const next = plus(value, step)
  if (type.kind === 'decimal') return next
  const fits = typeof next === 'bigint' ? BigInt.asIntN(64, next) === next : (next | 0) === next
  return fits ? next : undefined
}

/** Partition of the lowest values of an int or long, when truncating them wraps around to the top. */
function wrappedLowest(target: ProjectionTarget): Whole | undefined {
  if (!isTruncate(target) || target.type.kind === 'decimal') return undefined
  const lowest = target.type.kind === 'int' ? -(2 ** 31) : -(2n ** 63n)
  const projected = target.apply(lowest) as Whole
  return projected > lowest ? projected : undefined
}
