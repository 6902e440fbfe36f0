import { Hono } from 'hono'
import { functionEndpoints } from './functions.ts'
import { metricsEndpoints } from './metrics.ts'
import { namespaceEndpoints } from './namespaces.ts'
import { lifetimeDuration } from './request-key.ts'
import { tableEndpoints } from './tables.ts'
import { transactionEndpoints } from './transactions.ts'
import { viewEndpoints } from './views.ts'

/**
 * What the server serves, in the spec's form. Clients do not call what is missing here, and take its lists to be
 * empty: each file of routes names its own.
 */
const endpoints: readonly string[] = [
  ...namespaceEndpoints,
  ...tableEndpoints,
  ...viewEndpoints,
  ...transactionEndpoints,
  ...functionEndpoints,
  ...metricsEndpoints,
]

/** Spec `namespace-separator`: clients need not rely on the default; others than U+001F are not decoded. */
const separatorOverride = 'namespace-separator'

type ConfigSettings = {
  readonly catalog: { readonly requestLifetimeMs?: number }
  readonly warehouse?: string
  readonly prefix?: string
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
}

/** `GET /v1/config`: there is one warehouse, whatever the client calls it. */
export function configRoutes({ catalog, warehouse, prefix, defaults, overrides }: ConfigSettings): Hono {
  const lifetimeMs = catalog.requestLifetimeMs
  const config = {
    defaults: { ...(warehouse === undefined ? {} : { warehouse }), ...defaults },
    overrides: { [separatorOverride]: '%1F', ...(prefix === undefined ? {} : { prefix }), ...overrides },
    endpoints,
    ...(lifetimeMs === undefined ? {} : { 'idempotency-key-lifetime': lifetimeDuration(lifetimeMs) }),
  }
  return new Hono().get('/config', (context) => context.json(config))
}
