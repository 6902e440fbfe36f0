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
import { findWarehouse } from './warehouses.ts'
import type { ServedWarehouse } from './warehouses.ts'

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

/** Spec `namespace-separator`: clients need not rely on the default; others than U+001F are not decoded. */
const separatorOverride = 'namespace-separator'

type ConfigSettings = {
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
  readonly planning?: PlanningSettings
}

/** `GET /v1/config`: what clients of one warehouse need to know. */
export function configRoutes(
  warehouses: readonly [ServedWarehouse, ...ServedWarehouse[]],
  settings: ConfigSettings,
): Hono {
  return new Hono().get('/config', (context) => {
    const { catalog, name, location, delegation } = findWarehouse(warehouses, context.req.query('warehouse'))
    const lifetimeMs = catalog.requestLifetimeMs
    return context.json({
      defaults: {
        ...(location === undefined ? {} : { warehouse: location }),
        ...planningMode(settings),
        ...settings.defaults,
      },
      overrides: {
        [separatorOverride]: '%1F',
        ...(name === undefined ? {} : { prefix: name }),
        ...settings.overrides,
      },
      endpoints: servedEndpoints(settings, delegation),
      ...(lifetimeMs === undefined ? {} : { 'idempotency-key-lifetime': lifetimeDuration(lifetimeMs) }),
    })
  })
}

function servedEndpoints(
  { planning }: ConfigSettings,
  delegation: DelegationSettings | undefined,
): readonly string[] {
  return [
    ...alwaysServed,
    ...(planning === undefined ? [] : planningEndpoints),
    ...(delegation?.signer === undefined ? [] : signEndpoints),
  ]
}
