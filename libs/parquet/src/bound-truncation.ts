import { truncateLowerBound, truncateUpperBound, type PrimitiveType } from '@floe/iceberg/values'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** At most `length` code points of a string or bytes of a binary, never above the value. */
export function truncateLower(type: PrimitiveType, value: Uint8Array, length: number): Uint8Array {
  if (type.kind !== 'string') return truncateLowerBound(value, length)
  return encoder.encode(truncateLowerBound(decoder.decode(value), length))
}

/** Of the same length, never below the value; `undefined` when there is no such value. */
export function truncateUpper(
  type: PrimitiveType,
  value: Uint8Array,
  length: number,
): Uint8Array | undefined {
  if (type.kind !== 'string') return truncateUpperBound(value, length)
  const bound = truncateUpperBound(decoder.decode(value), length)
  return bound === undefined ? undefined : encoder.encode(bound)
}
