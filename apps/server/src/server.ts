import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { FloeError } from '@floe/iceberg'
import type { Lakehouse } from '@floe/lakehouse'
import { Hono } from 'hono'
import { askRoutes } from './ask-routes.ts'
import { errorBody, errorResponse } from './error-response.ts'
import { sqlRoutes } from './sql-routes.ts'

export const serverRoles = ['catalog', 'query', 'agent'] as const
export type ServerRole = (typeof serverRoles)[number]

export type ServerSettings = {
  readonly roles: readonly ServerRole[]
  readonly port: number
  readonly host: string
}

export type RunningServer = AsyncDisposable & {
  readonly url: string
  /** Stops taking requests, and waits for those under way up to a limit. */
  close(): Promise<void>
}

/** How long requests under way may take once the server was told to stop. */
const drainMsMax = 10_000

/** One app with the routes of the roles asked for: the Iceberg catalog, `POST /sql`, `POST /ask`. */
export async function createServer(lakehouse: Lakehouse, roles: readonly ServerRole[]): Promise<Hono> {
  const app = new Hono()
  app.onError(errorResponse)
  const authorization = await lakehouse.authorization()
  if (authorization !== undefined) {
    app.use((context, next) => (isCatalogPath(context.req.path) ? next() : authorization(context, next)))
  }
  app.get('/health', (context) => context.json({ status: 'ok', roles }))
  if (roles.includes('query')) app.route('/', sqlRoutes(lakehouse))
  if (roles.includes('agent')) app.route('/', askRoutes(lakehouse))
  if (roles.includes('catalog')) {
    const routes = await lakehouse.catalogRoutes()
    // Not `route`: an unknown path below /v1 gets the protocol's own answer.
    for (const path of ['/v1/*', '/management/*']) app.all(path, (context) => routes.fetch(context.req.raw))
  }
  app.notFound((context) => {
    const message = `${context.req.method} ${context.req.path} is not served`
    return context.json(
      errorBody({ code: 'not-found', message, hint: `roles served: ${roles.join(', ')}` }),
      404,
    )
  })
  return app
}

/** The catalog's own routes check for themselves. */
function isCatalogPath(path: string): boolean {
  return path.startsWith('/v1/') || path.startsWith('/management/')
}

/** @throws `unavailable` when the port is taken */
export async function startServer(lakehouse: Lakehouse, settings: ServerSettings): Promise<RunningServer> {
  const { roles, port, host } = settings
  const app = await createServer(lakehouse, roles)
  const server = serve({ fetch: app.fetch, port, hostname: host })
  const address = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = 'choose another with --port, or stop the process that holds it'
      reject(
        new FloeError('unavailable', `cannot listen on ${host}:${port}`, { hint, cause, retryable: false }),
      )
    })
    server.once('listening', () => resolve(server.address() as AddressInfo))
  })
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    if ('closeIdleConnections' in server) server.closeIdleConnections()
    const drain = setTimeout(() => {
      if ('closeAllConnections' in server) server.closeAllConnections()
    }, drainMsMax)
    await closed
    clearTimeout(drain)
  }
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${address.port}`, close, [Symbol.asyncDispose]: close }
}
