import { childFields, isPrimitive } from '@floe/iceberg/values'
import type { Type } from '@floe/iceberg'
import type { ColumnPlan } from '../plan/column-plan.ts'
import { isScalarWire, scalarWires } from '../plan/wire-type.ts'
import type { NestedWire, ScalarWire, Wire } from '../plan/wire-type.ts'
import { arrayField, scalarBlock, scalarLength } from './scalar-source.ts'

/**
 * The source of the functions that decode columns with parts. Each takes the position `p` of a value, its length `n` (-1
 * for null) and the repetition level `r` that it begins with, and adds one entry at least to every leaf below it.
 * Levels count as Parquet's do (LogicalTypes.md, "Nested Types"): an optional field, a list and a map add one each.
 */

/** A value with a place in a column. */
type Slot = {
  readonly type: Type
  readonly wire: Wire
  /** Definition level of a value that is there. */
  readonly present: number
  /** Definition level when it is null; `undefined` where it must not be. */
  readonly absent: number | undefined
  /** Lists and maps around it. */
  readonly depth: number
  /** Index of its first leaf. */
  readonly leaf: number
}

type NestedSlot = Slot & { readonly wire: NestedWire }

/** Functions of one column, the outermost last, as `nested<leaf>`; none for a column that is a scalar. */
export function nestedSource({ type, wire, required }: ColumnPlan, leaf: number): readonly string[] {
  if (isScalarWire(wire)) return []
  const functions: string[] = []
  const top = { type, wire, leaf, depth: 0, present: required ? 0 : 1, absent: required ? undefined : 0 }
  const body = nestedBody(top, functions)
  return [...functions, nestedFunction(`nested${leaf}`, top, body)]
}

function nestedFunction(name: string, slot: Slot, body: string): string {
  return `function ${name}(bytes, view, p, n, r) {
if (n === -1) { ${onAbsent(slot)}; return }
${body}
}`
}

function nestedBody(slot: NestedSlot, functions: string[]): string {
  const { wire } = slot
  switch (wire.kind) {
    case 'list':
      return listBody(slot, wire, functions)
    case 'struct':
      return structBody(slot, wire, functions)
    case 'interval':
      return intervalBody(slot)
    case 'hstore':
      return hstoreBody(slot)
  }
}

/** Code that decodes the value at `p` and stays there. */
function slotCode(slot: Slot, array: string | undefined, functions: string[]): string {
  if (isScalarWire(slot.wire)) return scalarCode(slot, slot.wire, array)
  const body = nestedBody({ ...slot, wire: slot.wire }, functions)
  const name = `part${functions.length}of${slot.leaf}`
  functions.push(nestedFunction(name, slot, body))
  return `${name}(bytes, view, p, n, r)`
}

function scalarCode(slot: Slot, wire: ScalarWire, array: string | undefined): string {
  const column = `c${slot.leaf}`
  const onValue = `${column}.valueCount = k + 1; ${column}.addLevel(${slot.present}, r)`
  const onNull = onAbsent(slot)
  const target = { column, onValue, onNull }
  const values = array ?? `${column}.${arrayField(wire) ?? ''}`
  return `if (n ${scalarLength(wire)}) { const k = ${column}.valueCount
${scalarBlock(wire, values, target)}
} else if (n === -1) { ${onNull} } else h.badLength(${column}, n)`
}

function onAbsent({ absent, leaf, wire }: Slot): string {
  return absent === undefined ? `h.nullInRequired(c${leaf})` : fill(leaf, wire, absent)
}

/** One entry of every leaf below, none of them a value. */
function fill(leaf: number, wire: Wire, level: number): string {
  return scalarWires(wire)
    .map((_, index) => `c${leaf + index}.addLevel(${level}, r)`)
    .join('; ')
}

/** `array_send`: dimensions, flags, element type, then for each dimension its length and lower bound, then the elements. */
function listBody(slot: Slot, wire: Extract<Wire, { kind: 'list' }>, functions: string[]): string {
  const { leaf, depth, present } = slot
  const { dimensions, element } = wire
  // The list that holds the elements is inside one optional list for each dimension before the last.
  const inside = present + 2 * dimensions - 1
  const child = {
    type: innermost(slot.type, dimensions),
    wire: element,
    leaf,
    depth: depth + dimensions,
    absent: inside,
    present: inside + 1,
  }
  const field = isScalarWire(element) ? arrayField(element) : undefined
  const code = slotCode(child, field === undefined ? undefined : 'a', functions)
  const room = scalarWires(element).map(
    (_, index) => `c${leaf + index}.reserve(c${leaf + index}.valueCount + count)`,
  )
  return `const found = view.getInt32(p)
if (found === 0) { ${fill(leaf, wire, present)}; return }
let count = view.getInt32(p + 12)
${dimensionsCode(slot, dimensions)}
p += 12 + 8 * found
${room.join('; ')}
${field === undefined ? '' : `const a = c${leaf}.${field}`}
const first = r
for (let i = 0; i < count; i++) {
r = i === 0 ? first : ${repetition(depth + 1, dimensions)}
n = view.getInt32(p); p += 4
${code}
if (n > 0) p += n
}`
}

