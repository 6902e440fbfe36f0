import { FloeError } from '@floe/iceberg/values'

import { typePolicyHint } from '../plan/type-policy.ts'
import type { ColumnBuffer } from './column-buffer.ts'

/** PostgreSQL counts from 2000-01-01. */
export const epochShiftDays = 10_957
const epochShiftMicros = 946_684_800_000_000n
export const epochShiftHigh: number = Number(epochShiftMicros >> 32n)
export const epochShiftLow: number = Number(epochShiftMicros & 0xffffffffn)

/** 0001-01-01 and 9999-12-31 in PostgreSQL's days: what every reader of Iceberg can show. */
export const firstDay = -730_119
export const lastDay = 2_921_939
const microsPerDay = 86_400_000_000n
const firstMicro = BigInt(firstDay) * microsPerDay
const lastMicro = BigInt(lastDay + 1) * microsPerDay - 1n
/** High words strictly between these are in range whatever the low word is. */
export const firstMicroHigh: number = Number(firstMicro >> 32n)
export const lastMicroHigh: number = Number(lastMicro >> 32n)

const infinityInt32 = 0x7fffffff
const minusInfinityInt32 = -0x80000000
const infinityInt64 = 0x7fffffffffffffffn
const minusInfinityInt64 = -0x8000000000000000n

/** numeric's sign word. */
const numericNegative = 0x4000
const numericNan = 0xc000
const numericInfinity = 0xd000

type Case = 'infinity' | 'nan' | 'outOfRange'
const caseNames: Readonly<Record<Case, string>> = {
  infinity: 'infinity',
  nan: 'NaN',
  outOfRange: 'out of range',
}

/** The action for a special value; counts it. */
function decide(column: ColumnBuffer, what: Case): 'null' | 'clamp' {
  const action = column.policy[what]
  if (action !== 'error') {
    column.touch(`${caseNames[what]} -> ${action}`)
    return action
  }
  throw new FloeError(
    'unsupported',
    `column ${JSON.stringify(column.name)} holds a value that is ${describe(what)}`,
    {
      hint: `${typePolicyHint(column.name, `${what}: null`)}${otherWays(what, column)}`,
    },
  )
}

/** True when an array of other dimensions becomes one list, false when it becomes null. */
export function flattens(column: ColumnBuffer, found: number, wanted: number): boolean {
  const action = column.policy.dimensions
  if (action === 'null' || (action === 'flatten' && wanted === 1)) {
    column.touch(`${found} dimensions -> ${action}`)
    return action === 'flatten'
  }
  const other = wanted === 1 ? ', or dimensions: flatten' : ''
  throw new FloeError(
    'unsupported',
    `column ${JSON.stringify(column.name)} holds an array of ${found} dimensions, not ${wanted}`,
    { hint: `${typePolicyHint(column.name, `as: list(${found})`)}, or as: json, or as: text${other}` },
  )
}

/** The infinite intervals of PostgreSQL 17 clamp to what they are made of: the ends of all three parts. */
export function keepsInfinity(column: ColumnBuffer): boolean {
  return decide(column, 'infinity') === 'clamp'
}

function describe(what: Case): string {
  if (what === 'outOfRange') return 'out of range of its Iceberg type'
  return `${caseNames[what]}, which its Iceberg type does not have`
}

function otherWays(what: Case, column: ColumnBuffer): string {
  const clamp = what === 'nan' ? '' : ', or clamp'
  const round =
    what === 'outOfRange' && column.decimal !== undefined
      ? ', or a larger type such as as: decimal(38,10), with round after it to drop digits'
      : ''
  return `${clamp}${round}, or as: text`
}

/** These return false when the value becomes null, and true when value `index` has been written. */
export function writeSpecialDate(column: ColumnBuffer, day: number, index: number): boolean {
  const infinite = day === infinityInt32 || day === minusInfinityInt32
  if (decide(column, infinite ? 'infinity' : 'outOfRange') === 'null') return false
  column.int32s[index] = (day < 0 ? firstDay : lastDay) + epochShiftDays
  return true
}

export function writeSpecialTimestamp(
  column: ColumnBuffer,
  high: number,
  low: number,
  index: number,
): boolean {
  let micros = (BigInt(high) << 32n) + BigInt(low)
  if (micros < firstMicro || micros > lastMicro) {
    const infinite = micros === infinityInt64 || micros === minusInfinityInt64
    if (decide(column, infinite ? 'infinity' : 'outOfRange') === 'null') return false
    micros = micros < 0n ? firstMicro : lastMicro
  }
  writeInt64(column, micros + epochShiftMicros, index)
  return true
}

/** `24:00:00`, the only time of day that Iceberg does not have. */
export function writeSpecialTime(column: ColumnBuffer, index: number): boolean {
  if (decide(column, 'outOfRange') === 'null') return false
  writeInt64(column, microsPerDay - 1n, index)
  return true
}

/** NaN, the infinities, too many digits before or after the point; clamping goes to the nearest value. */
export function writeSpecialNumeric(
  column: ColumnBuffer,
  source: DataView,
  at: number,
  index: number,
): boolean {
  const { precision, scale } = column.decimal as { precision: number; scale: number }
  const limit = 10n ** BigInt(precision)
  const sign = source.getUint16(at + 4)
  const finite = sign === 0 || sign === numericNegative
  if (decide(column, finite ? 'outOfRange' : sign === numericNan ? 'nan' : 'infinity') === 'null')
    return false
  const rounded = finite ? roundedMagnitude(source, at, scale) : limit
  const magnitude = rounded < limit ? rounded : limit - 1n
  writeDecimal(column, sign === 0 || sign === numericInfinity ? magnitude : -magnitude, index)
  return true
}

/** Half away from zero, as PostgreSQL rounds numerics. */
function roundedMagnitude(source: DataView, at: number, scale: number): bigint {
  const groups = source.getInt16(at)
  const weight = source.getInt16(at + 2)
  let digits = 0n
  for (let i = 0; i < groups; i++) digits = digits * 10_000n + BigInt(source.getInt16(at + 8 + 2 * i))
  const exponent = 4 * (weight - groups + 1) + scale
  if (exponent >= 0) return digits * 10n ** BigInt(exponent)
  const divisor = 10n ** BigInt(-exponent)
  return (digits * 2n + divisor) / (divisor * 2n)
}

function writeInt64(column: ColumnBuffer, value: bigint, index: number): void {
  column.int32s[2 * index] = Number(BigInt.asIntN(32, value))
  column.int32s[2 * index + 1] = Number(BigInt.asIntN(32, value >> 32n))
}

function writeDecimal(column: ColumnBuffer, value: bigint, index: number): void {
  if (column.layout === 'int32') {
    column.int32s[index] = Number(value)
    return
  }
  if (column.layout === 'int64') {
    writeInt64(column, value, index)
    return
  }
  const { width } = column
  let rest = value
  for (let i = width - 1; i >= 0; i--) {
    column.data[index * width + i] = Number(BigInt.asUintN(8, rest))
    rest >>= 8n
  }
}
