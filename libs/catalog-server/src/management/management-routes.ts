import { setTimeout as delay } from 'node:timers/promises'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import type { EventPage, ManagedCatalog } from '@floe/catalog'
import { stringifyJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { paginate } from '../pagination.ts'
import { queryNamespace } from '../path-names.ts'
import { readBody, tableIdentifier } from '../request-body.ts'
import { catalogFor } from '../request-key.ts'
import { auditEntryToJson, auditObjectToJson, droppedToJson, protectableSchema } from './management-json.ts'
import { queryAuditFilter, queryCount, queryProtectable } from './management-query.ts'

/** Entries of a page at most, and when the client names no number. */
const entriesMax = 1000
const entriesDefault = 100

/** How long a poller may wait for an event: shorter than the timeouts of common proxies. */
const waitSecondsMax = 20
/** Between two looks for events. */
const lookEveryMs = 250

export const undropBody: z.ZodType<{
  readonly uuid: string
  readonly as?: { readonly namespace: readonly string[]; readonly name: string } | undefined
}> = z.strictObject({ uuid: z.string(), as: tableIdentifier.optional() })
const expireBody = z.strictObject({ uuid: z.string().optional() })
export const protectBody: z.ZodType<{
  readonly on: z.output<typeof protectableSchema>
  readonly protected: boolean
}> = z.strictObject({ on: protectableSchema, protected: z.boolean() })

/** For the OpenAPI document. */
export const managementRequests: Readonly<Record<'undrop' | 'expire' | 'protect', z.ZodType>> = {
  undrop: undropBody,
  expire: expireBody,
  protect: protectBody,
}

type CatalogOf = (context: Context) => ManagedCatalog

/**
 * Dropped tables, protection, the audit log and events below `/management/v1/{warehouse}`: Floe's own, and in no
 * specification.
 * @param catalogOf  of the warehouse that the path names
 */
export function managementRoutes(catalogOf: CatalogOf): Hono {
  const routes = new Hono()
  droppedRoutes(routes, catalogOf)
  protectionRoutes(routes, catalogOf)
  logRoutes(routes, catalogOf)
  return routes
}

function droppedRoutes(routes: Hono, catalogOf: CatalogOf): void {
  const dropped = '/management/v1/:warehouse/dropped'
  routes.get(dropped, async (context) => {
    const found = await catalogOf(context).listDropped(queryNamespace(context, 'namespace'))
    const { items, nextPageToken } = paginate(context, found, newestFirst)
    return answer({ dropped: items.map(droppedToJson), 'next-page-token': nextPageToken })
  })
  routes.post(`${dropped}/undrop`, async (context) => {
    const { uuid, as } = await readBody(context, undropBody)
    const once = await catalogFor(context, catalogOf(context))
    return answer(auditObjectToJson(await once.undrop(uuid, as)))
  })
  routes.post(`${dropped}/expire`, async (context) => {
    const { uuid } = await readBody(context, expireBody)
    const principal = context.get('principal')?.name
    // Without a key: it is many changes, of which each is found done the next time.
    const catalog = catalogOf(context).forRequest(principal === undefined ? {} : { principal })
    const { expired, failures } = await catalog.expireDropped(uuid)
    const failed = failures.map(({ relation, error }) => ({
      ...droppedToJson(relation),
      error: error.message,
    }))
    return answer({ expired: expired.map(droppedToJson), failed })
  })
}

function newestFirst({ droppedAtMs, uuid }: { readonly droppedAtMs: number; readonly uuid: string }): string {
  return `${String(Number.MAX_SAFE_INTEGER - droppedAtMs).padStart(16, '0')} ${uuid}`
}

function protectionRoutes(routes: Hono, catalogOf: CatalogOf): void {
  const protection = '/management/v1/:warehouse/protection'
  routes.get(protection, async (context) => {
    const on = queryProtectable(context)
    const isProtected = await catalogOf(context).isProtected(on)
    return answer({ on: auditObjectToJson(on), protected: isProtected })
  })
  routes.post(protection, async (context) => {
    const { on, protected: isProtected } = await readBody(context, protectBody)
    const once = await catalogFor(context, catalogOf(context))
    await once.setProtection(on, isProtected)
    return context.body(null, 204)
  })
}

function logRoutes(routes: Hono, catalogOf: CatalogOf): void {
  routes.get('/management/v1/:warehouse/audit', async (context) => {
    const limit = queryLimit(context)
    const before = queryCount(context, 'before', Number.MAX_SAFE_INTEGER)
    const page = { limit, ...(before === undefined ? {} : { before }) }
    const entries = await catalogOf(context).readAudit(queryAuditFilter(context), page)
    const last = entries.length < limit ? undefined : entries.at(-1)
    return answer({ entries: entries.map(auditEntryToJson), before: last?.sequence ?? null })
  })
  routes.get('/management/v1/:warehouse/events', async (context) => {
    const { events, next } = await waitForEvents(context, catalogOf(context))
    return answer({ events: events.map(auditEntryToJson), next })
  })
}

/** The next events: those that are there, or the first ones to come within `wait-seconds`. */
async function waitForEvents(context: Context, catalog: ManagedCatalog): Promise<EventPage> {
  const filter = queryAuditFilter(context)
  const limit = queryLimit(context)
  const waitMs = (queryCount(context, 'wait-seconds', waitSecondsMax) ?? 0) * 1000
  const { signal } = context.req.raw
  let after = queryCount(context, 'after', Number.MAX_SAFE_INTEGER) ?? 0
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const page = await catalog.readEvents(after, limit, filter)
    if (page.events.length > 0 || waitedMs >= waitMs || signal.aborted) return page
    after = page.next
    await delay(lookEveryMs)
  }
}

function queryLimit(context: Context): number {
  return Math.max(queryCount(context, 'limit', entriesMax) ?? entriesDefault, 1)
}

function answer(body: JsonObject): Response {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return new Response(stringifyJson(body), { headers })
}