/** Elements of an array lie in row-major order, whatever its dimensions. */
function dimensionsCode(slot: Slot, dimensions: number): string {
  if (dimensions === 1) {
    return `if (found !== 1) { if (!h.flattens(c${slot.leaf}, found, 1)) { ${onAbsent(slot)}; return }
for (let d = 1; d < found; d++) count *= view.getInt32(p + 12 + 8 * d) }`
  }
  const sizes = Array.from({ length: dimensions - 1 }, (_, index) => index + 1)
  const strides = sizes
    .toReversed()
    .map((dimension, index) => {
      const inner = index === 0 ? '1' : `s${dimension + 1}`
      return `const s${dimension} = ${inner} * view.getInt32(p + ${12 + 8 * dimension})`
    })
    .join('; ')
  return `if (found !== ${dimensions}) { h.flattens(c${slot.leaf}, found, ${dimensions}); ${onAbsent(slot)}; return }
${strides}; count *= s1`
}

/** The list that element `i` begins anew: the outermost whose stride divides it. `sN` is the elements of one entry of list N. */
function repetition(outermost: number, dimensions: number): string {
  const tests = Array.from(
    { length: dimensions - 1 },
    (_, index) => `i % s${index + 1} === 0 ? ${outermost + index} : `,
  )
  return `${tests.join('')}${outermost + dimensions - 1}`
}

function innermost(type: Type, dimensions: number): Type {
  let inner = type
  for (let dimension = 0; dimension < dimensions; dimension++)
    if (inner.kind === 'list') inner = inner.element
  return inner
}

/** `record_send`: the number of fields, then for each its type and its value. */
function structBody(slot: Slot, wire: Extract<Wire, { kind: 'struct' }>, functions: string[]): string {
  const { type, depth, present } = slot
  const fields = isPrimitive(type) ? [] : childFields(type)
  let leaf = slot.leaf
  const codes = wire.fields.map((fieldWire, index) => {
    const field = fields[index]
    const isRequired = field?.required === true
    const child = {
      type: field?.type ?? type,
      wire: fieldWire,
      leaf,
      depth,
      present: present + (isRequired ? 0 : 1),
      absent: isRequired ? undefined : present,
    }
    leaf += scalarWires(fieldWire).length
    return `n = view.getInt32(p + 4); p += 8
${slotCode(child, undefined, functions)}
if (n > 0) p += n`
  })
  return `if (view.getInt32(p) !== ${wire.fields.length}) h.malformedRow()
p += 4
${codes.join('\n')}`
}

/** Microseconds, days, months; the infinities of PostgreSQL 17 have the extremes of all three. */
function intervalBody(slot: Slot): string {
  const [months, days, micros] = [0, 1, 2].map((index) => `c${slot.leaf + index}`)
  const add = [months, days, micros]
    .map((column) => `${column}.valueCount = k + 1; ${column}.addLevel(${slot.present}, r)`)
    .join('; ')
  return `if (n !== 16) h.badLength(${months}, n)
const high = view.getInt32(p), day = view.getInt32(p + 8), month = view.getInt32(p + 12), k = ${months}.valueCount
if (month === day && day === high && (day === 2147483647 || day === -2147483648) && !h.keepsInfinity(${months})) { ${onAbsent(slot)}; return }
${months}.int32s[k] = month; ${days}.int32s[k] = day
${micros}.int32s[2 * k] = view.getInt32(p + 4); ${micros}.int32s[2 * k + 1] = high
${add}`
}

/** The number of pairs, then keys and values. */
function hstoreBody(slot: Slot): string {
  const { leaf, wire, present } = slot
  const text = { kind: 'text' } as const
  const inside = { type: { kind: 'string' }, wire: text, depth: slot.depth + 1 } as const
  const key = scalarCode({ ...inside, leaf, present: present + 1, absent: undefined }, text, undefined)
  const value = scalarCode(
    { ...inside, leaf: leaf + 1, present: present + 2, absent: present + 1 },
    text,
    undefined,
  )
  return `const count = view.getInt32(p), first = r
p += 4
if (count === 0) { ${fill(leaf, wire, present)}; return }
c${leaf}.reserve(c${leaf}.valueCount + count); c${leaf + 1}.reserve(c${leaf + 1}.valueCount + count)
for (let i = 0; i < count; i++) {
r = i === 0 ? first : ${slot.depth + 1}
n = view.getInt32(p); p += 4
${key}
p += n
n = view.getInt32(p); p += 4
${value}
if (n > 0) p += n
}`
}
