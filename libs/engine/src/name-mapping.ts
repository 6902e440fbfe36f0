import { FloeError, parseJson } from '@floe/iceberg'
import type { JsonObject, JsonValue, TableMetadata } from '@floe/iceberg'

import type { FileField, FileLayout } from './file-layout.ts'

/** Table property of the mapping (spec "Column Projection" and "Name Mapping Serialization"). */
const property = 'schema.name-mapping.default'

type MappedField = {
  readonly fieldId: number | undefined
  readonly names: readonly string[]
  readonly fields: readonly MappedField[]
}

/** Whether a footer says which fields its columns are. */
export function hasFieldIds(layout: FileLayout): boolean {
  return layout.some(({ fieldId }) => fieldId !== undefined)
}

/**
 * A layout without field ids, with those that the table's name mapping gives its names.
 * @throws FloeError unsupported when the table has no name mapping: guessing by name or position could show the wrong data
 */
export function mapNames(
  layout: FileLayout,
  { properties, location }: TableMetadata,
  file: string,
): FileLayout {
  const json = properties[property]
  if (json === undefined) {
    throw new FloeError(
      'unsupported',
      `${file} has no field ids, and the table at ${location} no name mapping`,
      {
        hint: `set the table property ${property}`,
      },
    )
  }
  return withIds(layout, parseMapping(parseJson(json)))
}

function parseMapping(json: JsonValue | undefined): readonly MappedField[] {
  if (!Array.isArray(json)) return []
  return json.map((item: JsonValue): MappedField => {
    const {
      'field-id': fieldId,
      names,
      fields,
    } = (typeof item === 'object' && item !== null ? item : {}) as JsonObject
    return {
      fieldId: typeof fieldId === 'number' ? fieldId : undefined,
      names: Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [],
      fields: parseMapping(fields),
    }
  })
}

function withIds(fields: readonly FileField[], mapping: readonly MappedField[]): readonly FileField[] {
  return fields.map((field) => {
    const mapped = mapping.find(({ names }) => names.includes(field.name))
    const children = withIds(wrapped(field), mapped?.fields ?? [])
    return { ...field, fieldId: mapped?.fieldId, children }
  })
}

/** A mapping calls what lists and maps hold `element`, `key` and `value`, whatever the file calls them. */
function wrapped({ kind, children }: FileField): readonly FileField[] {
  if (kind === 'list') return children.map((child) => ({ ...child, name: 'element' }))
  if (kind !== 'map') return children
  return children.map((child, at) => ({ ...child, name: at === 0 ? 'key' : 'value' }))
}
