import type { JsonObject } from '@floe/iceberg'
import { z } from 'zod'

/** JSON Schema of a request body. */
export function bodyOf(schema: z.ZodType): JsonObject {
  // Through JSON: members that were set to undefined are none.
  const json = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
  const { $schema: _dialect, ...described } = JSON.parse(JSON.stringify(json)) as JsonObject
  return described
}
