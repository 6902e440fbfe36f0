import type { Context } from 'hono'
import { z } from 'zod'
import { FloeError, parseJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { requestText } from './request-text.ts'

/** JSON that a parser of `@floe/iceberg` takes over; integers beyond 2^53 are `bigint` in it. */
export const jsonObject: z.ZodType<JsonObject> = z
  .custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .meta({ type: 'object' })

/** The same, described in the OpenAPI document by one of its components. */
export function jsonOf(component: string): z.ZodType<JsonObject> {
  return jsonObject.meta({ $ref: `#/components/schemas/${component}`, type: undefined })
}

export const namespaceLevels: z.ZodType<readonly string[]> = z.array(z.string()).min(1)

export const stringMap: z.ZodType<Readonly<Record<string, string>>> = z.record(z.string(), z.string())

export const tableIdentifier: z.ZodType<{ readonly namespace: readonly string[]; readonly name: string }> =
  z.object({
    namespace: namespaceLevels,
    name: z.string(),
  })

/** The body of a request, parsed without loss. @throws FloeError invalid-input naming the members at fault */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const result = schema.safeParse(parseJson(await requestText(context)))
  if (result.success) return result.data
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw new FloeError('invalid-input', `malformed request: ${faults.join('; ')}`, {
    hint: 'see the Iceberg REST catalog specification for this operation',
    cause: result.error,
  })
}
