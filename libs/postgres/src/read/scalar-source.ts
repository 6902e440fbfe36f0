import { int32PrecisionMax } from '../plan/wire-type.ts'
import type { ScalarWire } from '../plan/wire-type.ts'
import {
  epochShiftDays,
  epochShiftHigh,
  epochShiftLow,
  firstDay,
  firstMicroHigh,
  lastDay,
  lastMicroHigh,
} from './special-value.ts'

/** A decimal that a double sums exactly: 10^15 < 2^53. */
const doublePrecisionMax = 15

/** Where a block puts its value, and what follows on either outcome. */
export type Target = { readonly column: string; readonly onValue: string; readonly onNull: string }

/** The array of a column's buffer that its values are written to; strings go through a call. */
export function arrayField(scalar: ScalarWire): string | undefined {
  switch (scalar.kind) {
    case 'bool':
      return 'data'
    case 'float4':
      return 'float32s'
    case 'float8':
      return 'float64s'
    case 'text':
    case 'bytea':
    case 'jsonb':
      return undefined
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'uuid':
    case 'numeric':
      return 'int32s'
  }
}

/** The check of a value's length; what has no fixed length only must not be null. */
export function scalarLength(scalar: ScalarWire): string {
  switch (scalar.kind) {
    case 'bool':
      return '=== 1'
    case 'int2':
      return '=== 2'
    case 'int4':
    case 'oid':
    case 'float4':
    case 'date':
      return '=== 4'
    case 'int8':
    case 'float8':
    case 'time':
    case 'timestamp':
      return '=== 8'
    case 'uuid':
      return '=== 16'
    case 'numeric':
      return '>= 8'
    case 'jsonb':
      return '>= 1'
    case 'text':
    case 'bytea':
      return '>= 0'
  }
}

/** Reads the scalar at `p` into index `k` of `array`. */
export function scalarBlock(scalar: ScalarWire, array: string, target: Target): string {
  const { column, onValue } = target
  switch (scalar.kind) {
    case 'bool':
      return `${array}[k] = bytes[p]; ${onValue}`
    case 'int2':
      return `${array}[k] = view.getInt16(p); ${onValue}`
    case 'int4':
      return `${array}[k] = view.getInt32(p); ${onValue}`
    case 'oid':
      return `${array}[2 * k] = view.getInt32(p); ${array}[2 * k + 1] = 0; ${onValue}`
    case 'int8':
      return `${array}[2 * k] = view.getInt32(p + 4); ${array}[2 * k + 1] = view.getInt32(p); ${onValue}`
    case 'float4':
      return `${array}[k] = view.getFloat32(p); ${onValue}`
    case 'float8':
      return `${array}[k] = view.getFloat64(p); ${onValue}`
    case 'uuid':
      return `${[0, 1, 2, 3].map((word) => `${array}[4 * k + ${word}] = view.getInt32(p + ${4 * word}, true)`).join('; ')}; ${onValue}`
    case 'text':
    case 'bytea':
      return `${column}.addBytes(bytes, view, p, n, k); ${onValue}`
    case 'jsonb':
      return `${column}.addBytes(bytes, view, p + 1, n - 1, k); ${onValue}`
    case 'date':
      return dateBlock(array, target)
    case 'time':
      return timeBlock(array, target)
    case 'timestamp':
      return timestampBlock(array, target)
    case 'numeric':
      return scalar.precision <= doublePrecisionMax
        ? doubleDecimalBlock(scalar, array, target)
        : outcome(`h.writeWideDecimal(${column}, h.shapes[${column.slice(1)}], view, p, k)`, target)
  }
}

function outcome(written: string, { onValue, onNull }: Target): string {
  return `if (${written}) { ${onValue} } else { ${onNull} }`
}

function dateBlock(array: string, target: Target): string {
  return `const d = view.getInt32(p)
if (d >= ${firstDay} && d <= ${lastDay}) { ${array}[k] = d + ${epochShiftDays}; ${target.onValue} }
else ${outcome(`h.writeSpecialDate(${target.column}, d, k)`, target)}`
}

/** Microseconds below 24 hours: 20 * 2^32 + 500,654,080. */
function timeBlock(array: string, target: Target): string {
  return `const high = view.getInt32(p), low = view.getUint32(p + 4)
if (high < 20 || (high === 20 && low < 500654080)) { ${array}[2 * k] = low; ${array}[2 * k + 1] = high; ${target.onValue} }
else ${outcome(`h.writeSpecialTime(${target.column}, k)`, target)}`
}

/** Shifts the epoch on halves; the low sum is below 2^33, and its carry is the 33rd bit. */
function timestampBlock(array: string, target: Target): string {
  return `const high = view.getInt32(p), low = view.getUint32(p + 4)
if (high > ${firstMicroHigh} && high < ${lastMicroHigh}) { const sum = low + ${epochShiftLow}
${array}[2 * k] = sum; ${array}[2 * k + 1] = high + ${epochShiftHigh} + (sum > 4294967295 ? 1 : 0); ${target.onValue} }
else ${outcome(`h.writeSpecialTimestamp(${target.column}, high, low, k)`, target)}`
}

/**
 * Sums the base-10000 groups of a numeric of up to 15 digits in a double. `left` counts the groups from the first digit
 * to the last whole group of the scale; `rest` digits of one more group may follow. `numeric_send` drops trailing zero
 * groups.
 */
function doubleDecimalBlock(
  { precision, scale }: { precision: number; scale: number },
  array: string,
  target: Target,
): string {
  const rest = scale % 4
  const divisor = 10 ** (4 - rest)
  const tail =
    rest === 0
      ? `let exact = groups <= left`
      : `let exact = true
if (groups > left) { if (left < 0 || groups > left + 1) exact = false
else { const last = view.getInt16(q); acc = acc * ${10 ** rest} + ((last / ${divisor}) | 0); exact = last % ${divisor} === 0 } }
else acc *= ${10 ** rest}`
  const store =
    precision <= int32PrecisionMax
      ? `${array}[k] = sign === 0 ? acc : -acc`
      : `if (sign !== 0) acc = -acc
${array}[2 * k] = acc; ${array}[2 * k + 1] = Math.floor(acc / 4294967296)`
  return `const groups = view.getInt16(p), sign = view.getUint16(p + 4), left = view.getInt16(p + 2) + ${1 + Math.floor(scale / 4)}
const full = groups < left ? groups : left
let acc = 0, q = p + 8
for (let i = 0; i < full; i++) { acc = acc * 10000 + view.getInt16(q); q += 2 }
for (let i = groups; i < left; i++) acc *= 10000
${tail}
if (exact && acc < ${10 ** precision} && (sign === 0 || sign === 16384)) { ${store}; ${target.onValue} }
else ${outcome(`h.writeSpecialNumeric(${target.column}, view, p, k)`, target)}`
}
