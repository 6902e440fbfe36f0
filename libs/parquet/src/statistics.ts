import type { Leaf } from './file-schema.ts'
import { compareBytes } from './byte-order.ts'
import { truncateLower, truncateUpper } from './bound-truncation.ts'
import type { ThriftWriter } from './thrift-writer.ts'
import type { ValueRange } from './value-range.ts'

/** Longest min or max in a footer, in code points of a string or bytes of a binary: a 1-MB value must not be in it. */
const statisticsLengthMax = 64

/** Writes the Statistics struct as field `fieldId`: min_value and max_value only, the older pair has no defined order. */
export function writeStatistics(
  writer: ThriftWriter,
  fieldId: number,
  leaf: Leaf,
  nullCount: number,
  range: ValueRange | undefined,
): void {
  const min = range === undefined ? undefined : truncateMin(leaf, range.min)
  const max = range === undefined ? undefined : truncateMax(leaf, range.max)
  writer.struct(fieldId, () => {
    writer.i64(3, nullCount)
    if (max !== undefined) writer.binary(5, withZero(leaf, max, 0))
    if (min !== undefined) writer.binary(6, withZero(leaf, min, -0))
    if (max !== undefined) writer.bool(7, isSame(max, range?.max))
    if (min !== undefined) writer.bool(8, isSame(min, range?.min))
  })
}

function isSame(bound: Uint8Array, value: Uint8Array | undefined): boolean {
  return value !== undefined && compareBytes(bound, value) === 0
}

function truncateMin(leaf: Leaf, value: Uint8Array): Uint8Array {
  return leaf.physical === 'bytes' ? truncateLower(leaf.type, value, statisticsLengthMax) : value
}

function truncateMax(leaf: Leaf, value: Uint8Array): Uint8Array | undefined {
  return leaf.physical === 'bytes' ? truncateUpper(leaf.type, value, statisticsLengthMax) : value
}

/** parquet.thrift: a zero minimum is written as -0 and a zero maximum as +0, whichever zeros the column holds. */
function withZero(leaf: Leaf, value: Uint8Array, zero: number): Uint8Array {
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  if (leaf.order === 'float' && view.getFloat32(0, true) === 0)
    return new Uint8Array(Float32Array.of(zero).buffer)
  if (leaf.order === 'double' && view.getFloat64(0, true) === 0)
    return new Uint8Array(Float64Array.of(zero).buffer)
  return value
}
