import { Hono } from 'hono'
import type { Context, MiddlewareHandler } from 'hono'
import type { AccessStore } from '@floe/catalog'
import { ProtocolError } from '../error-response.ts'
import { createAccessAdmin } from './access-admin.ts'
import type { AccessAdmin } from './access-admin.ts'
import { accessRoutes } from './access-routes.ts'
import type { TokenComponents } from './access-token.ts'
import { anyOf, bootstrapToken, storedTokens } from './authenticator.ts'
import { authenticateRequests, authorizeRequests } from './authorize.ts'
import type { AccessWarehouse } from './location-needs.ts'
import { oauthRoutes } from './oauth-routes.ts'
import { oidcTokens } from './oidc-authenticator.ts'
import type { OidcSettings } from './oidc-authenticator.ts'

export type AccessControlSettings = {
  readonly store: AccessStore
  /** The first one answers without a prefix. */
  readonly warehouses: readonly [AccessWarehouse, ...AccessWarehouse[]]
  /** A token that may do everything, for the first steps. */
  readonly bootstrapToken?: string
  /** Issuers whose tokens are taken beside those of the store. */
  readonly oidc?: OidcSettings
  /** How long a token is good that is issued for a client (default one hour). */
  readonly sessionLifetimeMs?: number
}

/** Who may do what over HTTP. */
export type AccessControl = {
  /** Finds out who asks; for every app whose routes are in the table of rules. A second run does nothing. */
  readonly authenticate: MiddlewareHandler
  /** Lets through what the rules allow whoever asks; after `authenticate`. */
  readonly authorize: MiddlewareHandler
  /** `POST /v1/oauth/tokens`, and tokens, grants and restrictions below `/management/v1`. */
  readonly routes: Hono
}

export function createAccessControl(
  settings: AccessControlSettings,
  components: TokenComponents,
): AccessControl {
  const { store, warehouses, oidc, bootstrapToken: bootstrap, sessionLifetimeMs } = settings
  const { clock } = components
  const authenticate = anyOf([
    storedTokens(store, clock),
    ...(bootstrap === undefined ? [] : [bootstrapToken(bootstrap)]),
    ...(oidc === undefined ? [] : [oidcTokens(oidc, clock)]),
  ])
  const oauth = { store, authenticate, ...(sessionLifetimeMs === undefined ? {} : { sessionLifetimeMs }) }
  return {
    authenticate: authenticateRequests({ authenticate, store, warehouses }),
    authorize: authorizeRequests(warehouses),
    routes: new Hono().route('/', oauthRoutes(oauth, components)).route(
      '/',
      accessRoutes((context) => adminOf(context, settings, components)),
    ),
  }
}

/** Its changes are those of whoever sends the request. */
function adminOf(
  context: Context,
  { store, warehouses }: AccessControlSettings,
  components: TokenComponents,
): AccessAdmin {
  const asked = context.req.param('warehouse') ?? warehouses[0].name
  const found = warehouses.find(({ name }) => name === asked)
  if (found === undefined)
    throw new ProtocolError(404, 'NotFoundException', `Warehouse does not exist: ${asked}`)
  const { name: warehouse, catalog } = found
  const principal = context.get('principal')?.name
  const request = { warehouse, ...(principal === undefined ? {} : { principal }) }
  return createAccessAdmin({ warehouse, catalog, store: store.forRequest(request) }, components)
}
