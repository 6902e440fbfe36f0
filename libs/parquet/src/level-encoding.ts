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
  let at = position
  let literalStart = start
  let index = start
  while (index < end) {
    const runEnd = findRunEnd(ids, index, end)
    if (runEnd - index < runLengthMin) {
      index += 8
      continue
    }
    if (index > literalStart) at = writeLiterals(ids, literalStart, index, bitWidth, out, at)
    at = writeRun(ids[index] as number, runEnd - index, bitWidth, out, at)
    index = runEnd
    literalStart = runEnd
  }
  return end > literalStart ? writeLiterals(ids, literalStart, end, bitWidth, out, at) : at
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

function writeLiterals(
  ids: Int32Array,
  start: number,
  end: number,
  bitWidth: number,
  out: Uint8Array,
  position: number,
): number {
  const groups = Math.ceil((end - start) / 8)
  const at = writeVarint(groups * 2 + 1, out, position)
  if (bitWidth === 8) packBytes(ids, start, end, out, at)
  else packBits(ids, start, end, bitWidth, out, at)
  const packedEnd = at + groups * bitWidth
  const usedEnd = at + Math.ceil(((end - start) * bitWidth) / 8)
  out.fill(0, usedEnd, packedEnd)
  return packedEnd
}

function packBytes(ids: Int32Array, start: number, end: number, out: Uint8Array, position: number): void {
  let at = position
  for (let index = start; index < end; index++) out[at++] = ids[index] as number
}

function packBits(
  ids: Int32Array,
  start: number,
  end: number,
  bitWidth: number,
  out: Uint8Array,
  position: number,
): void {
  let at = position
  let pending = 0
  let bits = 0
  for (let index = start; index < end; index++) {
    const id = ids[index] as number
    pending |= id << bits
    bits += bitWidth
    if (bits >= 32) {
      out[at] = pending
      out[at + 1] = pending >>> 8
      out[at + 2] = pending >>> 16
      out[at + 3] = pending >>> 24
      at += 4
      bits -= 32
      pending = id >>> (bitWidth - bits)
    }
  }
  for (; bits > 0; bits -= 8) {
    out[at++] = pending
    pending >>>= 8
  }
}
