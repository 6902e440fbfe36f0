type PackGroups = (ids: Int32Array, start: number, end: number, view: DataView, position: number) => void

/** By bit width; made when a width is first met. */
const packers: PackGroups[] = []

/** Values that are packed at once: their bits fill whole bytes at every width. */
const groupSize = 8

/**
 * Packs `ids[start..end)` from the least significant bit on (Parquet spec "RLE/Bit-Packing Hybrid"), into bytes of which
 * none beyond the last that is used is written. Widths of 1 to 31 bits.
 */
export function packBits(
  ids: Int32Array,
  start: number,
  end: number,
  bitWidth: number,
  view: DataView,
  position: number,
): void {
  const packGroups = (packers[bitWidth] ??= compilePacker(bitWidth))
  const groupsEnd = end - ((end - start) % groupSize)
  packGroups(ids, start, groupsEnd, view, position)
  packTail(ids, groupsEnd, end, bitWidth, view, position + ((groupsEnd - start) / groupSize) * bitWidth)
}

/**
 * Straight-line code for one width: eight values make as many bytes as the width has bits. Takes half the time of a
 * loop that shifts value by value.
 */
function compilePacker(bitWidth: number): PackGroups {
  const loads = Array.from({ length: groupSize }, (_, value) => `const v${value} = ids[i + ${value}]`)
  const stores: string[] = []
  for (let byte = 0; byte + 4 <= bitWidth; byte += 4)
    stores.push(`view.setInt32(at + ${byte}, ${bitsFrom(byte * 8, bitWidth)}, true)`)
  const rest = bitWidth % 4
  if (rest > 0) {
    const byte = bitWidth - rest
    const bits = bitsFrom(byte * 8, bitWidth)
    if (rest === 1) stores.push(`view.setInt8(at + ${byte}, ${bits})`)
    else stores.push(`const last = ${bits}`, `view.setInt16(at + ${byte}, last, true)`)
    if (rest === 3) stores.push(`view.setInt8(at + ${byte + 2}, last >> 16)`)
  }
  const source = `'use strict'
for (let i = start, at = position; i < end; i += ${groupSize}, at += ${bitWidth}) {
${[...loads, ...stores].join('\n')}
}`
  // Made of numbers alone.
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function('ids', 'start', 'end', 'view', 'position', source) as PackGroups
}

/** The 32 bits from `bit` on of the group's bits, as an expression. */
function bitsFrom(bit: number, bitWidth: number): string {
  const terms: string[] = []
  for (let value = 0; value < groupSize; value++) {
    const shift = value * bitWidth - bit
    if (shift <= -bitWidth || shift >= 32) continue
    terms.push(
      shift === 0 ? `v${value}` : shift > 0 ? `(v${value} << ${shift})` : `(v${value} >>> ${-shift})`,
    )
  }
  return terms.join(' | ')
}

function packTail(
  ids: Int32Array,
  start: number,
  end: number,
  bitWidth: number,
  view: DataView,
  position: number,
): void {
  let at = position
  let pending = 0
  let bits = 0
  for (let index = start; index < end; index++) {
    const id = ids[index] as number
    pending |= id << bits
    bits += bitWidth
    if (bits < 32) continue
    view.setInt32(at, pending, true)
    at += 4
    bits -= 32
    pending = id >>> (bitWidth - bits)
  }
  for (; bits > 0; bits -= 8, pending >>>= 8) view.setInt8(at++, pending)
}
