import { FloeError, parseJson } from '@floe/iceberg'
import type { Context } from 'hono'
import { z } from 'zod'

/** A JSON body that fits `schema`, or `invalid-input` that says where it does not. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(parseJson(await context.req.text()))
  if (parsed.success) return parsed.data
  throw new FloeError('invalid-input', `request body: ${z.prettifyError(parsed.error)}`, {
    hint: 'send a JSON object with the members that the route takes',
  })
}
