/** Unsigned lexicographic order: Parquet's order of BYTE_ARRAY, and of UTF-8 by code point. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] as number) - (right[index] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Order of big-endian two's complement numbers of the same width. */
export function compareSignedBytes(left: Uint8Array, right: Uint8Array): number {
  const sign = ((left[0] ?? 0) ^ 0x80) - ((right[0] ?? 0) ^ 0x80)
  return sign === 0 ? compareBytes(left, right) : sign
}
