import { childFields, isPrimitive } from '@floe/iceberg/values'
import type { NestedField, PrimitiveType } from '@floe/iceberg'
import type { ColumnBatch, LeafColumn } from '@floe/parquet'
import type { ColumnPlan } from './plan/column-plan.ts'
import { leafPlans } from './plan/leaf-plan.ts'

/**
 * A value in the form that the tests compare: numbers, bigint for 64 bits and decimals, hex for bytes, structs by field
 * name, maps as pairs.
 */
export type BatchValue =
  | boolean
  | number
  | bigint
  | string
  | null
  | readonly BatchValue[]
  | { readonly [field: string]: BatchValue }

/** The rows of a batch, read through nothing but the column contract. For tests. */
export function batchRows(
  plans: readonly ColumnPlan[],
  { rowCount, columns }: ColumnBatch,
): readonly (readonly BatchValue[])[] {
  let leaf = 0
  const readers = plans.map((plan) => {
    const leaves = leafPlans(plan).map((_, index): LeafCursor => ({
      column: columns[leaf + index] as LeafColumn,
      entry: 0,
      value: 0,
    }))
    leaf += leaves.length
    return { field: { ...plan, id: plan.fieldId }, leaves }
  })
  const rows = Array.from({ length: rowCount }, () =>
    readers.map(({ field, leaves }) => readSlot(field, leaves, 0, 0)),
  )
  for (const { field, leaves } of readers) {
    for (const { column, entry, value } of leaves) {
      if (entry === column.levelCount && value === column.valueCount) continue
      throw new Error(
        `${field.name}: ${entry} of ${column.levelCount} entries, ${value} of ${column.valueCount} values`,
      )
    }
  }
  return rows
}

type Slot = Pick<NestedField, 'name' | 'type' | 'required'>
type LeafCursor = { readonly column: LeafColumn; entry: number; value: number }

/** Record assembly of the Dremel paper: `parent` is the definition level around the slot, `depth` the lists around it. */
function readSlot(slot: Slot, leaves: readonly LeafCursor[], parent: number, depth: number): BatchValue {
  const { type } = slot
  const [first] = leaves as readonly [LeafCursor]
  const present = parent + (slot.required ? 0 : 1)
  const level = first.column.definitionLevels?.[first.entry] ?? Number.MAX_SAFE_INTEGER
  if (level < present) return skipEntry(leaves, null)
  if (isPrimitive(type)) {
    first.entry++
    return valueAt(type, first.column, first.value++)
  }
  if (type.kind === 'struct') {
    return Object.fromEntries(
      readChildren(type.fields, leaves, present, depth).map((value, index) => [
        type.fields[index]?.name,
        value,
      ]),
    )
  }
  if (level === present) return skipEntry(leaves, [])
  const items: BatchValue[] = []
  do {
    const parts = readChildren(childFields(type), leaves, present + 1, depth + 1)
    items.push(type.kind === 'list' ? (parts[0] as BatchValue) : parts)
  } while (
    first.entry < first.column.levelCount &&
    (first.column.repetitionLevels?.[first.entry] ?? 0) > depth
  )
  return items
}

function readChildren(
  fields: readonly NestedField[],
  leaves: readonly LeafCursor[],
  parent: number,
  depth: number,
): readonly BatchValue[] {
  let at = 0
  return fields.map((field) => {
    const count = leafCount(field)
    const value = readSlot(field, leaves.slice(at, at + count), parent, depth)
    at += count
    return value
  })
}

function leafCount({ type }: Slot): number {
  return isPrimitive(type) ? 1 : childFields(type).reduce((total, field) => total + leafCount(field), 0)
}

function skipEntry(leaves: readonly LeafCursor[], value: BatchValue): BatchValue {
  for (const leaf of leaves) leaf.entry++
  return value
}

function valueAt(type: PrimitiveType, { values }: LeafColumn, index: number): BatchValue {
  switch (values.layout) {
    case 'boolean':
      return values.bytes[index] === 1
    case 'int32':
      return values.values[index] as number
    case 'int64':
      return (
        (BigInt(values.words[2 * index + 1] as number) << 32n) |
        BigInt((values.words[2 * index] as number) >>> 0)
      )
    case 'float':
    case 'double':
      return values.values[index] as number
    case 'fixed': {
      const hex = hexOf(values.data, index * values.width, (index + 1) * values.width)
      return type.kind === 'decimal' ? BigInt.asIntN(values.width * 8, BigInt(`0x${hex}`)) : hex
    }
    case 'bytes':
      return textOrHex(type, values.data, values.offsets, index)
    case 'dictionary':
      return textOrHex(type, values.data, values.offsets, values.ids[index] as number)
  }
}

function textOrHex(type: PrimitiveType, data: Uint8Array, offsets: Int32Array, index: number): string {
  const [from, to] = [offsets[index] as number, offsets[index + 1] as number]
  return type.kind === 'binary' ? hexOf(data, from, to) : new TextDecoder().decode(data.subarray(from, to))
}

function hexOf(data: Uint8Array, from: number, to: number): string {
  return Buffer.from(data.buffer, data.byteOffset + from, to - from).toString('hex')
}
