import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import { maskActions } from '@floe/catalog'
import { stringifyJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { readBody, tableIdentifier } from '../request-body.ts'
import type { AccessAdmin, NamedRestriction } from './access-admin.ts'
import {
  granteeSchema,
  grantSchema,
  grantToJson,
  principalName,
  roleNames,
  securableSchema,
} from './access-json.ts'

const tokenBody = z.strictObject({
  principal: principalName,
  roles: roleNames.default([]),
  kind: z.enum(['token', 'client']).default('token'),
  'lifetime-ms': z.number().int().positive().optional(),
})
const removeGrantBody = z.strictObject({ to: granteeSchema, on: securableSchema })
const restrictionBody = z.strictObject({
  to: granteeSchema,
  table: tableIdentifier,
  'row-filter': z.string().optional(),
  masks: z.array(z.strictObject({ column: z.string(), action: z.enum(maskActions) })).default([]),
})
const removeRestrictionBody = z.strictObject({ to: granteeSchema, table: tableIdentifier })

/** For the OpenAPI document. */
export const accessRequests: Readonly<
  Record<'token' | 'grant' | 'removeGrant' | 'restriction' | 'removeRestriction', z.ZodType>
> = {
  token: tokenBody,
  grant: grantSchema,
  removeGrant: removeGrantBody,
  restriction: restrictionBody,
  removeRestriction: removeRestrictionBody,
}

/**
 * Tokens, grants and restrictions below `/management/v1`, Floe's own and in no specification.
 * @param adminOf  of the warehouse that the path names, or of the first one
 */
export function accessRoutes(adminOf: (context: Context) => AccessAdmin): Hono {
  const routes = new Hono()
  tokenRoutes(routes, adminOf)
  const grants = '/management/v1/:warehouse/grants'
  routes.get(grants, async (context) => {
    return answer({ grants: (await adminOf(context).listGrants()).map(grantToJson) })
  })
  routes.post(grants, async (context) => {
    await adminOf(context).addGrant(await readBody(context, grantSchema))
    return context.body(null, 204)
  })
  routes.post(`${grants}/remove`, async (context) => {
    const { to, on } = await readBody(context, removeGrantBody)
    await adminOf(context).removeGrant(to, on)
    return context.body(null, 204)
  })
  restrictionRoutes(routes, adminOf)
  return routes
}

function tokenRoutes(routes: Hono, adminOf: (context: Context) => AccessAdmin): void {
  const tokens = '/management/v1/tokens'
  routes.get(tokens, async (context) => answer({ tokens: await adminOf(context).listTokens() }))
  routes.post(tokens, async (context) => {
    const { principal: name, roles, kind, 'lifetime-ms': lifetimeMs } = await readBody(context, tokenBody)
    const request = { principal: { name, roles }, kind, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) }
    return answer(await adminOf(context).createToken(request))
  })
  routes.delete(`${tokens}/:id`, async (context) => {
    await adminOf(context).revokeToken(context.req.param('id') ?? '')
    return context.body(null, 204)
  })
}

function restrictionRoutes(routes: Hono, adminOf: (context: Context) => AccessAdmin): void {
  const restrictions = '/management/v1/:warehouse/restrictions'
  routes.get(restrictions, async (context) => {
    return answer({ restrictions: (await adminOf(context).listRestrictions()).map(restrictionToJson) })
  })
  routes.post(restrictions, async (context) => {
    const { 'row-filter': rowFilter, ...rest } = await readBody(context, restrictionBody)
    await adminOf(context).addRestriction({ ...rest, ...(rowFilter === undefined ? {} : { rowFilter }) })
    return context.body(null, 204)
  })
  routes.post(`${restrictions}/remove`, async (context) => {
    const { to, table } = await readBody(context, removeRestrictionBody)
    await adminOf(context).removeRestriction(to, table)
    return context.body(null, 204)
  })
}

function restrictionToJson({ to, table, rowFilter, masks }: NamedRestriction): JsonObject {
  return { to, table, masks, ...(rowFilter === undefined ? {} : { 'row-filter': rowFilter }) }
}

function answer(body: JsonObject): Response {
  // Answers here hold new secrets, and names that others may not see.
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return new Response(stringifyJson(body), { headers })
}
