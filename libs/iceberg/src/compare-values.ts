import type { PrimitiveType, PrimitiveValue } from './type.ts'

/**
 * Order of two values of one type: negative, 0, or positive. Strings by UTF-8 bytes, bytes and UUIDs unsigned,
 * floats as the spec sorts them: -0 before 0, NaN last.
 */
export function compareValues(type: PrimitiveType, a: PrimitiveValue, b: PrimitiveValue): number {
  switch (type.kind) {
    case 'float':
    case 'double':
      return compareFloats(a as number, b as number)
    case 'string':
      return compareStrings(a as string, b as string)
    case 'fixed':
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return compareBytes(a as Uint8Array, b as Uint8Array)
    default:
      // Also UUIDs: lower-case hexadecimal text sorts as the bytes do.
      return a < b ? -1 : a > b ? 1 : 0
  }
}

function compareFloats(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return a === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : 0
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

/** UTF-16 order differs from UTF-8 order only where surrogates meet U+E000 to U+FFFF. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (left !== right) return codeUnitRank(left) - codeUnitRank(right)
  }
  return a.length - b.length
}

function codeUnitRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const difference = (a[at] as number) - (b[at] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
