import type { LeafValues } from './column.ts'
import type { Leaf } from './file-schema.ts'
import { compareBytes, compareSignedBytes } from './byte-order.ts'
import { gatherValues } from './gather.ts'

/**
 * Smallest and largest value in Parquet's statistics form: PLAIN without a length, which is Iceberg's single-value
 * form too for every type but decimal.
 */
export type ValueRange = { readonly min: Uint8Array; readonly max: Uint8Array }

export type ValueSummary = {
  /** `undefined` when there is no value, or none but NaN, or the type has no order. */
  readonly range: ValueRange | undefined
  readonly nanCount: number
}

const signBit = -0x8000_0000

/** One pass over `count` values. A `dictionary` layout is summarized by its entries, as `bytes`. */
export function summarizeValues(leaf: Leaf, values: LeafValues, count: number): ValueSummary {
  if (count === 0 || leaf.order === 'none') return { range: undefined, nanCount: 0 }
  switch (values.layout) {
    case 'boolean':
      return { range: booleanRange(values.bytes, count), nanCount: 0 }
    case 'int32':
      return { range: int32Range(values.values, count), nanCount: 0 }
    case 'int64':
      return { range: int64Range(values.words, count), nanCount: 0 }
    case 'float':
    case 'double':
      return floatSummary(values, count)
    case 'bytes':
      return { range: bytesRange(values.offsets, values.data, count), nanCount: 0 }
    case 'dictionary':
      return summarizeValues(leaf, gatherValues(values, values.ids, count), count)
    case 'fixed':
      return { range: fixedRange(leaf, values.data, values.width, count), nanCount: 0 }
  }
}

function booleanRange(bytes: Uint8Array, count: number): ValueRange {
  let min = 1
  let max = 0
  for (let index = 0; index < count; index++) {
    const value = bytes[index] as number
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min: Uint8Array.of(min), max: Uint8Array.of(max) }
}

function int32Range(values: Int32Array, count: number): ValueRange {
  let min = values[0] as number
  let max = min
  for (let index = 1; index < count; index++) {
    const value = values[index] as number
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min: wordBytes(min), max: wordBytes(max) }
}

/** Compares by the high word, then by the low one as unsigned (sign bit flipped): no BigInt. */
function int64Range(words: Int32Array, count: number): ValueRange {
  const sameHigh = rangeOfOneHigh(words, count)
  if (sameHigh !== undefined) return sameHigh
  let minHigh = words[1] as number
  let minLow = (words[0] as number) ^ signBit
  let maxHigh = minHigh
  let maxLow = minLow
  for (let at = 2; at < count * 2; at += 2) {
    const high = words[at + 1] as number
    const low = (words[at] as number) ^ signBit
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minHigh = high
      minLow = low
    }
    if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxHigh = high
      maxLow = low
    }
  }
  return { min: wordBytes(minLow ^ signBit, minHigh), max: wordBytes(maxLow ^ signBit, maxHigh) }
}

/** Most columns have one high word throughout: keys, amounts, times of a few days. `undefined` for the others. */
function rangeOfOneHigh(words: Int32Array, count: number): ValueRange | undefined {
  const high = words[1] as number
  let min = (words[0] as number) ^ signBit
  let max = min
  for (let at = 2; at < count * 2; at += 2) {
    if (words[at + 1] !== high) return undefined
    const low = (words[at] as number) ^ signBit
    if (low < min) min = low
    else if (low > max) max = low
  }
  return { min: wordBytes(min ^ signBit, high), max: wordBytes(max ^ signBit, high) }
}

type FloatValues = Extract<LeafValues, { layout: 'float' | 'double' }>

/** NaN is counted and left out. Of zeros, -0 is the smaller one (spec "Scan Planning": totalOrder). */
function floatSummary(values: FloatValues, count: number): ValueSummary {
  const { min, max, nanCount } =
    values.layout === 'float' ? float32Extremes(values.values, count) : float64Extremes(values.values, count)
  if (nanCount === count) return { range: undefined, nanCount }
  const lowest = min === 0 ? zeroOf(values.values, count, true) : min
  const highest = max === 0 ? zeroOf(values.values, count, false) : max
  const make = values.layout === 'float' ? Float32Array : Float64Array
  const range = {
    min: new Uint8Array(make.of(lowest).buffer),
    max: new Uint8Array(make.of(highest).buffer),
  }
  return { range, nanCount }
}

type FloatExtremes = { readonly min: number; readonly max: number; readonly nanCount: number }

function float64Extremes(values: Float64Array, count: number): FloatExtremes {
  let min = Infinity
  let max = -Infinity
  let nanCount = 0
  for (let index = 0; index < count; index++) {
    const value = values[index] as number
    if (value < min) min = value
    if (value > max) max = value
    if (value !== value) nanCount++
  }
  return { min, max, nanCount }
}

// The same loop again: one loop over both array classes would be polymorphic.
function float32Extremes(values: Float32Array, count: number): FloatExtremes {
  let min = Infinity
  let max = -Infinity
  let nanCount = 0
  for (let index = 0; index < count; index++) {
    const value = values[index] as number
    if (value < min) min = value
    if (value > max) max = value
    if (value !== value) nanCount++
  }
  return { min, max, nanCount }
}

