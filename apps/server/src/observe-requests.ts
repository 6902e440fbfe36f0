import type { MiddlewareHandler } from 'hono'
import { routeTemplate } from './route-template.ts'
import { addressOf, onEnd } from './server-context.ts'
import type { ServerContext, ServerEnv } from './server-context.ts'
import type { ServerMetrics } from './server-metrics.ts'
import type { Tracing } from './tracing.ts'

/** Takes one line of JSON for each request. */
export type AccessLog = (line: string) => void

export type Observers = {
  readonly metrics: ServerMetrics
  readonly accessLog?: AccessLog | undefined
  readonly tracing?: Tracing | undefined
}

/** Around all other handlers: counts, times, traces and logs what they answer. */
export function observeRequests({ metrics, accessLog, tracing }: Observers): MiddlewareHandler<ServerEnv> {
  return async (context, next) => {
    const startedMs = performance.now()
    let traceId: string | undefined
    metrics.changeOpen(1)
    try {
      if (tracing === undefined) await next()
      else traceId = await tracing.traceRequest(context, next)
    } finally {
      onEnd(context, () => metrics.changeOpen(-1))
    }
    const { method } = context.req.raw
    const { status } = context.res
    const ms = performance.now() - startedMs
    metrics.countRequest({ method, template: routeTemplate(context), status, seconds: ms / 1000 })
    accessLog?.(logLine(context, ms, traceId))
  }
}

/** Neither queries nor headers: they can hold tokens. */
function logLine(context: ServerContext, ms: number, traceId: string | undefined): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    method: context.req.raw.method,
    path: new URL(context.req.url).pathname,
    route: routeTemplate(context),
    status: context.res.status,
    ms: Math.round(ms * 1000) / 1000,
    address: addressOf(context),
    principal: context.get('principal')?.name,
    trace: traceId,
  })
}
