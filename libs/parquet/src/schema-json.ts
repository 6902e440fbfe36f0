import { schemaToJson, stringifyJson, type Schema } from '@floe/iceberg/values'

export function schemaJson(schema: Schema): string {
  return stringifyJson(schemaToJson(schema))
}
