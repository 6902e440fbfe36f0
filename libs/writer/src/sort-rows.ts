import { compareValues, transformResultType } from '@floe/iceberg/values'
import type { PrimitiveType, PrimitiveValue, SortField, SortOrder } from '@floe/iceberg'
import type { ColumnBatch } from '@floe/parquet'
import { primitiveType, transformedColumn } from './partition-rows.ts'
import type { BatchSchemas } from './partition-rows.ts'

type CompareRows = (left: number, right: number) => number

/**
 * The rows of a batch in the order that a sort order asks for; equal rows keep theirs. Floats as the spec sorts them:
 * -0 before 0, NaN after every other value (spec "Sorting").
 */
export function sortRows(batch: ColumnBatch, schemas: BatchSchemas, { fields }: SortOrder): Int32Array {
  const comparisons = fields.map((field) => fieldComparison(batch, schemas, field))
  const rows = Int32Array.from({ length: batch.rowCount }, (_, row) => row)
  return rows.sort((left, right) => {
    for (const compare of comparisons) {
      const order = compare(left, right)
      if (order !== 0) return order
    }
    return left - right
  })
}

function fieldComparison(batch: ColumnBatch, schemas: BatchSchemas, field: SortField): CompareRows {
  // A column that has been dropped is null in every row.
  if (!batch.columns.some(({ fieldId }) => fieldId === field.sourceIds[0])) return () => 0
  const read = transformedColumn(batch, schemas, field)
  const keys = Array.from({ length: batch.rowCount }, (_, row) => read(row))
  const type = keyType(schemas, field)
  const [sign, nulls] = [field.direction === 'asc' ? 1 : -1, field.nullOrder === 'nulls-first' ? -1 : 1]
  return (left, right) => compareKeys(type, keys[left] ?? null, keys[right] ?? null, sign, nulls)
}

function compareKeys(
  type: PrimitiveType,
  left: PrimitiveValue | null,
  right: PrimitiveValue | null,
  sign: number,
  nulls: number,
): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? nulls : -nulls
  return sign * compareValues(type, left, right)
}

function keyType({ schema }: BatchSchemas, { sourceIds, transform }: SortField): PrimitiveType {
  const [sourceId] = sourceIds
  return transformResultType(
    transform,
    sourceId === undefined ? { kind: 'int' } : primitiveType(schema, sourceId),
  )
}
