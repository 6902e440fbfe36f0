/** Big-endian two's complement in the fewest bytes, as Java's `BigInteger.toByteArray`: decimals in bounds and hashes. */
export function encodeTwosComplement(value: bigint): Uint8Array {
  const width = minimumBytes(value)
  const bytes = new Uint8Array(width)
  let rest = value
  for (let at = width - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

function minimumBytes(value: bigint): number {
  let width = 1
  // -128 fits one byte and 128 does not: the sign bit counts.
  for (let rest = value < 0n ? ~value : value; rest > 0x7fn; rest >>= 8n) width++
  return width
}

/** Inverse of `encodeTwosComplement`; takes padded forms of any width too. */
export function decodeTwosComplement(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}
