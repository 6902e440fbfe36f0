import { applyTransform } from './apply-transform.ts'
import { boundFieldId } from './evaluate-expression.ts'
import {
  alwaysFalse,
  alwaysTrue,
  and,
  compare,
  isIn,
  isNan,
  notIn,
  notNull,
  or,
  type Expression,
  type Predicate,
} from './expression.ts'
import { projectOrdered, projectOrderedStrictly } from './projection-ordered.ts'
import { projectPrefix, projectPrefixStrictly } from './projection-prefix.ts'
import { memoizeProjection, type Projection } from './projection-memo.ts'
import { distinctValues } from './distinct-values.ts'
import { partitionSourceType, type PartitionField, type PartitionSpec } from './partition-spec.ts'
import { isFloating } from './column-range.ts'
import type { Schema } from './schema.ts'
import { canTransform } from './transform-type.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'
import { mapPredicates } from './walk-expression.ts'

/**
 * Bound row filter as an expression over partition field ids that every partition with a matching row fulfils:
 * what fails it can be skipped (spec "Scan Planning", inclusive projection).
 */
export const inclusiveProjection: Projection = memoizeProjection((bound, spec, schema) =>
  mapPredicates(bound, (predicate) =>
    and(...sourceFields(spec, schema, predicate).map((field) => projectInclusively(field, predicate))),
  ),
)

/** Bound row filter as an expression over partition field ids that only partitions full of matching rows fulfil. */
export const strictProjection: Projection = memoizeProjection((bound, spec, schema) =>
  mapPredicates(bound, (predicate) =>
    or(...sourceFields(spec, schema, predicate).map((field) => projectStrictly(field, predicate))),
  ),
)

/** A partition field and the type of its one source column. */
type SourceField = { readonly field: PartitionField; readonly type: PrimitiveType }

function sourceFields(spec: PartitionSpec, schema: Schema, predicate: Predicate): readonly SourceField[] {
  const columnId = boundFieldId(predicate)
  return spec.fields.flatMap((field) => {
    const type = partitionSourceType(field, schema)
    const usable =
      type !== undefined && field.sourceIds[0] === columnId && canTransform(field.transform, type)
    return usable ? [{ field, type }] : []
  })
}

function projectInclusively({ field, type }: SourceField, predicate: Predicate): Expression {
  const { transform, fieldId } = field
  if (transform.kind === 'void') return alwaysTrue
  if (isExact(field, type)) {
    const projected = withFieldId(predicate, fieldId)
    const above =
      predicate.kind === 'literal' && (predicate.operator === 'gt' || predicate.operator === 'gt-eq')
    // SQL engines sort NaN last, so a partition of NaNs can match there.
    return above && isFloating(type) ? or(projected, isNan(fieldId)) : projected
  }
  if (predicate.kind === 'unary') return isNullTest(predicate) ? withFieldId(predicate, fieldId) : alwaysTrue
  const apply = (value: PrimitiveValue): PrimitiveValue =>
    applyTransform(transform, type, value) as PrimitiveValue
  if (transform.kind === 'bucket') {
    if (predicate.kind === 'set')
      return predicate.operator === 'in'
        ? isIn(fieldId, distinctValues(predicate.values.map(apply)))
        : alwaysTrue
    return predicate.operator === 'eq' ? compare(fieldId, 'eq', apply(predicate.value)) : alwaysTrue
  }
  const target = { transform, type, fieldId, apply }
  return hasPrefixes(type) ? projectPrefix(target, predicate) : projectOrdered(target, predicate)
}

function projectStrictly({ field, type }: SourceField, predicate: Predicate): Expression {
  const { transform, fieldId } = field
  if (transform.kind === 'void') return alwaysFalse
  if (isExact(field, type)) return withoutNull(withFieldId(predicate, fieldId), predicate, fieldId)
  if (predicate.kind === 'unary') return isNullTest(predicate) ? withFieldId(predicate, fieldId) : alwaysFalse
  const apply = (value: PrimitiveValue): PrimitiveValue =>
    applyTransform(transform, type, value) as PrimitiveValue
  if (transform.kind === 'bucket') {
    if (predicate.kind === 'set') {
      const values = distinctValues(predicate.values.map(apply))
      return predicate.operator === 'not-in'
        ? withoutNull(notIn(fieldId, values), predicate, fieldId)
        : alwaysFalse
    }
    if (predicate.operator !== 'not-eq') return alwaysFalse
    return withoutNull(compare(fieldId, 'not-eq', apply(predicate.value)), predicate, fieldId)
  }
  const target = { transform, type, fieldId, apply }
  const projected = hasPrefixes(type)
    ? projectPrefixStrictly(target, predicate)
    : projectOrderedStrictly(target, predicate)
  return withoutNull(projected, predicate, fieldId)
}

/** The partition value is the column's value: identity, and days of a date. */
function isExact(field: PartitionField, type: PrimitiveType): boolean {
  const { kind } = field.transform
  return kind === 'identity' || (kind === 'day' && type.kind === 'date')
}

function hasPrefixes(type: PrimitiveType): boolean {
  return type.kind === 'string' || type.kind === 'binary'
}

function isNullTest(predicate: Predicate): boolean {
  return predicate.kind === 'unary' && (predicate.operator === 'is-null' || predicate.operator === 'not-null')
}

function withFieldId(predicate: Predicate, fieldId: number): Predicate {
  return { ...predicate, reference: { kind: 'id', fieldId } }
}

/** SQL never matches a null except by `is null`, so a strict answer must hold without nulls too. */
function withoutNull(projected: Expression, predicate: Predicate, fieldId: number): Expression {
  const seeksNull = predicate.kind === 'unary' && predicate.operator === 'is-null'
  return seeksNull || projected.kind === 'false' ? projected : and(projected, notNull(fieldId))
}
