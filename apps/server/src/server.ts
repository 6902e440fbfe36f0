import { catalogErrorResponse } from '@floe/lakehouse/serving'
import type { Lakehouse } from '@floe/lakehouse'
import { Hono } from 'hono'
import { askRoutes } from './ask-routes.ts'
import { errorBody, errorResponse, isCatalogPath } from './error-response.ts'
import { expirePeriodically } from './expire-dropped.ts'
import { healthRoutes } from './health-routes.ts'
import { limitAddressRate, limitConcurrency, limitPrincipalRate } from './limit-requests.ts'
import { listen } from './listen.ts'
import { openApiDocument } from './openapi.ts'
import { observeRequests } from './observe-requests.ts'
import type { AccessLog } from './observe-requests.ts'
import type { ServerEnv } from './server-context.ts'
import { readLimits } from './server-limits.ts'
import type { ServerLimits } from './server-limits.ts'
import { createServerMetrics } from './server-metrics.ts'
import type { ServerMetrics } from './server-metrics.ts'
import type { ServerRole } from './server-role.ts'
import { sqlRoutes } from './sql-routes.ts'
import type { Tracing } from './tracing.ts'

export type ServerSettings = {
  readonly roles: readonly ServerRole[]
  readonly port: number
  readonly host: string
  /** Those that are to differ from the defaults. */
  readonly limits?: Partial<ServerLimits>
}

export type ServerComponents = {
  readonly metrics?: ServerMetrics
  readonly accessLog?: AccessLog
  readonly tracing?: Tracing
}

export type RunningServer = AsyncDisposable & {
  readonly url: string
  /** Is not ready any more, stops taking requests, and waits for those under way up to a limit. */
  close(): Promise<void>
}

/** @throws `unavailable` when the port is taken */
export async function startServer(
  lakehouse: Lakehouse,
  { roles, port, host, limits: chosen = {} }: ServerSettings,
  { metrics = createServerMetrics(), accessLog, tracing }: ServerComponents = {},
): Promise<RunningServer> {
  const limits = readLimits(chosen, host)
  const access = await lakehouse.accessControl()
  let isStopping = false
  const app = new Hono<ServerEnv>()
  app.use(observeRequests({ metrics, accessLog, tracing }))
  app.use(async (context, next) => {
    await next()
    if (isStopping) context.header('connection', 'close')
  })
  app.route(
    '/',
    healthRoutes({
      roles,
      limits,
      metrics,
      isStopping: () => isStopping,
      describe: () => openApiDocument(app.routes),
      checkReady: (signal) => lakehouse.checkReady(signal),
      ...(access === undefined ? {} : { authenticate: access.authenticate }),
    }),
  )
  app.use(limitConcurrency(limits, metrics), limitAddressRate(limits, metrics))
  if (access !== undefined) app.use(access.authenticate)
  app.use(limitPrincipalRate(limits, metrics))
  // The catalog's own routes ask what is allowed once they know the length of the body, which may say what is wanted.
  if (access !== undefined)
    app.use((context, next) => (isCatalogPath(context.req.path) ? next() : access.authorize(context, next)))
  await addRoutes(app, lakehouse, roles)
  const listening = await listen((request, bindings) => app.fetch(request, bindings), { port, host, limits })
  const expiry = roles.includes('catalog')
    ? expirePeriodically(
        () => lakehouse.expireDropped(),
        limits.expireEveryMs,
        (counts) => metrics.countExpiry(counts),
      )
    : undefined
  const close = async (): Promise<void> => {
    isStopping = true
    await listening.close()
    await expiry?.[Symbol.asyncDispose]()
  }
  return { url: listening.url, close, [Symbol.asyncDispose]: close }
}

/** The routes of the roles asked for: the Iceberg catalog, `POST /sql`, `POST /ask`. */
async function addRoutes(
  app: Hono<ServerEnv>,
  lakehouse: Lakehouse,
  roles: readonly ServerRole[],
): Promise<void> {
  if (roles.includes('query')) app.route('/', sqlRoutes(lakehouse))
  if (roles.includes('agent')) app.route('/', askRoutes(lakehouse))
  if (roles.includes('catalog')) app.route('/', await lakehouse.catalogRoutes())
  app.onError((error, context) =>
    isCatalogPath(context.req.path) ? catalogErrorResponse(error, context) : errorResponse(error, context),
  )
  app.notFound((context) => {
    const message = `${context.req.method} ${context.req.path} is not served`
    const hint = `roles served: ${roles.join(', ')}`
    return context.json(errorBody({ code: 'not-found', message, hint }), 404)
  })
}
