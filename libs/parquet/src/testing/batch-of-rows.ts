import { decimalBytes } from '../decimal-bytes.ts'
import {
  leafFields,
  uuidToBytes,
  type NestedField,
  type PrimitiveType,
  type PrimitiveValue,
  type Schema,
  type Type,
} from '@floe/iceberg'
import type { ColumnBatch, LeafColumn, LeafValues } from '../column.ts'

/** A value as tests write it: structs by field name, lists as arrays, maps as arrays of pairs. */
export type RowValue = PrimitiveValue | null | readonly RowValue[] | { readonly [field: string]: RowValue }
export type Row = { readonly [field: string]: RowValue }

type Entries = {
  readonly values: PrimitiveValue[]
  readonly definitions: number[]
  readonly repetitions: number[]
}
type EntriesById = ReadonlyMap<number, Entries>
/** Levels of the place that a value is put at; `depth` counts the lists and maps around it. */
type Place = { readonly definition: number; readonly repetition: number; readonly depth: number }

/** Rows to columns by the Dremel paper's recursion: slow, plain, and independent of the encoder. */
export function batchOfRows(schema: Schema, rows: readonly Row[]): ColumnBatch {
  const leaves = leafFields(schema)
  const entriesById = new Map(
    leaves.map(({ field }): [number, Entries] => [
      field.id,
      { values: [], definitions: [], repetitions: [] },
    ]),
  )
  const top: Place = { definition: 0, repetition: 0, depth: 0 }
  for (const row of rows) {
    for (const field of schema.fields) shredSlot(entriesById, field, row[field.name] ?? null, top)
  }
  const columns = leaves.map((leaf): LeafColumn => {
    const entries = entriesById.get(leaf.field.id) as Entries
    const isFull = entries.definitions.every((level) => level === leaf.maxDefinitionLevel)
    return {
      fieldId: leaf.field.id,
      levelCount: entries.definitions.length,
      valueCount: entries.values.length,
      definitionLevels: isFull ? undefined : Uint8Array.from(entries.definitions),
      repetitionLevels: leaf.maxRepetitionLevel === 0 ? undefined : Uint8Array.from(entries.repetitions),
      values: leafValues(leaf.field.type, entries.values),
    }
  })
  return { rowCount: rows.length, columns }
}

function shredSlot(entries: EntriesById, slot: Slot, value: RowValue, place: Place): void {
  if (value !== null) {
    shredValue(entries, slot, value, { ...place, definition: place.definition + (slot.required ? 0 : 1) })
  } else if (slot.required) throw new Error(`test row has no value for ${slot.name}`)
  else fillNulls(entries, slot, place)
}

function shredValue(entries: EntriesById, slot: Slot, value: RowValue, place: Place): void {
  const { type } = slot
  if (type.kind === 'struct') {
    for (const child of type.fields) shredSlot(entries, child, (value as Row)[child.name] ?? null, place)
  } else if (type.kind === 'list' || type.kind === 'map') {
    const items = value as readonly RowValue[]
    if (items.length === 0) fillNulls(entries, slot, place)
    const depth = place.depth + 1
    items.forEach((item, index) => {
      const repetition = index === 0 ? place.repetition : depth
      const parts = type.kind === 'list' ? [item] : (item as readonly RowValue[])
      childSlots(type).forEach((child, part) => {
        shredSlot(entries, child, parts[part] ?? null, {
          definition: place.definition + 1,
          repetition,
          depth,
        })
      })
    })
  } else {
    addEntry(entries, slot, place)
    entries.get(slot.id)?.values.push(value as PrimitiveValue)
  }
}

function fillNulls(entries: EntriesById, slot: Slot, place: Place): void {
  const children = childSlots(slot.type)
  if (children.length === 0) addEntry(entries, slot, place)
  for (const child of children) fillNulls(entries, child, place)
}

function addEntry(entries: EntriesById, slot: Slot, place: Place): void {
  entries.get(slot.id)?.definitions.push(place.definition)
  entries.get(slot.id)?.repetitions.push(place.repetition)
}

type Slot = Pick<NestedField, 'id' | 'name' | 'type' | 'required'>

function childSlots(type: Type): readonly Slot[] {
  switch (type.kind) {
    case 'struct':
      return type.fields
    case 'list':
      return [{ id: type.elementId, name: 'element', type: type.element, required: type.elementRequired }]
    case 'map':
      return [
        { id: type.keyId, name: 'key', type: type.key, required: true },
        { id: type.valueId, name: 'value', type: type.value, required: type.valueRequired },
      ]
    default:
      return []
  }
}

/** Values of the spec's form in the layout that the column contract asks for. */
function leafValues(type: PrimitiveType, values: readonly PrimitiveValue[]): LeafValues {
  switch (type.kind) {
    case 'boolean':
      return { layout: 'boolean', bytes: Uint8Array.from(values, Number) }
    case 'int':
    case 'date':
      return { layout: 'int32', values: Int32Array.from(values as readonly number[]) }
    case 'float':
      return { layout: 'float', values: Float32Array.from(values as readonly number[]) }
    case 'double':
      return { layout: 'double', values: Float64Array.from(values as readonly number[]) }
    case 'decimal':
      if (type.precision <= 9) return { layout: 'int32', values: Int32Array.from(values, Number) }
      if (type.precision <= 18) return int64Values(values as readonly bigint[])
      return fixedValues(
        values.map((value) => bigEndian(value as bigint, decimalBytes(type.precision))),
        decimalBytes(type.precision),
      )
    case 'uuid':
      return fixedValues(
        values.map((value) => uuidToBytes(value as string)),
        16,
      )
    case 'fixed':
      return fixedValues(values as readonly Uint8Array[], type.length)
    case 'string':
      return byteArrays(values.map((value) => new TextEncoder().encode(value as string)))
    case 'binary':
      return byteArrays(values as readonly Uint8Array[])
    default:
      return int64Values(values as readonly bigint[])
  }
}

function int64Values(values: readonly bigint[]): LeafValues {
  return { layout: 'int64', words: new Int32Array(BigInt64Array.from(values).buffer) }
}

function fixedValues(values: readonly Uint8Array[], width: number): LeafValues {
  return { layout: 'fixed', width, data: new Uint8Array(Buffer.concat(values)) }
}

function byteArrays(values: readonly Uint8Array[]): Extract<LeafValues, { layout: 'bytes' }> {
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, index) => (offsets[index + 1] = (offsets[index] as number) + value.length))
  return { layout: 'bytes', offsets, data: new Uint8Array(Buffer.concat(values)) }
}

function bigEndian(value: bigint, width: number): Uint8Array {
  const hex = BigInt.asUintN(width * 8, value)
    .toString(16)
    .padStart(width * 2, '0')
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
