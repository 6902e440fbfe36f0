import { errorReactions, errorToData } from '@floe/iceberg'
import type { ErrorData, JsonObject } from '@floe/iceberg'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Any failure of the SQL and ask routes as `{ error: { code, message, hint } }` with the code's HTTP status. */
export function errorResponse(error: unknown, context: Context): Response {
  const data = errorToData(error)
  return context.json(errorBody(data), errorReactions[data.code].httpStatus as ContentfulStatusCode)
}

export function errorBody({ code, message, hint }: Omit<ErrorData, 'retryable'>): JsonObject {
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } }
}
