import type { ColumnPlan } from '../plan/column-plan.ts'
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

/**
 * The source of the decoder of one table: straight-line code, one block a column, with nothing in it but numbers and
 * the positions of columns. Measured on TPC-H lineitem: a closure or a `switch` per field costs three times as much.
 *
 * Names in the source: `bytes` and `view` are the receive buffer, `p` the position of the value, `n` its length on the
 * wire, `k` its index, `cN` the column's buffer, `h` the functions for rare and for long values.
 */

/** Columns of one function. V8 stops optimising functions of more than 60 KB of bytecode. */
const columnsPerFunction = 32

/** A decimal that a double sums exactly: 10^15 < 2^53. */
const doublePrecisionMax = 15

/** Where a block puts its value, and what follows on either outcome. */
type Target = { readonly column: string; readonly onValue: string; readonly onNull: string }

export function decoderSource(plans: readonly ColumnPlan[]): string {
  const groups = chunked(
    plans.map((_, index) => index),
    columnsPerFunction,
  )
  const declarations = plans.map((_, index) => `const c${index} = columns[${index}]`)
  const lists = plans.flatMap((plan, index) => (plan.wire.list ? [listFunction(plan, index)] : []))
  const body = (indexes: readonly number[]): string =>
    indexes.map((index) => columnBlock(plans[index] as ColumnPlan, index)).join('\n')
  const arrays = (indexes: readonly number[]): string =>
    indexes.map((index) => arrayDeclaration(plans[index] as ColumnPlan, index)).join('\n')
  const single = groups.length === 1
  const functions = single
    ? []
    : groups.map((indexes, group) => groupFunction(group, arrays(indexes), body(indexes)))
  const calls = single
    ? body(groups[0] ?? [])
    : groups.map((_, group) => `p = group${group}(bytes, view, p, row)`).join('\n')
  const loop = rowLoop(plans.length, single ? arrays(groups[0] ?? []) : '', calls)
  return [`'use strict'`, ...declarations, ...lists, ...functions, loop].join('\n')
}

function chunked(indexes: readonly number[], size: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(indexes.length / size) }, (_, group) =>
    indexes.slice(group * size, (group + 1) * size),
  )
}

function groupFunction(group: number, arrays: string, body: string): string {
  return `function group${group}(bytes, view, p, row) {
${arrays}
let n = 0
${body}
return p
}`
}

/**
 * Rows are whole when they are decoded: PostgreSQL sends each in one CopyData message, whose length comes first
 * (protocol chapter "COPY Operations"), so that no block checks for the end of the buffer.
 */
function rowLoop(columnCount: number, arrays: string, body: string): string {
  return `return function decode(bytes, view, start, end, rowLimit, byteLimit) {
${arrays}
let pos = start, row = state.rowCount, n = 0
for (;;) {
if (row >= rowLimit) { state.stop = 'full'; break }
if (end - pos < 5) { state.stop = 'partial'; break }
if (bytes[pos] !== 100) { state.stop = 'other'; break }
const next = pos + 1 + view.getInt32(pos + 1)
if (next > end) { state.stop = 'partial'; break }
if (next > byteLimit && row > 0) { state.stop = 'full'; break }
if (view.getInt16(pos + 5) !== ${columnCount}) { state.stop = 'other'; break }
let p = pos + 7
${body}
if (p !== next) h.malformedRow()
pos = next
row++
}
state.rowCount = row
return pos
}`
}

/** Flat columns have room for all rows of a call, so their arrays stay the same during it. */
function arrayDeclaration({ wire: { scalar, list } }: ColumnPlan, index: number): string {
  const field = arrayField(scalar)
  return list || field === undefined ? '' : `const a${index} = c${index}.${field}`
}

function arrayField(scalar: ScalarWire): string | undefined {
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

function columnBlock({ required, wire: { scalar, list } }: ColumnPlan, index: number): string {
  const column = `c${index}`
  if (list) return `n = view.getInt32(p); p = list${index}(bytes, view, p + 4, n)`
  const onNull = required ? `h.nullInRequired(${column})` : `${column}.addNull(row)`
  const k = required ? 'const k = row' : `const k = row - ${column}.nullCount`
  return `n = view.getInt32(p); p += 4
if (n ${scalarLength(scalar)}) { ${k}
${scalarBlock(scalar, `a${index}`, { column, onValue: '', onNull })}
p += n } else if (n === -1) { ${onNull} } else h.badLength(${column}, n)`
}

/** The check of a value's length; what has no fixed length only must not be null. */
function scalarLength(scalar: ScalarWire): string {
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

/**
 * A one-dimensional array (`array_send`): dimensions, flags, element type, then for each dimension its length and lower
 * bound, then the elements. Levels count as Parquet's three-level LIST does.
 */
function listFunction({ required, wire: { scalar } }: ColumnPlan, index: number): string {
  const column = `c${index}`
  const empty = required ? 0 : 1
  const onValue = `${column}.valueCount = k + 1; ${column}.addLevel(${empty + 2}, repetition)`
  const onNull = `${column}.addLevel(${empty + 1}, repetition)`
  const field = arrayField(scalar)
  return `function list${index}(bytes, view, p, n) {
if (n === -1) { ${required ? `h.nullInRequired(${column})` : `${column}.addLevel(0, 0)`}; return p }
const dimensions = view.getInt32(p)
if (dimensions === 0) { ${column}.addLevel(${empty}, 0); return p + 12 }
if (dimensions !== 1) h.manyDimensions(${column})
const count = view.getInt32(p + 12)
${column}.reserve(${column}.valueCount + count)
${field === undefined ? '' : `const a = ${column}.${field}`}
p += 20
for (let i = 0; i < count; i++) {
const repetition = i === 0 ? 0 : 1
n = view.getInt32(p); p += 4
if (n ${scalarLength(scalar)}) { const k = ${column}.valueCount
${scalarBlock(scalar, 'a', { column, onValue, onNull })}
p += n } else if (n === -1) { ${onNull} } else h.badLength(${column}, n)
}
return p
}`
}

function scalarBlock(scalar: ScalarWire, array: string, target: Target): string {
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
