import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { AccessStore, Principal } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import type { Authenticated, Authenticator } from './authenticator.ts'
import { pathIdentifier } from '../path-names.ts'
import { lookUpWarehouse } from '../warehouses.ts'
import type { AccessWarehouse } from './location-needs.ts'
import { openWarehouseAccess } from './request-access.ts'
import type { WarehouseAccess } from './request-access.ts'
import { findRule, unrestrictedRoutes } from './route-rules.ts'
import type { RouteRule } from './route-rules.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Who asks; absent while authentication is off. */
    principal: Principal | undefined
    /** What they may do; absent while authentication is off. */
    access: WarehouseAccess | undefined
    /** The token of a request whose catalog is asked with it what it allows. */
    bearer: string | undefined
  }
}

export type AuthenticateSettings = {
  readonly authenticate: Authenticator
  readonly store: AccessStore
  /** The first one is meant where a path names none. */
  readonly warehouses: Warehouses
}

type Warehouses = readonly [AccessWarehouse, ...AccessWarehouse[]]

/** Finds out who sends a request and what they may do. Routes that are for everybody ask nobody. */
export function authenticateRequests(settings: AuthenticateSettings): MiddlewareHandler {
  return async (context, next) => {
    // Routes may be mounted below others that ask as well.
    if (context.get('access') !== undefined) return next()
    if (isPublic(rulesOf(context))) return next()
    const authenticated = await authenticateRequest(context, settings.authenticate)
    if (authenticated === undefined) return refuseStranger(context)
    const warehouse = warehouseOf(context, settings.warehouses)
    const access = await openWarehouseAccess(authenticated, warehouse.name, settings.store)
    context.set('principal', authenticated.principal)
    context.set('access', access)
    await next()
    keepPrivate(context)
  }
}

/**
 * Lets a request through when its route's rule allows it to whoever was found to send it. It runs before everything
 * that a request does, the replay of an earlier one included.
 */
export function authorizeRequests(warehouses: Warehouses): MiddlewareHandler {
  return async (context, next) => {
    const rules = rulesOf(context)
    if (isPublic(rules)) return next()
    const access = context.get('access')
    if (access === undefined) return refuseStranger(context)
    const warehouse = warehouseOf(context, warehouses)
    for (const [route, rule] of rules) await check(context, route, rule, access, warehouse)
    return next()
  }
}

type FoundRule = readonly [route: string, rule: RouteRule]

function isPublic(rules: readonly FoundRule[]): boolean {
  return rules.length > 0 && rules.every(([, rule]) => rule === 'public')
}

/** The rules of all routes that may answer. @throws FloeError permission-denied for a route without one */
function rulesOf(context: Context): readonly FoundRule[] {
  return matchedRoutes(context)
    .filter(({ method, path }) => method !== 'ALL' || !path.endsWith('*'))
    .map(({ method, path }) => {
      const found = findRule(method, path)
      if (found !== undefined) return found
      throw new FloeError(
        'permission-denied',
        `nobody may use ${method} ${path}: there is no access rule for it`,
      )
    })
}

async function check(
  context: Context,
  route: string,
  rule: RouteRule,
  access: WarehouseAccess,
  warehouse: AccessWarehouse,
): Promise<void> {
  if (rule === 'public' || rule === 'anybody') return
  for (const need of await rule(context, warehouse)) access.require(need)
  if (unrestrictedRoutes.has(route) && (await access.isRestricted(pathIdentifier(context))))
    throw new FloeError(
      'permission-denied',
      `${access.principal.name} may see parts of the table only, and no files`,
      {
        hint: 'read it with SQL',
      },
    )
}

async function authenticateRequest(
  context: Context,
  authenticate: Authenticator,
): Promise<Authenticated | undefined> {
  const token = bearerOf(context)
  return token === undefined ? undefined : authenticate(token)
}

export function bearerOf({ req }: Context): string | undefined {
  return /^bearer +(\S+)$/i.exec(req.header('authorization') ?? '')?.[1]
}

/** One answer for no token and for every kind of bad one. */
export function refuseStranger(context: Context): Response {
  const message = 'a valid token is needed: send it as Authorization: Bearer <token>'
  const error = isProtocol(context)
    ? { message, type: 'NotAuthorizedException', code: 401 }
    : { code: 'permission-denied', message, hint: 'floe token create makes one' }
  const body = context.req.raw.method === 'HEAD' ? null : JSON.stringify({ error })
  const headers = { 'content-type': 'application/json', 'www-authenticate': 'Bearer realm="floe"' }
  return new Response(body, { status: 401, headers })
}

function isProtocol({ req }: Context): boolean {
  return req.path.startsWith('/v1/') || req.path.startsWith('/management/')
}

/** The warehouse of the path, or of the query of `/v1/config`, by name or location. */
function warehouseOf(context: Context, warehouses: Warehouses): AccessWarehouse {
  const segments = new URL(context.req.url).pathname.split('/')
  const [, top, second, third] = segments
  const isManagement = top === 'management'
  // Routes match what is decoded: an encoded prefix would be one warehouse to them and another one here.
  if (segments.slice(1, isManagement ? 4 : 3).some((segment) => segment.includes('%')))
    throw new FloeError('invalid-input', 'the path is percent-encoded before its names')
  if (top === 'v1' && second === 'config') {
    // One that is not there asks as much as the first one does: strangers learn nothing of either.
    return lookUpWarehouse(warehouses, context.req.query('warehouse')) ?? warehouses[0]
  }
  const asked = isManagement ? third : second
  const isNamed = top === 'v1' || (isManagement && second === 'v1')
  const named = isNamed ? warehouses.find(({ name }) => name === asked) : undefined
  return named ?? warehouses[0]
}

/** No cache may give to one principal what was answered to another. */
function keepPrivate({ res }: Context): void {
  const vary = res.headers.get('vary')
  if (vary === null || !/\bauthorization\b/i.test(vary))
    res.headers.set('vary', vary === null ? 'authorization' : `${vary}, authorization`)
  if (!res.headers.has('cache-control')) res.headers.set('cache-control', 'private, no-cache')
}
