import {
  alwaysFalse,
  alwaysTrue,
  compare,
  isIn,
  notIn,
  type Expression,
  type Predicate,
} from './expression.ts'
import { distinctValues } from './distinct-values.ts'
import type { ProjectionTarget } from './projection-target.ts'
import type { PrimitiveValue } from './type.ts'

/** Projections through truncate of strings and binaries, where the partition is the first code points or bytes. */

type ValuePredicate = Exclude<Predicate, { kind: 'unary' }>

export function projectPrefix(target: ProjectionTarget, predicate: ValuePredicate): Expression {
  const { fieldId, apply } = target
  if (predicate.kind === 'set') {
    return predicate.operator === 'in'
      ? isIn(fieldId, distinctPrefixes(target, predicate.values))
      : alwaysTrue
  }
  const { operator, value } = predicate
  switch (operator) {
    case 'lt':
    case 'lt-eq':
      return compare(fieldId, 'lt-eq', apply(value))
    case 'gt':
    case 'gt-eq':
      return compare(fieldId, 'gt-eq', apply(value))
    case 'eq':
      return compare(fieldId, 'eq', apply(value))
    case 'starts-with':
      return isLonger(target, value)
        ? compare(fieldId, 'eq', apply(value))
        : compare(fieldId, operator, value)
    case 'not-starts-with':
      // A partition that is the start of a longer prefix has rows on both sides.
      return isLonger(target, value) ? alwaysTrue : compare(fieldId, operator, value)
    case 'not-eq':
      return alwaysTrue
  }
}

export function projectPrefixStrictly(target: ProjectionTarget, predicate: ValuePredicate): Expression {
  const { fieldId, apply } = target
  if (predicate.kind === 'set') {
    return predicate.operator === 'not-in'
      ? notIn(fieldId, distinctPrefixes(target, predicate.values))
      : alwaysFalse
  }
  const { operator, value } = predicate
  switch (operator) {
    case 'lt':
    case 'lt-eq':
      return compare(fieldId, 'lt', apply(value))
    case 'gt':
      return compare(fieldId, 'gt', apply(value))
    case 'gt-eq':
      return compare(fieldId, isLonger(target, value) ? 'gt' : 'gt-eq', apply(value))
    case 'eq':
      // A partition shorter than the width is the whole value.
      return lengthOf(value) < widthOf(target) ? compare(fieldId, 'eq', value) : alwaysFalse
    case 'not-eq':
      return compare(fieldId, 'not-eq', apply(value))
    case 'starts-with':
      return isLonger(target, value) ? alwaysFalse : compare(fieldId, operator, value)
    case 'not-starts-with':
      return isLonger(target, value)
        ? compare(fieldId, 'not-eq', apply(value))
        : compare(fieldId, operator, value)
  }
}

function distinctPrefixes(
  target: ProjectionTarget,
  values: readonly PrimitiveValue[],
): readonly PrimitiveValue[] {
  return distinctValues(values.map(target.apply))
}

function isLonger(target: ProjectionTarget, value: PrimitiveValue): boolean {
  return lengthOf(value) > widthOf(target)
}

function lengthOf(value: PrimitiveValue): number {
  return value instanceof Uint8Array ? value.length : Array.from(value as string).length
}

function widthOf(target: ProjectionTarget): number {
  return target.transform.kind === 'truncate' ? target.transform.width : 0
}
