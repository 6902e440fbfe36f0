import type { Context } from 'hono'

export type AccessMechanism = 'vended-credentials' | 'remote-signing'

/** Spec `X-Iceberg-Access-Delegation`: a list of mechanisms that the client knows; others than these are passed over. */
export function accessRequested(context: Context): ReadonlySet<AccessMechanism> {
  const asked = new Set<AccessMechanism>()
  for (const item of (context.req.header('x-iceberg-access-delegation') ?? '').split(',')) {
    const mechanism = item.trim().toLowerCase()
    if (mechanism === 'vended-credentials' || mechanism === 'remote-signing') asked.add(mechanism)
  }
  return asked
}
