import { errorReactions, FloeError } from '@floe/iceberg'
import type { ErrorCode, JsonObject } from '@floe/iceberg'
import type { LakehouseSettings } from './settings.ts'

type ManagementSettings = {
  /** Of the catalog, without `/v1`. */
  readonly uri: string
  readonly token?: string
  /** Name or location; the server's first one when absent. */
  readonly warehouse?: string
}

/** How long one request may take, answer included. */
const requestMsMax = 60_000

type Call = (method: string, path: string, body?: JsonObject) => Promise<unknown>

/** Requests to what another Floe server has below `/management`. Errors are those that it answers. */
export type ManagementClient = {
  readonly call: Call
  /** Below the path of the warehouse. */
  readonly inWarehouse: Call
}

/** `undefined` for a catalog that is not behind HTTP. */
export function managementClientOf({ catalog }: LakehouseSettings): ManagementClient | undefined {
  if (catalog.kind !== 'rest') return undefined
  const { uri, warehouse, auth } = catalog
  const name = warehouse === undefined ? {} : { warehouse }
  return managementClient({ uri, ...name, ...(auth.kind === 'bearer' ? { token: auth.token } : {}) })
}

function managementClient(settings: ManagementSettings): ManagementClient {
  const call: Call = async (method, path, body) =>
    send(`${settings.uri.replace(/\/+$/, '')}${path}`, method, settings.token, body)
  let name: Promise<string> | undefined
  return {
    call,
    inWarehouse: async (method, path, body) => {
      name ??= warehouseName(settings, call)
      return call(method, `/management/v1/${encodeURIComponent(await name)}${path}`, body)
    },
  }
}

/** The prefix that the server hands out is the name of the warehouse. */
async function warehouseName(
  { warehouse }: ManagementSettings,
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
  throw new FloeError(codeOf(response.status, typeOf(text)), message, options)
}

const codes: readonly ErrorCode[] = [
  'invalid-input',
  'not-found',
  'permission-denied',
  'unavailable',
  'unsupported',
]

const conflicts: Readonly<Record<string, ErrorCode>> = {
  AlreadyExistsException: 'already-exists',
  ProtectedException: 'protected',
}

function codeOf(status: number, type: string | undefined): ErrorCode {
  if (status === 401) return 'permission-denied'
  if (status === 409) return conflicts[type ?? ''] ?? 'commit-conflict'
  return codes.find((code) => errorReactions[code].httpStatus === status) ?? 'internal'
}

function messageOf(text: string, status: number): string {
  return errorOf(text).message ?? `status ${status}`
}

function typeOf(text: string): string | undefined {
  return errorOf(text).type
}

function errorOf(text: string): { readonly message?: string; readonly type?: string } {
  try {
    const { error } = JSON.parse(text) as { readonly error?: ReturnType<typeof errorOf> }
    return error ?? {}
  } catch {
    return {}
  }
}
