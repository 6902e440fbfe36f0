import { Hono } from 'hono'
import { metricsEndpoints } from './metrics.ts'
import { namespaceEndpoints } from './namespaces.ts'
import { tableEndpoints } from './tables.ts'

/**
 * What the server serves, in the spec's form. Clients do not call what is missing here, and take its lists to be
 * empty: each file of routes names its own.
 */
const endpoints: readonly string[] = [...namespaceEndpoints, ...tableEndpoints, ...metricsEndpoints]

type ConfigSettings = {
  readonly warehouse?: string
  readonly prefix?: string
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
}

/** `GET /v1/config`: there is one warehouse, whatever the client calls it. */
export function configRoutes({ warehouse, prefix, defaults, overrides }: ConfigSettings): Hono {
  const config = {
    defaults: { ...(warehouse === undefined ? {} : { warehouse }), ...defaults },
    overrides: { ...(prefix === undefined ? {} : { prefix }), ...overrides },
    endpoints,
  }
  return new Hono().get('/config', (context) => context.json(config))
}
