import { FloeError } from './error.ts'
import { extraMembers, isPresent, readArray, readInteger, readIntegers, readObject } from './json-member.ts'
import { jsonEqual, type JsonObject, type JsonValue } from './json.ts'
import { indexSchema } from './schema-index.ts'
import { nestedFieldToJson, parseNestedField, type NestedField, type Type } from './type.ts'

export type Schema = {
  readonly schemaId: number
  readonly fields: readonly NestedField[]
  readonly identifierFieldIds?: readonly number[]
  /** JSON members this version does not know, kept so that they survive a rewrite. */
  readonly extra?: JsonObject
}

const schemaMembers: ReadonlySet<string> = new Set(['type', 'schema-id', 'fields', 'identifier-field-ids'])

/** Schema from its JSON form; a v1 schema without `schema-id` gets 0. Throws `invalid-input` for duplicate ids or names. */
export function parseSchema(json: JsonValue): Schema {
  const object = readObject(json, 'schema')
  const identifiers = object['identifier-field-ids']
  const schema: Schema = {
    schemaId: isPresent(object['schema-id']) ? readInteger(object, 'schema-id', 'schema') : 0,
    fields: readArray(object['fields'], 'schema fields').map(parseNestedField),
    ...(isPresent(identifiers)
      ? { identifierFieldIds: readIntegers(identifiers, 'identifier-field-ids') }
      : {}),
    ...extraMembers(object, schemaMembers),
  }
  indexSchema(schema)
  return schema
}

/** Inverse of `parseSchema`. */
export function schemaToJson(schema: Schema): JsonObject {
  const identifiers = schema.identifierFieldIds
  return {
    type: 'struct',
    'schema-id': schema.schemaId,
    ...(identifiers === undefined || identifiers.length === 0 ? {} : { 'identifier-field-ids': identifiers }),
    fields: schema.fields.map(nestedFieldToJson),
    ...schema.extra,
  }
}

/** Same fields and identifier fields, whatever the schema id (spec: an equal schema is not added twice). */
export function schemasEqual(a: Schema, b: Schema): boolean {
  return jsonEqual(comparableSchema(a), comparableSchema(b))
}

function comparableSchema(schema: Schema): JsonObject {
  const identifiers = [...(schema.identifierFieldIds ?? [])].sort((a, b) => a - b)
  return { ...schemaToJson(schema), 'schema-id': 0, 'identifier-field-ids': identifiers }
}

/** A field at any depth by id; elements, keys and values of lists and maps count as fields of those names. */
export function findFieldById(schema: Schema, fieldId: number): NestedField | undefined {
  return indexSchema(schema).fieldsById.get(fieldId)
}

/** Dotted name of the field with this id, such as `points.element.x`. */
export function findFieldName(schema: Schema, fieldId: number): string | undefined {
  return indexSchema(schema).namesById.get(fieldId)
}

/**
 * A field by dotted name; `points.x` finds `points.element.x` too when nothing is called that.
 * @throws FloeError invalid-input when ignoring case makes the name ambiguous
 */
export function findFieldByName(
  schema: Schema,
  name: string,
  options: { readonly caseSensitive?: boolean } = {},
): NestedField | undefined {
  const index = indexSchema(schema)
  if (options.caseSensitive ?? true) return index.fieldsByName.get(name)
  const found = index.fieldsByLowerName.get(name.toLowerCase())
  if (found !== 'ambiguous') return found
  throw new FloeError('invalid-input', `column name "${name}" is ambiguous when case is ignored`, {
    hint: 'ask with case-sensitive names',
  })
}

/** Largest id at any depth, 0 for an empty schema: nested ids count for `last-column-id`. */
export function highestFieldId(schema: Schema): number {
  let highest = 0
  for (const id of indexSchema(schema).fieldsById.keys()) highest = Math.max(highest, id)
  return highest
}

export type FreshSchema = {
  readonly schema: Schema
  /** Old id to fresh id, of every field at any depth. */
  readonly freshIds: ReadonlyMap<number, number>
}

/** Gives every field the next fresh id, all fields of a struct before what they contain, as Java numbers them. */
export function assignFreshIds(schema: Schema, nextId: () => number): FreshSchema {
  const freshIds = new Map<number, number>()
  const fresh = (oldId: number): number => {
    const id = nextId()
    freshIds.set(oldId, id)
    return id
  }
  const fields = freshFields(schema.fields, fresh)
  const identifiers = schema.identifierFieldIds?.map((id) => freshIdentifier(freshIds, id))
  return {
    schema: { ...schema, fields, ...(identifiers === undefined ? {} : { identifierFieldIds: identifiers }) },
    freshIds,
  }
}

function freshIdentifier(freshIds: ReadonlyMap<number, number>, oldId: number): number {
  const id = freshIds.get(oldId)
  if (id === undefined) throw new FloeError('invalid-input', `identifier field ${oldId} is not in the schema`)
  return id
}

function freshFields(
  fields: readonly NestedField[],
  fresh: (oldId: number) => number,
): readonly NestedField[] {
  const ids = fields.map((field) => fresh(field.id))
  return fields.map((field, at) => ({ ...field, id: ids[at] as number, type: freshType(field.type, fresh) }))
}

/** `type` with every id replaced by `fresh`. */
export function freshType(type: Type, fresh: (oldId: number) => number): Type {
  if (type.kind === 'struct') return { ...type, fields: freshFields(type.fields, fresh) }
  if (type.kind === 'list') {
    const elementId = fresh(type.elementId)
    return { ...type, elementId, element: freshType(type.element, fresh) }
  }
  if (type.kind === 'map') {
    const keyId = fresh(type.keyId)
    const valueId = fresh(type.valueId)
    return { ...type, keyId, valueId, key: freshType(type.key, fresh), value: freshType(type.value, fresh) }
  }
  return type
}
