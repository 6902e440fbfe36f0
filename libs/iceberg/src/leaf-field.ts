import { childFields } from './schema-index.ts'
import type { Schema } from './schema.ts'
import { isPrimitive, type NestedField, type PrimitiveType, type Type } from './type.ts'

/** One primitive at the end of a path through the schema: one column of a data file. */
export type LeafField = {
  readonly field: NestedField & { readonly type: PrimitiveType }
  /** Names from the top, `element`, `key` and `value` included. */
  readonly path: readonly string[]
  /** Optional fields and repeated groups on the path, as Dremel levels count them. */
  readonly maxDefinitionLevel: number
  /** Lists and maps on the path. */
  readonly maxRepetitionLevel: number
}

type Position = Omit<LeafField, 'field'>

/** The leaves of a schema in depth-first order. */
export function leafFields(schema: Schema): readonly LeafField[] {
  const leaves: LeafField[] = []
  const top: Position = { path: [], maxDefinitionLevel: 0, maxRepetitionLevel: 0 }
  for (const field of schema.fields) collectLeaves(field, top, leaves)
  return leaves
}

function collectLeaves(field: NestedField, parent: Position, leaves: LeafField[]): void {
  const position: Position = {
    path: [...parent.path, field.name],
    maxDefinitionLevel: parent.maxDefinitionLevel + (field.required ? 0 : 1),
    maxRepetitionLevel: parent.maxRepetitionLevel,
  }
  const { type } = field
  if (isPrimitive(type)) {
    leaves.push({ ...position, field: { ...field, type } })
    return
  }
  const inside = isRepeated(type) ? repeated(position) : position
  for (const child of childFields(type)) collectLeaves(child, inside, leaves)
}

function isRepeated(type: Type): boolean {
  return type.kind === 'list' || type.kind === 'map'
}

function repeated(position: Position): Position {
  return {
    ...position,
    maxDefinitionLevel: position.maxDefinitionLevel + 1,
    maxRepetitionLevel: position.maxRepetitionLevel + 1,
  }
}
