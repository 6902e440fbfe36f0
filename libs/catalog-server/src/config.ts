import { Hono } from 'hono'
import { functionEndpoints } from './functions.ts'
import { metricsEndpoints } from './metrics.ts'
import { namespaceEndpoints } from './namespaces.ts'
import { planningEndpoints, planningMode } from './scan-planning.ts'
import type { PlanningSettings } from './scan-planning.ts'
import { signEndpoints } from './sign.ts'
import type { DelegationSettings } from './storage-delegation.ts'
import { lifetimeDuration } from './request-key.ts'
import { tableEndpoints } from './tables.ts'
import { transactionEndpoints } from './transactions.ts'
import { viewEndpoints } from './views.ts'

/**
 * What the server serves, in the spec's form. Clients do not call what is missing here, and take its lists to be
 * empty: each file of routes names its own.
 */
const alwaysServed: readonly string[] = [
  ...namespaceEndpoints,
  ...tableEndpoints,
  ...viewEndpoints,
  ...transactionEndpoints,
  ...functionEndpoints,
  ...metricsEndpoints,
]

type ConfigSettings = {
  readonly catalog: { readonly requestLifetimeMs?: number }
  readonly warehouse?: string
  readonly prefix?: string
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
  readonly planning?: PlanningSettings
  readonly delegation?: DelegationSettings
}

/** `GET /v1/config`: there is one warehouse, whatever the client calls it. */
export function configRoutes(settings: ConfigSettings): Hono {
  const { catalog, warehouse, prefix, defaults, overrides } = settings
  const lifetimeMs = catalog.requestLifetimeMs
  const config = {
    defaults: { ...(warehouse === undefined ? {} : { warehouse }), ...planningMode(settings), ...defaults },
    overrides: { ...(prefix === undefined ? {} : { prefix }), ...overrides },
    endpoints: servedEndpoints(settings),
    ...(lifetimeMs === undefined ? {} : { 'idempotency-key-lifetime': lifetimeDuration(lifetimeMs) }),
  }
  return new Hono().get('/config', (context) => context.json(config))
}

function servedEndpoints({ planning, delegation }: ConfigSettings): readonly string[] {
  return [
    ...alwaysServed,
    ...(planning === undefined ? [] : planningEndpoints),
    ...(delegation?.signer === undefined ? [] : signEndpoints),
  ]
}
