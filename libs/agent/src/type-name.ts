import type { Type } from '@floe/iceberg'

/** A type as text in the spec's words: `long`, `decimal(9, 2)`, `list<string>`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'fixed':
      return `fixed[${type.length}]`
    case 'list':
      return `list<${typeName(type.element)}>`
    case 'map':
      return `map<${typeName(type.key)}, ${typeName(type.value)}>`
    case 'struct':
      return `struct<${type.fields.map(({ name, type: fieldType }) => `${name}: ${typeName(fieldType)}`).join(', ')}>`
    default:
      return type.kind
  }
}
