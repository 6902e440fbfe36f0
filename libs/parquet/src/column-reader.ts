import {
  decodeTwosComplement,
  FloeError,
  uuidFromBytes,
  type PrimitiveType,
  type PrimitiveValue,
} from '@floe/iceberg/values'
import type { LeafColumn, LeafValues } from './column.ts'
import { positionsOfValues } from './select-rows.ts'

type ReadValue = (position: number) => PrimitiveValue

/**
 * Reads single values of a flat column by row, `null` where there is none: for partition transforms and sorting, which
 * need values of the spec's form. Each call makes a value, so the encoder itself never reads this way.
 * @throws FloeError `unsupported` for a column inside a list or map
 */
export function createColumnReader(
  column: LeafColumn,
  type: PrimitiveType,
): (row: number) => PrimitiveValue | null {
  if (column.repetitionLevels !== undefined) {
    throw new FloeError(
      'unsupported',
      `field ${column.fieldId} is inside a list or map: it has no one value per row`,
    )
  }
  const read = valueReader(column.values, type)
  if (column.definitionLevels === undefined) return read
  const positions = positionsOfValues(column)
  return (row) => {
    const position = positions[row] as number
    return position < 0 ? null : read(position)
  }
}

function valueReader(values: LeafValues, type: PrimitiveType): ReadValue {
  switch (values.layout) {
    case 'boolean':
      return (position) => values.bytes[position] === 1
    case 'int32':
      if (type.kind === 'decimal') return (position) => BigInt(values.values[position] as number)
      return (position) => values.values[position] as number
    case 'float':
    case 'double':
      return (position) => values.values[position] as number
    case 'int64':
      return int64Reader(values.words)
    case 'bytes':
      return bytesReader(values.offsets, values.data, type)
    case 'dictionary':
      return dictionaryReader(values, bytesReader(values.offsets, values.data, type))
    case 'fixed':
      return fixedReader(values.width, values.data, type)
  }
}

function int64Reader(words: Int32Array): ReadValue {
  return (position) =>
    (BigInt(words[2 * position + 1] as number) << 32n) | BigInt((words[2 * position] as number) >>> 0)
}

function bytesReader(offsets: Int32Array, data: Uint8Array, type: PrimitiveType): ReadValue {
  if (type.kind !== 'string') return (position) => data.slice(offsets[position], offsets[position + 1])
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return (position) => buffer.toString('utf8', offsets[position], offsets[position + 1])
}

/** Every entry is made once. */
function dictionaryReader(values: Extract<LeafValues, { layout: 'dictionary' }>, read: ReadValue): ReadValue {
  const made: PrimitiveValue[] = []
  return (position) => {
    const id = values.ids[position] as number
    return (made[id] ??= read(id))
  }
}

function fixedReader(width: number, data: Uint8Array, type: PrimitiveType): ReadValue {
  const bytesAt = (position: number): Uint8Array => data.slice(position * width, (position + 1) * width)
  if (type.kind === 'uuid') return (position) => uuidFromBytes(bytesAt(position))
  if (type.kind === 'decimal') return (position) => decodeTwosComplement(bytesAt(position))
  return bytesAt
}
