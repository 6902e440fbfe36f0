import { grantSchema, grantToJson, securableToJson } from '@floe/catalog-server'
import type { AccessAdmin, IssuedToken, NamedRestriction, TokenInfo } from '@floe/catalog-server'
import { errorReactions, FloeError } from '@floe/iceberg'
import type { ErrorCode, JsonObject } from '@floe/iceberg'

export type RemoteAccessSettings = {
  /** Of the catalog, without `/v1`. */
  readonly uri: string
  readonly token?: string
  /** Name or location; the server's first one when absent. */
  readonly warehouse?: string
}

/** How long one request may take, answer included. */
const requestMsMax = 60_000

/** Tokens, grants and restrictions of a catalog that is another Floe server. Errors are those that it answers. */
export function remoteAccessAdmin(settings: RemoteAccessSettings): AccessAdmin {
  const call = async (method: string, path: string, body?: JsonObject): Promise<unknown> =>
    send(`${settings.uri.replace(/\/+$/, '')}${path}`, method, settings.token, body)
  const inWarehouse = async (method: string, path: string, body?: JsonObject): Promise<unknown> =>
    call(method, `/management/v1/${encodeURIComponent(await warehouseName(settings, call))}${path}`, body)
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

/** The prefix that the server hands out is the name of the warehouse. */
async function warehouseName(
  { warehouse }: RemoteAccessSettings,
  call: (method: string, path: string) => Promise<unknown>,
): Promise<string> {
  const query = warehouse === undefined ? '' : `?warehouse=${encodeURIComponent(warehouse)}`
  const { overrides } = (await call('GET', `/v1/config${query}`)) as {
    readonly overrides?: { readonly prefix?: string }
  }
  return overrides?.prefix ?? 'default'
}

async function send(
  url: string,
  method: string,
  token: string | undefined,
  body?: JsonObject,
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    signal: AbortSignal.timeout(requestMsMax),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new FloeError('unavailable', `${url} cannot be reached`, {
      hint: 'check the address of the catalog',
      cause,
    })
  })
  const text = await response.text()
  if (response.ok) return text === '' ? undefined : JSON.parse(text)
  const options = response.status === 401 ? { hint: 'give a token with --token or FLOE_TOKEN' } : {}
  const message = `${method} ${url}: ${messageOf(text, response.status)}`
  throw new FloeError(codeOf(response.status), message, options)
}

const codes: readonly ErrorCode[] = [
  'invalid-input',
  'not-found',
  'permission-denied',
  'unavailable',
  'unsupported',
]

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'permission-denied'
  return codes.find((code) => errorReactions[code].httpStatus === status) ?? 'internal'
}

function messageOf(text: string, status: number): string {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: string } }
    return error?.message ?? `status ${status}`
  } catch {
    return `status ${status}`
  }
}
