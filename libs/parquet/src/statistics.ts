import type { Leaf } from './file-schema.ts'
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
  const min = range === undefined ? undefined : lowestZero(leaf, truncateMin(leaf, range.min), -0)
  const max = range === undefined ? undefined : lowestZero(leaf, truncateMax(leaf, range.max), 0)
  writer.struct(fieldId, () => {
    writer.i64(3, nullCount)
    if (max !== undefined) writer.binary(5, max)
    if (min !== undefined) writer.binary(6, min)
    if (max !== undefined) writer.bool(7, max.length === range?.max.length)
    if (min !== undefined) writer.bool(8, min.length === range?.min.length)
  })
}

function truncateMin(leaf: Leaf, value: Uint8Array): Uint8Array {
  return leaf.physical === 'bytes' ? truncateLower(leaf.type, value, statisticsLengthMax) : value
}

function truncateMax(leaf: Leaf, value: Uint8Array): Uint8Array | undefined {
  return leaf.physical === 'bytes' ? truncateUpper(leaf.type, value, statisticsLengthMax) : value
}

/** parquet.thrift: a zero minimum is written as -0 and a zero maximum as +0, whichever zeros the column holds. */
function lowestZero<T extends Uint8Array | undefined>(leaf: Leaf, value: T, zero: number): T | Uint8Array {
  if (value === undefined) return value
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  if (leaf.order === 'float' && view.getFloat32(0, true) === 0)
    return new Uint8Array(Float32Array.of(zero).buffer)
  if (leaf.order === 'double' && view.getFloat64(0, true) === 0)
    return new Uint8Array(Float64Array.of(zero).buffer)
  return value
}
