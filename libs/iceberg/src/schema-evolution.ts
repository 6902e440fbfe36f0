import { FloeError } from './error.ts'
import type { JsonValue } from './json.ts'
import type { PartitionSpec } from './partition-spec.ts'
import { findFieldById, findFieldByName, findFieldName, freshType, type Schema } from './schema.ts'
import { indexSchema } from './schema-index.ts'
import { singleValueFromJson } from './single-value-json.ts'
import { canPromote } from './type-promotion.ts'
import { isPrimitive, typeToString, type NestedField, type PrimitiveType, type Type } from './type.ts'

/**
 * Schema changes as pure functions (spec "Schema Evolution"). Each returns a schema with the same `schemaId`: the commit
 * gives it a new one. All throw `invalid-input` for changes that could break a reader of old files.
 */

export type NewColumn = {
  readonly name: string
  /** Ids inside a nested type are replaced by fresh ones. */
  readonly type: Type
  readonly doc?: string
  /** A required column needs an initial default, because the rows that exist have no value (v3). */
  readonly required?: boolean
  readonly initialDefault?: JsonValue
  readonly writeDefault?: JsonValue
}

export type AddColumnOptions = {
  readonly lastColumnId: number
  readonly formatVersion: 1 | 2 | 3
  /** Dotted name of the struct to add to; the top level when absent. A list or map stands for its struct inside. */
  readonly parent?: string
}

export type AddedColumn = { readonly schema: Schema; readonly fieldId: number; readonly lastColumnId: number }

/** Adds a column at the end, with ids from `lastColumnId + 1`. */
export function addColumn(schema: Schema, column: NewColumn, options: AddColumnOptions): AddedColumn {
  checkDefaults(column, options.formatVersion)
  let lastColumnId = options.lastColumnId
  const nextId = (): number => ++lastColumnId
  const id = nextId()
  const field = newField(column, id, nextId)
  const parentId = options.parent === undefined ? undefined : parentStruct(schema, options.parent)
  checkNewName(schema, parentId, column.name)
  const append = (fields: readonly NestedField[]): readonly NestedField[] => [...fields, field]
  return { schema: changeFields(schema, parentId, append), fieldId: id, lastColumnId }
}

function newField(column: NewColumn, id: number, nextId: () => number): NestedField {
  const { name, doc, initialDefault, writeDefault } = column
  const written = writeDefault ?? initialDefault
  return {
    id,
    name,
    type: freshType(column.type, nextId),
    required: column.required ?? false,
    ...(doc === undefined ? {} : { doc }),
    ...(initialDefault === undefined ? {} : { initialDefault }),
    // Rows written later without a value get what the old rows have.
    ...(written === undefined ? {} : { writeDefault: written }),
  }
}

function checkDefaults(
  { name, type, required, initialDefault, writeDefault }: NewColumn,
  formatVersion: number,
): void {
  const defaults = [initialDefault, writeDefault].filter((value) => value !== undefined && value !== null)
  if (defaults.length > 0 && formatVersion < 3) {
    throw new FloeError(
      'invalid-input',
      `column "${name}" has a default, and the table is v${formatVersion}`,
      {
        hint: 'upgrade the table to format version 3',
      },
    )
  }
  if (required === true && (initialDefault === undefined || initialDefault === null)) {
    throw new FloeError('invalid-input', `required column "${name}" has no value for the rows that exist`, {
      hint: 'add it as optional, or with an initial default',
    })
  }
  if (isPrimitive(type)) for (const value of defaults) singleValueFromJson(type, value)
}

function parentStruct(schema: Schema, name: string): number {
  const field = findFieldByName(schema, name)
  if (field === undefined) throw new FloeError('invalid-input', `column "${name}" is not in the schema`)
  const { type } = field
  if (type.kind === 'struct') return field.id
  if (type.kind === 'list' && type.element.kind === 'struct') return type.elementId
  if (type.kind === 'map' && type.value.kind === 'struct') return type.valueId
  throw new FloeError('invalid-input', `column "${name}" is a ${typeToString(type)} and takes no columns`)
}

function checkNewName(schema: Schema, parentId: number | undefined, name: string): void {
  const type = parentId === undefined ? undefined : findFieldById(schema, parentId)?.type
  const siblings = type?.kind === 'struct' ? type.fields : schema.fields
  if (name === '') throw new FloeError('invalid-input', 'a column needs a name')
  if (siblings.some((field) => field.name === name)) {
    throw new FloeError('already-exists', `column "${name}" exists`, {
      hint: 'choose another name, or rename the old column',
    })
  }
}

/** Renames a column at any depth; files know it by its id. */
export function renameColumn(schema: Schema, fieldId: number, name: string): Schema {
  const field = requireField(schema, fieldId)
  if (field.name === name) return schema
  checkNewName(schema, indexSchema(schema).parentIds.get(fieldId), name)
  return changeField(schema, fieldId, (old) => ({ ...old, name }))
}

export type WidenOptions = {
  readonly formatVersion: 1 | 2 | 3
  /** Specs of the table: the promotion must not change their partition values. */
  readonly partitionSpecs?: readonly PartitionSpec[]
}

