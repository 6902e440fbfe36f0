import { firstCodePoints } from './apply-transform.ts'

/** Code points of a string, or bytes of a binary, that a bound keeps: Java's `truncate(16)` metrics mode. */
export const boundLength = 16

/** Lower bound of a string or binary column: a prefix, so never above the true minimum. */
export function truncateLowerBound(value: string, length?: number): string
export function truncateLowerBound(value: Uint8Array, length?: number): Uint8Array
export function truncateLowerBound(
  value: string | Uint8Array,
  length: number = boundLength,
): string | Uint8Array {
  return typeof value === 'string' ? firstCodePoints(value, length) : value.slice(0, length)
}

/**
 * Upper bound of a string or binary column: a value within `length` that is not below the true maximum, or `undefined`
 * when there is none (all code points U+10FFFF, all bytes 0xFF).
 */
export function truncateUpperBound(value: string, length?: number): string | undefined
export function truncateUpperBound(value: Uint8Array, length?: number): Uint8Array | undefined
export function truncateUpperBound(
  value: string | Uint8Array,
  length: number = boundLength,
): string | Uint8Array | undefined {
  return typeof value === 'string' ? stringAbove(value, length) : bytesAbove(value, length)
}

function stringAbove(value: string, length: number): string | undefined {
  const prefix = firstCodePoints(value, length)
  if (prefix.length === value.length) return value
  const points = Array.from(prefix)
  for (let last = points.length - 1; last >= 0; last--) {
    const next = nextCodePoint((points[last] as string).codePointAt(0) as number)
    if (next !== undefined) return points.slice(0, last).join('') + String.fromCodePoint(next)
  }
  return undefined
}

/** Surrogates are no code points of UTF-8 text: U+E000 follows U+D7FF. */
function nextCodePoint(point: number): number | undefined {
  if (point === 0x10ffff) return undefined
  return point === 0xd7ff ? 0xe000 : point + 1
}

function bytesAbove(value: Uint8Array, length: number): Uint8Array | undefined {
  if (value.length <= length) return value
  for (let last = length - 1; last >= 0; last--) {
    if (value[last] === 0xff) continue
    const above = value.slice(0, last + 1)
    above[last] = (value[last] as number) + 1
    return above
  }
  return undefined
}
