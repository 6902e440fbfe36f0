import { canPromote, isPrimitive, typesEqual } from '@floe/iceberg'
import type { ListType, MapType, NestedField, StructType, Type } from '@floe/iceberg'

/** One column's type as the table has it after the load, and as the files of the load have it; same ids in both. */
export type MergedType = { readonly table: Type; readonly file: Type }

/**
 * Fits a source's type to a table's without rewriting a file: fields of structs are matched by name, new ones get
 * fresh ids and are optional, those that the source lacks stay and become optional.
 * @returns `undefined` where old files could not be read with any such type
 */
export function mergeTypes(table: Type, source: Type, nextId: () => number): MergedType | undefined {
  if (isPrimitive(table) && isPrimitive(source)) {
    // A source type that promotes to the table's (int in a long column) needs no change: readers widen per file.
    // The promotions of format version 2 alone: every reader knows them.
    if (typesEqual(table, source) || canPromote(source, table, 2)) return { table, file: source }
    return canPromote(table, source, 2) ? { table: source, file: source } : undefined
  }
  if (table.kind === 'list' && source.kind === 'list') return mergeLists(table, source, nextId)
  if (table.kind === 'map' && source.kind === 'map') return mergeMaps(table, source, nextId)
  if (table.kind === 'struct' && source.kind === 'struct') return mergeStructs(table, source, nextId)
  return undefined
}

function mergeLists(table: ListType, source: ListType, nextId: () => number): MergedType | undefined {
  const element = mergeTypes(table.element, source.element, nextId)
  if (element === undefined) return undefined
  const { elementId } = table
  return {
    table: { ...table, element: element.table },
    file: { ...source, elementId, element: element.file },
  }
}

function mergeMaps(table: MapType, source: MapType, nextId: () => number): MergedType | undefined {
  const key = mergeTypes(table.key, source.key, nextId)
  const value = mergeTypes(table.value, source.value, nextId)
  if (key === undefined || value === undefined) return undefined
  const { keyId, valueId } = table
  return {
    table: { ...table, key: key.table, value: value.table },
    file: { ...source, keyId, valueId, key: key.file, value: value.file },
  }
}

function mergeStructs(table: StructType, source: StructType, nextId: () => number): MergedType | undefined {
  const merged = new Map<string, NestedField>()
  const added: NestedField[] = []
  const file: NestedField[] = []
  for (const field of source.fields) {
    const known = table.fields.find(({ name }) => name === field.name)
    const type =
      known === undefined ? freshIds(field.type, nextId) : mergeTypes(known.type, field.type, nextId)
    if (type === undefined) return undefined
    const required = known !== undefined && known.required && field.required
    const { id, ...rest } = known ?? { ...field, id: nextId() }
    const target = { ...rest, id, required, type: type.table }
    if (known === undefined) added.push(target)
    else merged.set(field.name, target)
    file.push({ ...field, id, required, type: type.file })
  }
  const kept = table.fields.map((field) => merged.get(field.name) ?? { ...field, required: false })
  return { table: { ...table, fields: [...kept, ...added] }, file: { ...source, fields: file } }
}

/** A type that the table does not have yet, with ids of its own. */
function freshIds(type: Type, nextId: () => number): MergedType {
  const fresh = withFreshIds(type, nextId)
  return { table: fresh, file: fresh }
}

function withFreshIds(type: Type, nextId: () => number): Type {
  switch (type.kind) {
    case 'list':
      return { ...type, elementId: nextId(), element: withFreshIds(type.element, nextId) }
    case 'map': {
      const [keyId, valueId] = [nextId(), nextId()]
      return {
        ...type,
        keyId,
        valueId,
        key: withFreshIds(type.key, nextId),
        value: withFreshIds(type.value, nextId),
      }
    }
    case 'struct':
      return {
        ...type,
        fields: type.fields.map((field) => ({
          ...field,
          id: nextId(),
          type: withFreshIds(field.type, nextId),
        })),
      }
    default:
      return type
  }
}