/** Promotes a column, list element or map value to a wider type. */
export function widenColumn(
  schema: Schema,
  fieldId: number,
  to: PrimitiveType,
  options: WidenOptions,
): Schema {
  const { type } = requireField(schema, fieldId)
  const name = findFieldName(schema, fieldId)
  if (!isPrimitive(type) || !canPromote(type, to, options.formatVersion)) {
    throw new FloeError(
      'invalid-input',
      `column "${name}" cannot change from ${typeToString(type)} to ${typeToString(to)}`,
      {
        hint: 'only promotions of the Iceberg spec are safe for the files that exist; add a column for other types',
      },
    )
  }
  const toTimestamp = type.kind === 'date' && to.kind !== 'date'
  if (toTimestamp && (options.partitionSpecs ?? []).some((spec) => isDateBound(spec, fieldId))) {
    throw new FloeError(
      'invalid-input',
      `column "${name}" partitions by its dates and cannot become a timestamp`,
      {
        hint: 'replace its partition field by void first, or add a timestamp column',
      },
    )
  }
  return retype(schema, fieldId, to)
}

/** Spec "Schema Evolution": a promotion must keep the partition values; buckets and dates themselves would change. */
function isDateBound(spec: PartitionSpec, fieldId: number): boolean {
  return spec.fields.some(
    ({ sourceIds, transform }) =>
      sourceIds.includes(fieldId) && (transform.kind === 'bucket' || transform.kind === 'identity'),
  )
}

/** Lets a required column be null. */
export function makeOptional(schema: Schema, fieldId: number): Schema {
  const { required } = requireField(schema, fieldId)
  if (!required) return schema
  if (schema.identifierFieldIds?.includes(fieldId) === true) {
    throw new FloeError(
      'invalid-input',
      `column "${findFieldName(schema, fieldId)}" identifies rows and must be required`,
      {
        hint: 'take it out of the identifier fields first',
      },
    )
  }
  return changeField(schema, fieldId, (field) => ({ ...field, required: false }))
}

export type DropOptions = {
  /** Specs that must stay readable: a column they are made from cannot go (spec "Partition Evolution"). */
  readonly partitionSpecs?: readonly PartitionSpec[]
}

/** Drops a field of a struct, with all inside it. Its id is never given out again. */
export function dropColumn(schema: Schema, fieldId: number, options: DropOptions = {}): Schema {
  const field = requireField(schema, fieldId)
  const name = findFieldName(schema, fieldId)
  const parentId = indexSchema(schema).parentIds.get(fieldId)
  if (parentId !== undefined && findFieldById(schema, parentId)?.type.kind !== 'struct') {
    throw new FloeError('invalid-input', `"${name}" is part of a list or map and cannot be dropped alone`)
  }
  const dropped = new Set([field.id, ...indexSchema({ fields: [field] }).fieldsById.keys()])
  const isUsed = (ids: readonly number[]): boolean => ids.some((id) => dropped.has(id))
  if (isUsed(schema.identifierFieldIds ?? [])) throw inUse(name, 'an identifier field')
  for (const spec of options.partitionSpecs ?? []) {
    if (spec.fields.some(({ transform, sourceIds }) => transform.kind !== 'void' && isUsed(sourceIds))) {
      throw inUse(name, `the source of partition spec ${spec.specId}`)
    }
  }
  return changeFields(schema, parentId, (fields) => fields.filter(({ id }) => id !== fieldId))
}

function inUse(name: string | undefined, use: string): FloeError {
  return new FloeError('invalid-input', `column "${name}" is ${use} and cannot be dropped`, {
    hint: 'change what uses it first',
  })
}

function requireField(schema: Schema, fieldId: number): NestedField {
  const field = findFieldById(schema, fieldId)
  if (field === undefined) throw new FloeError('invalid-input', `no column has the field id ${fieldId}`)
  return field
}

function changeField(schema: Schema, fieldId: number, change: (field: NestedField) => NestedField): Schema {
  const parentId = indexSchema(schema).parentIds.get(fieldId)
  const parentKind = parentId === undefined ? 'struct' : findFieldById(schema, parentId)?.type.kind
  if (parentKind !== 'struct') {
    throw new FloeError(
      'invalid-input',
      `"${findFieldName(schema, fieldId)}" is part of a list or map and has a fixed name`,
    )
  }
  return changeFields(schema, parentId, (fields) =>
    fields.map((field) => (field.id === fieldId ? change(field) : field)),
  )
}

type ChangeFields = (fields: readonly NestedField[]) => readonly NestedField[]

/** The schema with the fields of one struct changed: the top level, or the struct of the field `parentId`. */
function changeFields(schema: Schema, parentId: number | undefined, change: ChangeFields): Schema {
  if (parentId === undefined) return { ...schema, fields: change(schema.fields) }
  return mapTypes(schema, (type, ownerId) =>
    ownerId === parentId && type.kind === 'struct' ? { ...type, fields: change(type.fields) } : type,
  )
}

function retype(schema: Schema, fieldId: number, to: PrimitiveType): Schema {
  return mapTypes(schema, (type, ownerId) => (ownerId === fieldId ? to : type))
}

/** Rebuilds the schema with `change` applied to the type of every field, element, key and value, inner ones first. */
function mapTypes(schema: Schema, change: (type: Type, ownerId: number) => Type): Schema {
  const mapField = (field: NestedField): NestedField => ({ ...field, type: mapType(field.type, field.id) })
  const mapType = (type: Type, ownerId: number): Type => change(mapInside(type), ownerId)
  const mapInside = (type: Type): Type => {
    switch (type.kind) {
      case 'struct':
        return { ...type, fields: type.fields.map(mapField) }
      case 'list':
        return { ...type, element: mapType(type.element, type.elementId) }
      case 'map':
        return { ...type, key: mapType(type.key, type.keyId), value: mapType(type.value, type.valueId) }
      default:
        return type
    }
  }
  return { ...schema, fields: schema.fields.map(mapField) }
}
