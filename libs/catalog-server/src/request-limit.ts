import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { protocolErrorResponse } from './error-response.ts'

/**
 * Answers 413 to bodies of more than `bytesMax`. A length that the client declares is enough: looking at the body
 * itself would make the server build the whole request object for it, which costs more than a load of a table.
 */
export function limitBody(bytesMax: number): MiddlewareHandler {
  const tooLarge = (context: Context): Response => {
    const message = `the request body is larger than ${bytesMax} bytes`
    const refused = protocolErrorResponse(context, 413, 'BadRequestException', message)
    // What is left of the body stays unread: the connection cannot serve another request.
    refused.headers.set('connection', 'close')
    return refused
  }
  const limitUndeclared = bodyLimit({ maxSize: bytesMax, onError: tooLarge })
  return async (context, next) => {
    const { method } = context.req
    if (method === 'GET' || method === 'HEAD') return next()
    const declared = context.req.header('content-length')
    const isWhole = context.req.header('transfer-encoding') === undefined
    if (declared === undefined || !isWhole) return limitUndeclared(context, next)
    return Number(declared) > bytesMax ? tooLarge(context) : next()
  }
}
