import type { MiddlewareHandler } from 'hono'
import { bearerOf, refuseStranger } from './authorize.ts'

/**
 * For a server whose catalog is another one: a request must bring a token, and that catalog says what it allows. Set
 * on the context as `bearer`.
 * @param admit  throws for a token that the catalog does not know
 */
export function requireBearer(
  isPublic: (path: string) => boolean,
  admit: (token: string) => Promise<unknown>,
): MiddlewareHandler {
  return async (context, next) => {
    if (isPublic(context.req.path)) return next()
    const token = bearerOf(context)
    if (token === undefined) return refuseStranger(context)
    await admit(token)
    context.set('bearer', token)
    return next()
  }
}
