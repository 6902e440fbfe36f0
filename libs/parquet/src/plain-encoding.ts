import type { LeafValues } from './column.ts'
import { gatherValues } from './gather.ts'

/** Copying in words beats a native call up to about this length (measured; the call costs 50-100 ns). */
const wordCopyMax = 96

/** Room behind the last byte that `writePlain` may write garbage into: short values are copied in whole words. */
export const plainSlack = 8

/** Bytes that values [start, end) take in PLAIN encoding. */
export function plainBytes(values: LeafValues, start: number, end: number): number {
  switch (values.layout) {
    case 'boolean':
      return Math.ceil((end - start) / 8)
    case 'bytes':
      return offsetAt(values.offsets, end) - offsetAt(values.offsets, start) + 4 * (end - start)
    case 'dictionary':
      return dictionaryPlainBytes(values.ids, values.offsets, start, end)
    default:
      return (end - start) * valueWidth(values)
  }
}

/** Bytes of one value of a layout whose values all have the same width. */
export function valueWidth(values: LeafValues): number {
  switch (values.layout) {
    case 'int32':
    case 'float':
      return 4
    case 'int64':
    case 'double':
      return 8
    case 'fixed':
      return values.width
    case 'boolean':
    case 'bytes':
    case 'dictionary':
      return 0
  }
}

/**
 * Writes values [start, end) in PLAIN encoding (parquet-format Encodings.md); `out` has room for `plainBytes` and
 * `plainSlack`.
 * Word layouts are copied as they lie in memory: the host is little-endian, as every platform of Node but s390x.
 * @returns the position behind the last byte
 */
export function writePlain(
  values: LeafValues,
  start: number,
  end: number,
  out: Uint8Array,
  position: number,
): number {
  switch (values.layout) {
    case 'boolean':
      return packBooleans(values.bytes, start, end, out, position)
    case 'bytes':
      return writeByteArrays(values.offsets, values.data, start, end, out, position)
    case 'dictionary':
      return writePlain(
        gatherValues(values, values.ids.subarray(start, end), end - start),
        0,
        end - start,
        out,
        position,
      )
    default: {
      const width = valueWidth(values)
      out.set(rawBytes(values).subarray(start * width, end * width), position)
      return position + (end - start) * width
    }
  }
}

/** The memory of a fixed-width layout. */
export function rawBytes(values: LeafValues): Uint8Array {
  switch (values.layout) {
    case 'boolean':
      return values.bytes
    case 'int64':
      return bytesOf(values.words)
    case 'int32':
    case 'float':
    case 'double':
      return bytesOf(values.values)
    case 'fixed':
    case 'bytes':
    case 'dictionary':
      return values.data
  }
}

function bytesOf(view: Int32Array | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

function offsetAt(offsets: Int32Array, index: number): number {
  return offsets[index] ?? 0
}

function dictionaryPlainBytes(ids: Int32Array, offsets: Int32Array, start: number, end: number): number {
  let total = 4 * (end - start)
  for (let index = start; index < end; index++) {
    const id = ids[index] as number
    total += offsetAt(offsets, id + 1) - offsetAt(offsets, id)
  }
  return total
}

function packBooleans(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  position: number,
): number {
  let at = position
  let pending = 0
  for (let index = start; index < end; index++) {
    const bit = (index - start) & 7
    pending |= (bytes[index] as number) << bit
    if (bit === 7) {
      out[at++] = pending
      pending = 0
    }
  }
  if (((end - start) & 7) !== 0) out[at++] = pending
  return at
}

function writeByteArrays(
  offsets: Int32Array,
  data: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  position: number,
): number {
  const source = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const target = new DataView(out.buffer, out.byteOffset, out.byteLength)
  const wordsEnd = data.length - plainSlack
  let at = position
  let from = offsetAt(offsets, start)
  for (let index = start; index < end; index++) {
    const to = offsets[index + 1] as number
    const length = to - from
    target.setInt32(at, length, true)
    at += 4
    if (length <= wordCopyMax && to <= wordsEnd) {
      for (let step = 0; step < length; step += 8)
        target.setBigInt64(at + step, source.getBigInt64(from + step, true), true)
    } else out.set(data.subarray(from, to), at)
    at += length
    from = to
  }
  return at
}