/** -0 or +0, whichever is the extreme among the zeros that are present. */
function zeroOf(values: Float32Array | Float64Array, count: number, lowest: boolean): number {
  const extreme = lowest ? -0 : 0
  for (let index = 0; index < count; index++) if (Object.is(values[index], extreme)) return extreme
  return -extreme
}

/** Only the first four bytes of most values are looked at: `headOf` of the extremes is kept. */
function bytesRange(offsets: Int32Array, data: Uint8Array, count: number): ValueRange {
  let min = 0
  let max = 0
  let minHead = headOf(offsets, data, 0)
  let maxHead = minHead
  for (let index = 1; index < count; index++) {
    const head = headOf(offsets, data, index)
    if (head < minHead || (head === minHead && compareValuesAt(offsets, data, index, min) < 0)) {
      min = index
      minHead = head
    } else if (head > maxHead || (head === maxHead && compareValuesAt(offsets, data, index, max) > 0)) {
      max = index
      maxHead = head
    }
  }
  return { min: valueAt(offsets, data, min), max: valueAt(offsets, data, max) }
}

/** The first four bytes, big-endian, zeros behind the end; the sign bit flipped so that signed order is byte order. */
function headOf(offsets: Int32Array, data: Uint8Array, index: number): number {
  const from = offsets[index] as number
  const length = (offsets[index + 1] as number) - from
  let head = length > 0 ? (data[from] as number) << 24 : 0
  if (length > 1) head |= (data[from + 1] as number) << 16
  if (length > 2) head |= (data[from + 2] as number) << 8
  if (length > 3) head |= data[from + 3] as number
  return head ^ signBit
}

function compareValuesAt(offsets: Int32Array, data: Uint8Array, left: number, right: number): number {
  let leftAt = offsets[left] as number
  let rightAt = offsets[right] as number
  const leftEnd = offsets[left + 1] as number
  const rightEnd = offsets[right + 1] as number
  while (leftAt < leftEnd && rightAt < rightEnd) {
    const difference = (data[leftAt++] as number) - (data[rightAt++] as number)
    if (difference !== 0) return difference
  }
  return leftEnd - leftAt - (rightEnd - rightAt)
}

function valueAt(offsets: Int32Array, data: Uint8Array, index: number): Uint8Array {
  return data.slice(offsets[index], offsets[index + 1])
}

function fixedRange(leaf: Leaf, data: Uint8Array, width: number, count: number): ValueRange {
  // The sign bit of a decimal's first byte is flipped, so that byte order is numeric order.
  const flip = leaf.order === 'signed-bytes' ? 0x80 : 0
  let min = 0
  let max = 0
  for (let index = 1; index < count; index++) {
    if (compareFixed(data, index * width, min * width, width, flip) < 0) min = index
    else if (compareFixed(data, index * width, max * width, width, flip) > 0) max = index
  }
  return { min: data.slice(min * width, (min + 1) * width), max: data.slice(max * width, (max + 1) * width) }
}

function compareFixed(data: Uint8Array, left: number, right: number, width: number, flip: number): number {
  const first = ((data[left] as number) ^ flip) - ((data[right] as number) ^ flip)
  if (first !== 0) return first
  for (let at = 1; at < width; at++) {
    const difference = (data[left + at] as number) - (data[right + at] as number)
    if (difference !== 0) return difference
  }
  return 0
}

function wordBytes(...words: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(words).buffer)
}

/** The range that covers both; either may be missing. */
export function mergeRanges(
  leaf: Leaf,
  left: ValueRange | undefined,
  right: ValueRange | undefined,
): ValueRange | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return {
    min: compareStatistics(leaf, right.min, left.min) < 0 ? right.min : left.min,
    max: compareStatistics(leaf, right.max, left.max) > 0 ? right.max : left.max,
  }
}

function compareStatistics(leaf: Leaf, left: Uint8Array, right: Uint8Array): number {
  const leftView = new DataView(left.buffer, left.byteOffset, left.length)
  const rightView = new DataView(right.buffer, right.byteOffset, right.length)
  switch (leaf.order) {
    case 'int32':
      return leftView.getInt32(0, true) - rightView.getInt32(0, true)
    case 'int64':
      return (
        leftView.getInt32(4, true) - rightView.getInt32(4, true) ||
        leftView.getUint32(0, true) - rightView.getUint32(0, true)
      )
    case 'float':
      return compareFloats(leftView.getFloat32(0, true), rightView.getFloat32(0, true))
    case 'double':
      return compareFloats(leftView.getFloat64(0, true), rightView.getFloat64(0, true))
    case 'signed-bytes':
      return compareSignedBytes(left, right)
    case 'boolean':
    case 'unsigned-bytes':
    case 'none':
      return compareBytes(left, right)
  }
}

function compareFloats(left: number, right: number): number {
  if (left < right) return -1
  if (left > right) return 1
  return Number(Object.is(right, -0)) - Number(Object.is(left, -0))
}
