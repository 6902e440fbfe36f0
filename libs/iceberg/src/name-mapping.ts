import { isPresent, readArray, readInteger, readObject } from './json-member.ts'
import { FloeError } from './error.ts'
import { parseJson, stringifyJson, type JsonObject, type JsonValue } from './json.ts'
import { childFields } from './schema-index.ts'
import type { Schema } from './schema.ts'
import type { NestedField } from './type.ts'

/** Table property that holds a name mapping as JSON text. */
export const nameMappingProperty = 'schema.name-mapping.default'

/** Spec "Name Mapping Serialization": field ids for data files that carry none. */
export type MappedField = {
  /** Absent for names that must read as missing columns. */
  readonly fieldId?: number
  readonly names: readonly string[]
  /** Of a struct; or `element` of a list, `key` and `value` of a map. */
  readonly fields: readonly MappedField[]
}
export type NameMapping = readonly MappedField[]

/** Name mapping from the property's text. Throws `invalid-input`, also when one level maps a name twice. */
export function parseNameMapping(text: string): NameMapping {
  return parseMappedFields(parseJson(text))
}

function parseMappedFields(json: JsonValue): readonly MappedField[] {
  const fields = readArray(json, 'name mapping').map(parseMappedField)
  const seen = new Set<string>()
  for (const name of fields.flatMap((field) => field.names)) {
    if (seen.has(name)) throw new FloeError('invalid-input', `name mapping has "${name}" twice on one level`)
    seen.add(name)
  }
  return fields
}

function parseMappedField(json: JsonValue): MappedField {
  const object = readObject(json, 'mapped field')
  const names = readArray(object['names'], 'mapped field: "names"').map((name) => {
    if (typeof name === 'string') return name
    throw new FloeError('invalid-input', 'mapped field: "names" must be strings')
  })
  return {
    ...(isPresent(object['field-id']) ? { fieldId: readInteger(object, 'field-id', 'mapped field') } : {}),
    names,
    fields: isPresent(object['fields']) ? parseMappedFields(object['fields']) : [],
  }
}

/** Inverse of `parseNameMapping`. */
export function stringifyNameMapping(mapping: NameMapping): string {
  return stringifyJson(mapping.map(mappedFieldToJson))
}

function mappedFieldToJson(field: MappedField): JsonObject {
  return {
    ...(field.fieldId === undefined ? {} : { 'field-id': field.fieldId }),
    names: field.names,
    ...(field.fields.length === 0 ? {} : { fields: field.fields.map(mappedFieldToJson) }),
  }
}

/** Maps each field by its own name, at every depth. */
export function createNameMapping(schema: Schema): NameMapping {
  return schema.fields.map(mapField)
}

function mapField(field: NestedField): MappedField {
  return { fieldId: field.id, names: [field.name], fields: childFields(field.type).map(mapField) }
}
