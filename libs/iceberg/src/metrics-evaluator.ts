import {
  decodeBounds,
  isFloating,
  mightMatchRange,
  mustMatchRange,
  unknownRange,
  type ColumnRange,
} from './column-range.ts'
import type { DataFile } from './data-file.ts'
import { boundFieldId } from './evaluate-expression.ts'
import type { Expression } from './expression.ts'
import { isNested } from './required-field.ts'
import { findFieldById, type Schema } from './schema.ts'
import { isPrimitive } from './type.ts'
import { findMismatch, testPredicates } from './walk-expression.ts'

/**
 * Whether a file may hold rows that match, by its metrics alone. Missing metrics never rule a file out: the column may
 * be newer than the file, with an initial default.
 */
export function mightMatchFile(bound: Expression, schema: Schema, file: DataFile): boolean {
  if (file.recordCount === 0) return false
  return testPredicates(bound, (predicate) =>
    mightMatchRange(predicate, fileRange(schema, file, boundFieldId(predicate))),
  )
}

/** The conjunct that rules the file out, or `undefined` when it may hold matching rows. */
export function explainFileMismatch(
  bound: Expression,
  schema: Schema,
  file: DataFile,
): Expression | undefined {
  return findMismatch(bound, (conjunct) => mightMatchFile(conjunct, schema, file))
}

/** Whether every row of the file matches for sure, so that a delete by this filter may drop the file whole. */
export function mustMatchFile(bound: Expression, schema: Schema, file: DataFile): boolean {
  if (file.recordCount === 0) return true
  return testPredicates(bound, (predicate) => {
    const fieldId = boundFieldId(predicate)
    // Counts of nested columns do not say whether the struct around them is null.
    return !isNested(schema, fieldId) && mustMatchRange(predicate, fileRange(schema, file, fieldId))
  })
}

function fileRange(schema: Schema, file: DataFile, fieldId: number): ColumnRange {
  const type = findFieldById(schema, fieldId)?.type
  if (type === undefined || !isPrimitive(type)) return unknownRange
  const values = file.valueCounts?.get(fieldId)
  const nulls = file.nullValueCounts?.get(fieldId)
  const nans = isFloating(type) ? file.nanValueCounts?.get(fieldId) : 0
  const onlyNulls = values !== undefined && nulls !== undefined && nulls >= values
  return {
    mayHaveNull: nulls !== 0,
    mayHaveNan: nans !== 0 && !onlyNulls,
    mayHaveValue: !(values !== undefined && (nulls ?? 0) + (nans ?? 0) >= values),
    ...decodeBounds(type, file.lowerBounds?.get(fieldId), file.upperBounds?.get(fieldId)),
  }
}
