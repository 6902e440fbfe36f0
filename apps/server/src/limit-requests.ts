import type { MiddlewareHandler } from 'hono'
import { refusalBody } from './error-response.ts'
import type { Refusal } from './error-response.ts'
import { addressOf, onEnd } from './server-context.ts'
import type { ServerContext, ServerEnv } from './server-context.ts'
import type { ServerLimits } from './server-limits.ts'
import type { ServerMetrics } from './server-metrics.ts'
import { TokenBuckets } from './token-buckets.ts'

/** Until a place becomes free: a typical request is shorter. */
const busyRetrySeconds = 1

/** Lets `concurrentRequestsMax` requests in; the others get 503 and when to come back. */
export function limitConcurrency(limits: ServerLimits, metrics: ServerMetrics): MiddlewareHandler<ServerEnv> {
  let underWay = 0
  return async (context, next) => {
    if (underWay >= limits.concurrentRequestsMax) {
      metrics.countRefusal('concurrency')
      return refuse(context, busyRetrySeconds, {
        status: 503,
        code: 'unavailable',
        type: 'ServiceUnavailableException',
        message: `the server has ${limits.concurrentRequestsMax} requests under way`,
        hint: 'try again in a moment',
      })
    }
    underWay++
    try {
      return await next()
    } finally {
      onEnd(context, () => underWay--)
    }
  }
}

/** Turns away the requests of one address that come faster than the limits allow, with 429 and when to come back. */
export function limitAddressRate(limits: ServerLimits, metrics: ServerMetrics): MiddlewareHandler<ServerEnv> {
  return limitRate(limits, metrics, (context) => addressOf(context))
}

/** The same for one principal, wherever it asks from; for after authentication. */
export function limitPrincipalRate(
  limits: ServerLimits,
  metrics: ServerMetrics,
): MiddlewareHandler<ServerEnv> {
  return limitRate(limits, metrics, (context) => context.get('principal')?.name)
}

function limitRate(
  { requestsPerSecondMax, requestBurstMax, rateKeysMax }: ServerLimits,
  metrics: ServerMetrics,
  keyOf: (context: ServerContext) => string | undefined,
): MiddlewareHandler<ServerEnv> {
  if (requestsPerSecondMax === undefined) return (_context, next) => next()
  const buckets = new TokenBuckets({
    perSecond: requestsPerSecondMax,
    capacity: requestBurstMax,
    keysMax: rateKeysMax,
  })
  return async (context, next) => {
    const key = keyOf(context)
    const waitMs = key === undefined ? 0 : buckets.take(key, performance.now())
    if (waitMs === 0) return next()
    metrics.countRefusal('rate')
    return refuse(context, Math.ceil(waitMs / 1000), {
      status: 429,
      code: 'resource-exhausted',
      type: 'TooManyRequestsException',
      message: `more than ${requestsPerSecondMax} requests a second`,
      hint: 'try again after the seconds of Retry-After',
    })
  }
}

function refuse(context: ServerContext, retrySeconds: number, refusal: Refusal): Response {
  const body =
    context.req.raw.method === 'HEAD' ? null : JSON.stringify(refusalBody(context.req.path, refusal))
  const headers = { 'content-type': 'application/json', 'retry-after': String(retrySeconds) }
  return new Response(body, { status: refusal.status, headers })
}
