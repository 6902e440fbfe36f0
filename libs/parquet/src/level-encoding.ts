import { packBits } from './bit-packing.ts'

/** Runs shorter than this stay bit-packed: a run costs a header and a value of its own. */
const runLengthMin = 16

/** Bits that hold 0..max; at least 1, because some readers reject a width of 0. */
export function bitWidthOf(max: number): number {
  return Math.max(1, 32 - Math.clz32(max))
}

/** Most bytes that `writeHybrid` writes for `count` values. */
export function hybridBytesMax(count: number, bitWidth: number): number {
  // A literal group is at worst split from its neighbours by a run that took fewer bytes than packing would have.
  return Math.ceil(count / 8) * bitWidth + Math.ceil(count / runLengthMin) * 12 + 16
}

/**
 * Writes `ids[start, end)` in the RLE/bit-packing hybrid (parquet-format Encodings.md).
 * @returns the position behind the last byte
 */
export function writeHybrid(
  ids: Int32Array,
  start: number,
  end: number,
  bitWidth: number,
  out: Uint8Array,
  position: number,
): number {
  const target = { out, view: new DataView(out.buffer, out.byteOffset, out.byteLength) }
  let at = position
  let literalStart = start
  let index = start
  while (index < end) {
    const runEnd = findRunEnd(ids, index, end)
    if (runEnd - index < runLengthMin) {
      index += 8
      continue
    }
    if (index > literalStart) at = writeLiterals(ids, literalStart, index, bitWidth, target, at)
    at = writeRun(ids[index] as number, runEnd - index, bitWidth, out, at)
    index = runEnd
    literalStart = runEnd
  }
  return end > literalStart ? writeLiterals(ids, literalStart, end, bitWidth, target, at) : at
}

/** One run of `count` times `value`. */
export function writeRun(
  value: number,
  count: number,
  bitWidth: number,
  out: Uint8Array,
  position: number,
): number {
  let at = writeVarint(count * 2, out, position)
  for (let shift = 0; shift < bitWidth; shift += 8) out[at++] = value >>> shift
  return at
}

function findRunEnd(ids: Int32Array, start: number, end: number): number {
  const value = ids[start]
  let index = start + 1
  while (index < end && ids[index] === value) index++
  return index
}

function writeVarint(value: number, out: Uint8Array, position: number): number {
  let at = position
  let rest = value
  while (rest >= 128) {
    out[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  out[at++] = rest
  return at
}

type Target = { readonly out: Uint8Array; readonly view: DataView }

function writeLiterals(
  ids: Int32Array,
  start: number,
  end: number,
  bitWidth: number,
  { out, view }: Target,
  position: number,
): number {
  const groups = Math.ceil((end - start) / 8)
  const at = writeVarint(groups * 2 + 1, out, position)
  packBits(ids, start, end, bitWidth, view, at)
  const packedEnd = at + groups * bitWidth
  const usedEnd = at + Math.ceil(((end - start) * bitWidth) / 8)
  out.fill(0, usedEnd, packedEnd)
  return packedEnd
}
