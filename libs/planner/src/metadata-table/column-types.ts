import type { NestedField, PrimitiveType, Schema, StructType, Type } from '@floe/iceberg'

/** Columns of a metadata table in order: names and types. Field ids are only there to be distinct. */
export type Columns = Readonly<Record<string, Type>>

export const long: PrimitiveType = { kind: 'long' }
export const int: PrimitiveType = { kind: 'int' }
export const string: PrimitiveType = { kind: 'string' }
export const boolean: PrimitiveType = { kind: 'boolean' }
export const binary: PrimitiveType = { kind: 'binary' }
export const timestamptz: PrimitiveType = { kind: 'timestamptz' }

export function listOf(element: Type): Type {
  return { kind: 'list', elementId: 0, element, elementRequired: false }
}

/** Values by column id or by name, as manifests and summaries hold them. */
export function mapOf(key: PrimitiveType, value: PrimitiveType): Type {
  return { kind: 'map', keyId: 0, key, valueId: 0, value, valueRequired: false }
}

export function structOf(columns: Columns): StructType {
  return { kind: 'struct', fields: fieldsOf(columns) }
}

export function schemaOf(columns: Columns): Schema {
  return { schemaId: 0, fields: fieldsOf(columns) }
}

function fieldsOf(columns: Columns): readonly NestedField[] {
  return Object.entries(columns).map(([name, type], at) => ({ id: at + 1, name, type, required: false }))
}
