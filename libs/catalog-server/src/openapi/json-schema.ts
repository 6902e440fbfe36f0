import type { JsonObject } from '@floe/iceberg'

export type Members = Readonly<Record<string, JsonObject>>

export const text: JsonObject = { type: 'string' }
export const flag: JsonObject = { type: 'boolean' }
export const integer: JsonObject = { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 }
/** 64 bits, signed; JSON Schema has no exact bounds for it. */
export const long: JsonObject = { type: 'integer', format: 'int64' }
export const texts: JsonObject = { type: 'object', additionalProperties: text }

export function object(required: Members, optional: Members = {}): JsonObject {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } }
}

export function list(items: JsonObject): JsonObject {
  return { type: 'array', items }
}

export function oneOf(...schemas: readonly JsonObject[]): JsonObject {
  return { oneOf: schemas }
}

export function choice(...values: readonly string[]): JsonObject {
  return { type: 'string', enum: values }
}

/** Of the components of the document. */
export function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` }
}

/** Objects told apart by the value of one member. */
export function variants(tag: string, members: Readonly<Record<string, Members>>): JsonObject {
  return oneOf(
    ...Object.entries(members).map(([value, required]) => object({ [tag]: { const: value }, ...required })),
  )
}
