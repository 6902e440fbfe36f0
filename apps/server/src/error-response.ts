import { errorReactions, toFloeError } from '@floe/iceberg'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Any failure of the SQL and ask routes as `{ error: { code, message, hint } }` with the code's HTTP status. */
export function errorResponse(error: unknown, context: Context): Response {
  if (error instanceof HTTPException) return error.getResponse()
  const { code, message, hint } = toFloeError(error)
  const status = errorReactions[code].httpStatus as ContentfulStatusCode
  return context.json({ error: { code, message, ...(hint === undefined ? {} : { hint }) } }, status)
}
