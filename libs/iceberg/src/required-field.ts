import { indexSchema } from './schema-index.ts'
import type { Schema } from './schema.ts'

/** Whether a row may have no value for the field: it, or a struct around it, is optional. */
export function mayBeNull(schema: Schema, fieldId: number): boolean {
  const { fieldsById, parentIds } = indexSchema(schema)
  for (let id: number | undefined = fieldId; id !== undefined; id = parentIds.get(id)) {
    if (fieldsById.get(id)?.required !== true) return true
  }
  return false
}

/** Whether the field is inside another one. */
export function isNested(schema: Schema, fieldId: number): boolean {
  return indexSchema(schema).parentIds.has(fieldId)
}

/** Whether the field is inside a list or a map, so that a row has any number of its values. */
export function isRepeated(schema: Schema, fieldId: number): boolean {
  const { fieldsById, parentIds } = indexSchema(schema)
  for (let id = parentIds.get(fieldId); id !== undefined; id = parentIds.get(id)) {
    if (fieldsById.get(id)?.type.kind !== 'struct') return true
  }
  return false
}
