import { FloeError, type NestedField, type PrimitiveType, type Schema } from '@floe/iceberg/values'
import { decimalBytes } from './decimal-bytes.ts'
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
type ValueOrder =
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'float'
  | 'double'
  | 'unsigned-bytes'
  | 'signed-bytes'
  | 'none'

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

type Slot = Pick<NestedField, 'id' | 'name' | 'type' | 'required'>

type Building = { readonly nodes: SchemaNode[]; readonly leaves: Leaf[]; readonly leafPositions: number[] }

/**
 * Parquet's form of an Iceberg schema (spec "Appendix A, Parquet"): field ids on every Iceberg node, lists and maps in
 * the standard three-level shape. `unknown` fields are left out.
 * @throws FloeError `unsupported` for variant leaves
 */
export function fileSchema(schema: Schema): FileSchema {
  const building: Building = { nodes: [], leaves: [], leafPositions: [] }
  building.nodes.push({ name: 'table', childCount: schema.fields.filter(isStored).length })
  const root: Level = { path: [], name: [], definition: 0, repetition: 0 }
  addFields(building, schema.fields, root)
  return building
}

/** Java leaves a struct's unknown fields out of the file, and rejects lists and maps of them. */
function addFields(building: Building, fields: readonly NestedField[], parent: Level): void {
  for (const field of fields) {
    if (isStored(field)) addSlot(building, field, parent)
    else building.leafPositions.push(-1)
  }
}

function addSlot(building: Building, slot: Slot, parent: Level): void {
  const level: Level = {
    path: [...parent.path, slot.name],
    name: [...parent.name, slot.name],
    definition: parent.definition + (slot.required ? 0 : 1),
    repetition: parent.repetition,
  }
  const { type } = slot
  const repetition: Repetition = slot.required ? 'required' : 'optional'
  const head = { name: slot.name, repetition, fieldId: slot.id }
  switch (type.kind) {
    case 'struct':
      building.nodes.push({ ...head, childCount: type.fields.filter(isStored).length })
      addFields(building, type.fields, level)
      return
    case 'list': {
      building.nodes.push({ ...head, logical: { kind: 'list' }, childCount: 1 })
      const inside = addRepeated(building, 'list', 1, level)
      const element = {
        id: type.elementId,
        name: 'element',
        type: type.element,
        required: type.elementRequired,
      }
      addSlot(building, element, inside)
      return
    }
    case 'map': {
      building.nodes.push({ ...head, logical: { kind: 'map' }, childCount: 1 })
      const entry = addRepeated(building, 'key_value', 2, level)
      addSlot(building, { id: type.keyId, name: 'key', type: type.key, required: true }, entry)
      addSlot(
        building,
        { id: type.valueId, name: 'value', type: type.value, required: type.valueRequired },
        entry,
      )
      return
    }
    default:
      addLeaf(building, head, type, level)
  }
}

function addRepeated(building: Building, name: string, childCount: number, parent: Level): Level {
  building.nodes.push({ name, repetition: 'repeated', childCount })
  return {
    path: [...parent.path, name],
    name: parent.name,
    definition: parent.definition + 1,
    repetition: parent.repetition + 1,
  }
}

function addLeaf(
  building: Building,
  head: SchemaNode & { fieldId: number },
  type: PrimitiveType,
  level: Level,
): void {
  const name = level.name.join('.')
  const storage = storageOf(type, name)
  const logical = logicalTypeOf(type)
  building.nodes.push({
    ...head,
    physical: storage.physical,
    ...(storage.width === 0 ? {} : { width: storage.width }),
    ...(logical === undefined ? {} : { logical }),
  })
  building.leafPositions.push(building.leaves.length)
  building.leaves.push({
    ...storage,
    fieldId: head.fieldId,
    name,
    path: level.path,
    type,
    definitionLevelMax: level.definition,
    repetitionLevelMax: level.repetition,
  })
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

function isStored(field: NestedField): boolean {
  return field.type.kind !== 'unknown'
}
