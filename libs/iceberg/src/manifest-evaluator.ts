import { decodeBounds, isFloating, mightMatchRange, unknownRange, type ColumnRange } from './column-range.ts'
import { boundFieldId, evaluateExpression } from './evaluate-expression.ts'
import type { Expression } from './expression.ts'
import type { FieldSummary } from './manifest-list.ts'
import { partitionType, type Partition, type PartitionSpec } from './partition-spec.ts'
import { inclusiveProjection } from './projection.ts'
import type { Schema } from './schema.ts'
import { isPrimitive, type PrimitiveType, type StructType } from './type.ts'
import { findMismatch, testPredicates } from './walk-expression.ts'

/**
 * Whether a manifest may list files whose partitions match.
 * @param projected  expression over partition field ids, from `inclusiveProjection`
 * @param type       of the manifest's partitions, from `partitionType`
 * @param summaries  the manifest's `partitions`; absent means unknown
 */
export function mightMatchManifest(
  projected: Expression,
  type: StructType,
  summaries: readonly FieldSummary[] | undefined,
): boolean {
  return testPredicates(projected, (predicate) => {
    const fieldId = boundFieldId(predicate)
    const position = type.fields.findIndex((field) => field.id === fieldId)
    const fieldType = type.fields[position]?.type
    const summary = summaries?.[position]
    if (fieldType === undefined || !isPrimitive(fieldType) || summary === undefined) return true
    return mightMatchRange(predicate, summaryRange(fieldType, summary))
  })
}

function summaryRange(type: PrimitiveType, summary: FieldSummary): ColumnRange {
  const { containsNull, containsNan, lowerBound, upperBound } = summary
  const unbounded = lowerBound === undefined && upperBound === undefined
  // Some writers leave a summary they did not compute as "no nulls, no bounds", which would mean no values at all.
  if (unbounded && !containsNull && containsNan !== true) return unknownRange
  return {
    mayHaveNull: containsNull,
    mayHaveNan: isFloating(type) && containsNan !== false,
    // Spec "Manifest Lists": no bound when all values are null or NaN.
    mayHaveValue: !unbounded,
    ...decodeBounds(type, lowerBound, upperBound),
  }
}

/** The conjunct of a bound row filter that rules a manifest out, or `undefined` when it may list matching files. */
export function explainManifestMismatch(
  bound: Expression,
  spec: PartitionSpec,
  schema: Schema,
  summaries: readonly FieldSummary[] | undefined,
): Expression | undefined {
  const type = partitionType(spec, schema)
  return findMismatch(bound, (conjunct) =>
    mightMatchManifest(inclusiveProjection(conjunct, spec, schema), type, summaries),
  )
}

/** Whether a partition may hold matching rows; `projected` is an expression over partition field ids. */
export function mightMatchPartition(
  projected: Expression,
  spec: PartitionSpec,
  partition: Partition,
): boolean {
  return evaluateExpression(projected, (fieldId) => {
    const position = spec.fields.findIndex((field) => field.fieldId === fieldId)
    return partition[position] ?? null
  })
}

/** The conjunct of a bound row filter that rules a partition out, or `undefined` when it may hold matching rows. */
export function explainPartitionMismatch(
  bound: Expression,
  spec: PartitionSpec,
  schema: Schema,
  partition: Partition,
): Expression | undefined {
  return findMismatch(bound, (conjunct) =>
    mightMatchPartition(inclusiveProjection(conjunct, spec, schema), spec, partition),
  )
}
