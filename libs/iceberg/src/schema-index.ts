import { FloeError } from './error.ts'
import type { NestedField, Type } from './type.ts'

/** The fields of a schema at any depth, found by id and by name. */
export type SchemaIndex = {
  readonly fieldsById: ReadonlyMap<number, NestedField>
  readonly namesById: ReadonlyMap<number, string>
  /** Parent field id of nested fields; top-level fields are absent. */
  readonly parentIds: ReadonlyMap<number, number>
  readonly fieldsByName: ReadonlyMap<string, NestedField>
  readonly fieldsByLowerName: ReadonlyMap<string, NestedField | 'ambiguous'>
}

type Fields = { readonly fields: readonly NestedField[] }

// Schemas are immutable, so an index is made once and dies with its schema.
const indexes = new WeakMap<Fields, SchemaIndex>()

/** Index of a schema or struct. Throws `invalid-input` for duplicate ids, or names within one struct. */
export function indexSchema(schema: Fields): SchemaIndex {
  const known = indexes.get(schema)
  if (known) return known
  const index = new IndexBuilder()
  for (const field of schema.fields)
    index.addField(field, { prefix: '', short: '', parent: undefined }, false)
  const built = index.build()
  indexes.set(schema, built)
  return built
}

/** Where a field stands: prefixes of its full and of its short name, and the field around it. */
type Place = { readonly prefix: string; readonly short: string; readonly parent: number | undefined }

class IndexBuilder {
  readonly fieldsById = new Map<number, NestedField>()
  readonly namesById = new Map<number, string>()
  readonly parentIds = new Map<number, number>()
  readonly fieldsByName = new Map<string, NestedField>()
  readonly shortNames = new Map<string, NestedField>()

  addField(field: NestedField, place: Place, inCollection: boolean): void {
    const name = place.prefix + field.name
    const other = this.namesById.get(field.id)
    if (other !== undefined) {
      throw new FloeError('invalid-input', `columns "${other}" and "${name}" share the field id ${field.id}`)
    }
    if (this.fieldsByName.has(name)) throw new FloeError('invalid-input', `column "${name}" occurs twice`)
    this.fieldsById.set(field.id, field)
    this.namesById.set(field.id, name)
    if (place.parent !== undefined) this.parentIds.set(field.id, place.parent)
    this.fieldsByName.set(name, field)
    this.shortNames.set(place.short + field.name, field)

    // Java lets `points.x` stand for `points.element.x` when the element, or the value of a map, is a struct.
    const silent = inCollection && field.name !== 'key' && field.type.kind === 'struct'
    const short = silent ? place.short : `${place.short}${field.name}.`
    const inside = { prefix: `${name}.`, short, parent: field.id }
    for (const child of childFields(field.type)) this.addField(child, inside, field.type.kind !== 'struct')
  }

  build(): SchemaIndex {
    const fieldsByLowerName = new Map<string, NestedField | 'ambiguous'>()
    for (const [name, field] of this.fieldsByName) {
      const lower = name.toLowerCase()
      fieldsByLowerName.set(lower, fieldsByLowerName.has(lower) ? 'ambiguous' : field)
    }
    for (const [name, field] of this.shortNames) {
      if (!this.fieldsByName.has(name)) this.fieldsByName.set(name, field)
      const lower = name.toLowerCase()
      if (!fieldsByLowerName.has(lower)) fieldsByLowerName.set(lower, field)
    }
    const { fieldsById, namesById, parentIds, fieldsByName } = this
    return { fieldsById, namesById, parentIds, fieldsByName, fieldsByLowerName }
  }
}

/** Fields directly inside a type; list elements, map keys and values under those names. */
export function childFields(type: Type): readonly NestedField[] {
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
