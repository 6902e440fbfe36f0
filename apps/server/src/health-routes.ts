import type { JsonObject } from '@floe/iceberg'
import type { Readiness } from '@floe/lakehouse'
import { Hono } from 'hono'
import type { MiddlewareHandler } from 'hono'
import type { ServerEnv } from './server-context.ts'
import type { ServerLimits } from './server-limits.ts'
import type { ServerMetrics } from './server-metrics.ts'

export type HealthSettings = {
  readonly roles: readonly string[]
  readonly limits: ServerLimits
  readonly metrics: ServerMetrics
  readonly isStopping: () => boolean
  /** The OpenAPI document of all routes. */
  readonly describe: () => JsonObject
  /** Asks who wants more than to know whether the server lives and is ready. */
  readonly authenticate?: MiddlewareHandler
  readonly checkReady: (signal: AbortSignal) => Promise<Readiness>
}

/**
 * `/health`: the process lives. `/ready`: it can do its work; 503 and the part that fails when it cannot, or is about
 * to stop. `/metrics`: its numbers for Prometheus. `/openapi.json`: what it serves.
 */
export function healthRoutes({ roles, limits, metrics, ...server }: HealthSettings): Hono<ServerEnv> {
  const check = sharedFor(limits.readyCacheMs, () =>
    server.checkReady(AbortSignal.timeout(limits.readyCheckMsMax)),
  )
  const authenticate: MiddlewareHandler = server.authenticate ?? ((_context, next) => next())
  let document: JsonObject | undefined
  return new Hono<ServerEnv>()
    .get('/health', (context) => context.json({ status: 'ok', roles }))
    .get('/ready', async (context) => {
      if (server.isStopping()) return context.json({ status: 'stopping', roles }, 503)
      const parts = await check()
      const isReady = parts.every(({ error }) => error === undefined)
      return context.json({ status: isReady ? 'ready' : 'not ready', roles, parts }, isReady ? 200 : 503)
    })
    .get('/openapi.json', authenticate, (context) => context.json((document ??= server.describe())))
    .get('/metrics', authenticate, async (context) =>
      context.body(await metrics.render(), 200, { 'content-type': metrics.contentType }),
    )
}

/** Callers that come within `ms` of each other share one run. */
function sharedFor<T>(ms: number, run: () => Promise<T>): () => Promise<T> {
  let last: { readonly startedMs: number; readonly result: Promise<T> } | undefined
  return () => {
    const now = performance.now()
    if (last === undefined || now - last.startedMs >= ms) last = { startedMs: now, result: run() }
    return last.result
  }
}
