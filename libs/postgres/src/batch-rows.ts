import type { PrimitiveType } from '@floe/iceberg'
import type { ColumnBatch, LeafColumn } from '@floe/parquet'
import type { ColumnPlan } from './plan/column-plan.ts'
import { leafType } from './read/column-buffer.ts'

/** A value in the form that the tests compare: numbers, bigint for 64 bits and decimals, hex for bytes. */
export type BatchValue = boolean | number | bigint | string | null | readonly BatchValue[]

/** The rows of a batch, read through nothing but the column contract. For tests. */
export function batchRows(
  plans: readonly ColumnPlan[],
  { rowCount, columns }: ColumnBatch,
): readonly (readonly BatchValue[])[] {
  const byColumn = plans.map((plan, index) => columnRows(plan, columns[index] as LeafColumn))
  return Array.from({ length: rowCount }, (_, row) => byColumn.map((values) => values[row] as BatchValue))
}

function columnRows(plan: ColumnPlan, column: LeafColumn): readonly BatchValue[] {
  const { list } = plan.wire
  const maximum = (plan.required ? 0 : 1) + (list ? 2 : 0)
  const { definitionLevels, repetitionLevels } = column
  const rows: BatchValue[] = []
  let valueIndex = 0
  for (let entry = 0; entry < column.levelCount; entry++) {
    const level = definitionLevels?.[entry] ?? maximum
    const value = level === maximum ? valueAt(leafType(plan), column, valueIndex++) : null
    if (!list) rows.push(value)
    else if (repetitionLevels?.[entry] === 1)
      rows[rows.length - 1] = [...(rows.at(-1) as BatchValue[]), value]
    else rows.push(level >= maximum - 1 ? [value] : level === maximum - 2 ? [] : null)
  }
  if (valueIndex !== column.valueCount)
    throw new Error(`${plan.name}: ${valueIndex} values by levels, ${column.valueCount} by count`)
  return rows
}

function valueAt(type: PrimitiveType, { values }: LeafColumn, index: number): BatchValue {
  switch (values.layout) {
    case 'boolean':
      return values.bytes[index] === 1
    case 'int32':
      return values.values[index] as number
    case 'int64':
      return (
        (BigInt(values.words[2 * index + 1] as number) << 32n) |
        BigInt((values.words[2 * index] as number) >>> 0)
      )
    case 'float':
    case 'double':
      return values.values[index] as number
    case 'fixed': {
      const hex = hexOf(values.data, index * values.width, (index + 1) * values.width)
      return type.kind === 'decimal' ? BigInt.asIntN(values.width * 8, BigInt(`0x${hex}`)) : hex
    }
    case 'bytes':
      return textOrHex(type, values.data, values.offsets, index)
    case 'dictionary':
      return textOrHex(type, values.data, values.offsets, values.ids[index] as number)
  }
}

function textOrHex(type: PrimitiveType, data: Uint8Array, offsets: Int32Array, index: number): string {
  const [from, to] = [offsets[index] as number, offsets[index + 1] as number]
  return type.kind === 'binary' ? hexOf(data, from, to) : new TextDecoder().decode(data.subarray(from, to))
}

function hexOf(data: Uint8Array, from: number, to: number): string {
  return Buffer.from(data.buffer, data.byteOffset + from, to - from).toString('hex')
}
