import { FloeError, type NestedField, type PrimitiveType, type Schema, type Type } from '@floe/iceberg'
import type { PhysicalType, Repetition } from './file-format.ts'
import { logicalTypeOf, type LogicalType } from './logical-type.ts'

/** One SchemaElement of the footer. */
export type SchemaNode = {
  readonly name: string
  readonly repetition?: Repetition
  readonly fieldId?: number
  readonly physical?: PhysicalType
  readonly width?: number
  readonly logical?: LogicalType
  readonly childCount?: number
}

/** How min and max of a leaf are ordered; `none` leaves carry no bounds. */
export type ValueOrder = 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'unsigned-bytes' | 'signed-bytes' | 'none'

/** One column of the file. */
export type Leaf = {
  readonly fieldId: number
  /** Dotted Iceberg name, as table properties spell it (`tags.element`). */
  readonly name: string
  readonly path: readonly string[]
  readonly type: PrimitiveType
  readonly physical: PhysicalType
  /** Bytes of a value for `fixed`, else 0. */
  readonly width: number
  readonly order: ValueOrder
  readonly definitionLevelMax: number
  readonly repetitionLevelMax: number
}

export type FileSchema = {
  /** Depth first, the root before all. */
  readonly nodes: readonly SchemaNode[]
  readonly leaves: readonly Leaf[]
  /** Index in `leaves` of every leaf of the Iceberg schema; -1 for `unknown` leaves, which no file stores. */
  readonly leafPositions: readonly number[]
}

type Level = {
  readonly path: readonly string[]
  readonly name: readonly string[]
  readonly definition: number
  readonly repetition: number
}

type Slot = { readonly id: number; readonly name: string; readonly type: Type; readonly required: boolean }

/**
 * Parquet's form of an Iceberg schema (spec "Appendix A, Parquet"): field ids on every Iceberg node, lists and maps in
 * the standard three-level shape. `unknown` fields are left out.
 * @throws FloeError `unsupported` for variant leaves
 */
export function fileSchema(schema: Schema): FileSchema {
  const nodes: SchemaNode[] = []
  const leaves: Leaf[] = []
  const leafPositions: number[] = []
  const root: Level = { path: [], name: [], definition: 0, repetition: 0 }
  nodes.push({ name: 'table', childCount: schema.fields.filter(isStored).length })
  for (const field of schema.fields) addSlot(field, root)
  return { nodes, leaves, leafPositions }

  function addSlot(slot: Slot, parent: Level): void {
    const level: Level = {
      path: [...parent.path, slot.name],
      name: [...parent.name, slot.name],
      definition: parent.definition + (slot.required ? 0 : 1),
      repetition: parent.repetition,
    }
    const repetition: Repetition = slot.required ? 'required' : 'optional'
    const head = { name: slot.name, repetition, fieldId: slot.id }
    const { type } = slot
    switch (type.kind) {
      case 'struct':
        nodes.push({ ...head, childCount: type.fields.filter(isStored).length })
        for (const field of type.fields) addSlot(field, level)
        return
      case 'list':
        nodes.push({ ...head, logical: { kind: 'list' }, childCount: 1 })
        addSlot(
          { id: type.elementId, name: 'element', type: type.element, required: type.elementRequired },
          addRepeated('list', 1, level),
        )
        return
      case 'map': {
        nodes.push({ ...head, logical: { kind: 'map' }, childCount: 2 })
        const entry = addRepeated('key_value', 2, level)
        addSlot({ id: type.keyId, name: 'key', type: type.key, required: true }, entry)
        addSlot({ id: type.valueId, name: 'value', type: type.value, required: type.valueRequired }, entry)
        return
      }
      default:
        addLeaf(head, type, level)
    }
  }

  function addRepeated(name: string, childCount: number, parent: Level): Level {
    nodes.push({ name, repetition: 'repeated', childCount })
    return {
      path: [...parent.path, name],
      name: parent.name,
      definition: parent.definition + 1,
      repetition: parent.repetition + 1,
    }
  }

  function addLeaf(head: SchemaNode & { fieldId: number }, type: PrimitiveType, level: Level): void {
    const name = level.name.join('.')
    if (type.kind === 'unknown' && level.repetition === 0) {
      leafPositions.push(-1)
      return
    }
    const storage = storageOf(type, name)
    const logical = logicalTypeOf(type)
    nodes.push({
      ...head,
      physical: storage.physical,
      ...(storage.width === 0 ? {} : { width: storage.width }),
      ...(logical === undefined ? {} : { logical }),
    })
    leafPositions.push(leaves.length)
    leaves.push({
      ...storage,
      fieldId: head.fieldId,
      name,
      path: level.path,
      type,
      definitionLevelMax: level.definition,
      repetitionLevelMax: level.repetition,
    })
  }
}

type Storage = { readonly physical: PhysicalType; readonly width: number; readonly order: ValueOrder }

function storageOf(type: PrimitiveType, name: string): Storage {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
      return { physical: type.kind, width: 0, order: type.kind }
    case 'int':
    case 'date':
      return { physical: 'int32', width: 0, order: 'int32' }
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return { physical: 'int64', width: 0, order: 'int64' }
    case 'decimal':
      return decimalStorage(type.precision)
    case 'string':
    case 'binary':
      return { physical: 'bytes', width: 0, order: 'unsigned-bytes' }
    case 'uuid':
      return { physical: 'fixed', width: 16, order: 'unsigned-bytes' }
    case 'fixed':
      return { physical: 'fixed', width: type.length, order: 'unsigned-bytes' }
    case 'geometry':
    case 'geography':
      return { physical: 'bytes', width: 0, order: 'none' }
    case 'variant':
    case 'unknown':
      throw new FloeError('unsupported', `column ${name}: type ${type.kind} cannot be written to Parquet`, {
        hint: 'declare the column as string or binary',
      })
  }
}

function decimalStorage(precision: number): Storage {
  if (precision <= 9) return { physical: 'int32', width: 0, order: 'int32' }
  if (precision <= 18) return { physical: 'int64', width: 0, order: 'int64' }
  return { physical: 'fixed', width: decimalBytes(precision), order: 'signed-bytes' }
}

/** Fewest bytes of two's complement that hold every unscaled value of `precision` digits (spec "Primitive Types"). */
export function decimalBytes(precision: number): number {
  return Math.ceil((precision * Math.log2(10) + 1) / 8)
}

function isStored(field: NestedField): boolean {
  return field.type.kind !== 'unknown'
}
