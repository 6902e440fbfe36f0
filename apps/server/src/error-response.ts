import { errorReactions, errorToData } from '@floe/iceberg'
import type { ErrorCode, ErrorData, JsonObject } from '@floe/iceberg'
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

/** Why a request was turned away before any route saw it. */
export type Refusal = {
  readonly status: number
  readonly code: ErrorCode
  /** `type` of the catalog protocol's errors. */
  readonly type: string
  readonly message: string
  readonly hint: string
}

/** Whether clients of the path read the errors of the catalog protocol. */
export function isCatalogPath(path: string): boolean {
  return path.startsWith('/v1/') || path.startsWith('/management/')
}

/** A refusal in the form that clients of the path read: that of the catalog protocol, or Floe's own. */
export function refusalBody(path: string, { status, code, type, message, hint }: Refusal): JsonObject {
  return isCatalogPath(path)
    ? { error: { message: `${message}; ${hint}`, type, code: status } }
    : errorBody({ code, message, hint })
}
