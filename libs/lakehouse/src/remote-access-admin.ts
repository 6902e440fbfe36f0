import { grantSchema, grantToJson, securableToJson } from '@floe/catalog-server'
import type { AccessAdmin, IssuedToken, NamedRestriction, TokenInfo } from '@floe/catalog-server'
import type { ManagementClient } from './management-client.ts'

/** Tokens, grants and restrictions of a catalog that is another Floe server. Errors are those that it answers. */
export function remoteAccessAdmin({ call, inWarehouse }: ManagementClient): AccessAdmin {
  return {
    createToken: async ({ principal: { name, roles }, kind, lifetimeMs }) => {
      const limits = lifetimeMs === undefined ? {} : { 'lifetime-ms': lifetimeMs }
      return (await call('POST', '/management/v1/tokens', {
        principal: name,
        roles,
        kind,
        ...limits,
      })) as IssuedToken
    },
    listTokens: async () =>
      ((await call('GET', '/management/v1/tokens')) as { readonly tokens: readonly TokenInfo[] }).tokens,
    revokeToken: async (id) => {
      await call('DELETE', `/management/v1/tokens/${encodeURIComponent(id)}`)
    },
    listGrants: async () => {
      const { grants } = (await inWarehouse('GET', '/grants')) as { readonly grants: readonly unknown[] }
      return grants.map((grant) => grantSchema.parse(grant))
    },
    addGrant: async (grant) => {
      await inWarehouse('POST', '/grants', grantToJson(grant))
    },
    removeGrant: async (to, on) => {
      await inWarehouse('POST', '/grants/remove', { to, on: securableToJson(on) })
    },
    listRestrictions: async () => {
      const answer = (await inWarehouse('GET', '/restrictions')) as {
        readonly restrictions: readonly RestrictionJson[]
      }
      return answer.restrictions.map(({ 'row-filter': rowFilter, ...rest }) => ({
        ...rest,
        ...(rowFilter === undefined ? {} : { rowFilter }),
      }))
    },
    addRestriction: async ({ to, table, masks, rowFilter }) => {
      const filter = rowFilter === undefined ? {} : { 'row-filter': rowFilter }
      await inWarehouse('POST', '/restrictions', { to, table, masks, ...filter })
    },
    removeRestriction: async (to, table) => {
      await inWarehouse('POST', '/restrictions/remove', { to, table })
    },
  }
}

type RestrictionJson = Omit<NamedRestriction, 'rowFilter'> & { readonly 'row-filter'?: string }
