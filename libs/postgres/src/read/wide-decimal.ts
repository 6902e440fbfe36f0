import type { ColumnBuffer } from './column-buffer.ts'
import { writeSpecialNumeric } from './special-value.ts'

const two32 = 4_294_967_296

/** What a decimal column's scale and precision mean in numeric's groups of four digits. */
export type DecimalShape = {
  /** Whole groups after the point, and digits of the group after them. */
  readonly scaleGroups: number
  readonly restFactor: number
  readonly restDivisor: number
  /** 10^precision in four 32-bit limbs, lowest first. */
  readonly limit: readonly [number, number, number, number]
}

export function decimalShape(precision: number, scale: number): DecimalShape {
  const rest = scale % 4
  const limit = 10n ** BigInt(precision)
  const limb = (index: number): number => Number((limit >> BigInt(32 * index)) & 0xffffffffn)
  return {
    scaleGroups: Math.floor(scale / 4),
    restFactor: 10 ** rest,
    restDivisor: 10 ** (4 - rest),
    limit: [limb(0), limb(1), limb(2), limb(3)],
  }
}

/** Four limbs of the value being summed, lowest first; one for all columns, since decoding never nests. */
let limb0 = 0
let limb1 = 0
let limb2 = 0
let limb3 = 0

/** limbs = limbs * factor + addend; products stay below 2^46, so doubles are exact. Returns the carry out. */
function multiplyAdd(factor: number, addend: number): number {
  let sum = limb0 * factor + addend
  limb0 = sum >>> 0
  sum = limb1 * factor + (sum - limb0) / two32
  limb1 = sum >>> 0
  sum = limb2 * factor + (sum - limb1) / two32
  limb2 = sum >>> 0
  sum = limb3 * factor + (sum - limb2) / two32
  limb3 = sum >>> 0
  return (sum - limb3) / two32
}

/**
 * Reads a numeric of precision 16 to 38 into value `index` of an `int64` or `fixed` column.
 * @returns false when a policy made it null
 */
export function writeWideDecimal(
  column: ColumnBuffer,
  shape: DecimalShape,
  source: DataView,
  at: number,
  index: number,
): boolean {
  const sign = source.getUint16(at + 4)
  if ((sign !== 0 && sign !== 0x4000) || !sumDigits(shape, source, at) || !belowLimit(shape)) {
    return writeSpecialNumeric(column, source, at, index)
  }
  if (sign !== 0) negate()
  if (column.layout === 'int64') {
    column.int32s[2 * index] = limb0
    column.int32s[2 * index + 1] = limb1
  } else {
    writeBigEndian(column.data, column.width, index)
  }
  return true
}

/** False when digits lie below the scale or the limbs overflow. */
function sumDigits(shape: DecimalShape, source: DataView, at: number): boolean {
  const groups = source.getInt16(at)
  /** Groups from the first digit to the end of the whole groups of the scale. */
  const wanted = source.getInt16(at + 2) + 1 + shape.scaleGroups
  limb0 = limb1 = limb2 = limb3 = 0
  let carry = 0
  for (let i = 0; i < wanted && carry === 0; i++) {
    carry = multiplyAdd(10_000, i < groups ? source.getInt16(at + 8 + 2 * i) : 0)
    if (i >= groups && (limb0 | limb1 | limb2 | limb3) === 0) break
  }
  if (carry !== 0) return false
  if (shape.restFactor === 1) return groups <= wanted || groups === 0
  if (groups <= wanted) return multiplyAdd(shape.restFactor, 0) === 0
  if (wanted < 0 || groups > wanted + 1) return false
  const last = source.getInt16(at + 8 + 2 * wanted)
  return last % shape.restDivisor === 0 && multiplyAdd(shape.restFactor, last / shape.restDivisor) === 0
}

function belowLimit({ limit }: DecimalShape): boolean {
  if (limb3 !== limit[3]) return limb3 < limit[3]
  if (limb2 !== limit[2]) return limb2 < limit[2]
  if (limb1 !== limit[1]) return limb1 < limit[1]
  return limb0 < limit[0]
}

function negate(): void {
  limb0 = (~limb0 + 1) >>> 0
  const carry1 = limb0 === 0 ? 1 : 0
  limb1 = (~limb1 + carry1) >>> 0
  const carry2 = carry1 === 1 && limb1 === 0 ? 1 : 0
  limb2 = (~limb2 + carry2) >>> 0
  const carry3 = carry2 === 1 && limb2 === 0 ? 1 : 0
  limb3 = (~limb3 + carry3) >>> 0
}

function writeBigEndian(data: Uint8Array, width: number, index: number): void {
  const end = (index + 1) * width - 1
  for (let i = 0; i < width; i++) {
    const limb = i < 4 ? limb0 : i < 8 ? limb1 : i < 12 ? limb2 : limb3
    data[end - i] = limb >>> (8 * (i & 3))
  }
}
