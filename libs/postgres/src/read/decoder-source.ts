import { leafPlans } from '../plan/leaf-plan.ts'
import type { ColumnPlan } from '../plan/column-plan.ts'
import { isScalarWire } from '../plan/wire-type.ts'
import { nestedSource } from './nested-source.ts'
import { arrayField, scalarBlock, scalarLength } from './scalar-source.ts'

/**
 * The source of the decoder of one table: straight-line code, one block a column, with nothing in it but numbers and
 * the positions of columns. Measured on TPC-H lineitem: a closure or a `switch` per field costs three times as much.
 *
 * Names in the source: `bytes` and `view` are the receive buffer, `p` the position of the value, `n` its length on the
 * wire, `k` its index, `cN` the buffer of leaf N, `h` the functions for rare and for long values.
 */

/** Columns of one function. V8 stops optimising functions of more than 60 KB of bytecode. */
const columnsPerFunction = 32

/** A column of the table and the index of its first leaf. */
type PlacedColumn = { readonly plan: ColumnPlan; readonly leaf: number }

export function decoderSource(plans: readonly ColumnPlan[]): string {
  let leafCount = 0
  const columns = plans.map((plan): PlacedColumn => {
    const leaf = leafCount
    leafCount += leafPlans(plan).length
    return { plan, leaf }
  })
  const declarations = Array.from({ length: leafCount }, (_, leaf) => `const c${leaf} = columns[${leaf}]`)
  const nested = columns.flatMap(({ plan, leaf }) => nestedSource(plan, leaf))
  const groups = chunked(columns, columnsPerFunction)
  const single = groups.length === 1
  const functions = single ? [] : groups.map(groupFunction)
  const calls = single
    ? blocks(columns)
    : groups.map((_, group) => `p = group${group}(bytes, view, p, row)`).join('\n')
  const loop = rowLoop(plans.length, single ? arrays(columns) : '', calls)
  return [`'use strict'`, ...declarations, ...nested, ...functions, loop].join('\n')
}

function chunked<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  )
}

function blocks(columns: readonly PlacedColumn[]): string {
  return columns.map(columnBlock).join('\n')
}

function arrays(columns: readonly PlacedColumn[]): string {
  return columns.map(arrayDeclaration).join('\n')
}

function groupFunction(columns: readonly PlacedColumn[], group: number): string {
  return `function group${group}(bytes, view, p, row) {
${arrays(columns)}
let n = 0
${blocks(columns)}
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
function arrayDeclaration({ plan: { wire }, leaf }: PlacedColumn): string {
  const field = isScalarWire(wire) ? arrayField(wire) : undefined
  return field === undefined ? '' : `const a${leaf} = c${leaf}.${field}`
}

function columnBlock({ plan: { required, wire }, leaf }: PlacedColumn): string {
  const column = `c${leaf}`
  if (!isScalarWire(wire)) {
    return `n = view.getInt32(p); p += 4; nested${leaf}(bytes, view, p, n, 0); if (n > 0) p += n`
  }
  const onNull = required ? `h.nullInRequired(${column})` : `${column}.addNull(row)`
  const k = required ? 'const k = row' : `const k = row - ${column}.nullCount`
  return `n = view.getInt32(p); p += 4
if (n ${scalarLength(wire)}) { ${k}
${scalarBlock(wire, `a${leaf}`, { column, onValue: '', onNull })}
p += n } else if (n === -1) { ${onNull} } else h.badLength(${column}, n)`
}
