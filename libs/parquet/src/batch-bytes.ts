import type { ColumnBatch, LeafColumn } from './column.ts'
import { valueWidth } from './plain-encoding.ts'

/** Bytes that the batch's values and levels take, without the spare room of their buffers. */
export function batchBytes(batch: ColumnBatch): number {
  return batch.columns.reduce((total, column) => total + columnBytes(column), 0)
}

function columnBytes(column: LeafColumn): number {
  const { levelCount, definitionLevels, repetitionLevels } = column
  const levels =
    (definitionLevels === undefined ? 0 : levelCount) + (repetitionLevels === undefined ? 0 : levelCount)
  return levels + valuesBytes(column)
}

function valuesBytes({ values, valueCount }: LeafColumn): number {
  switch (values.layout) {
    case 'boolean':
      return valueCount
    case 'bytes':
      return 4 * valueCount + (values.offsets[valueCount] ?? 0)
    case 'dictionary':
      return 4 * valueCount + 4 * values.dictionaryCount + (values.offsets[values.dictionaryCount] ?? 0)
    default:
      return valueCount * valueWidth(values)
  }
}
