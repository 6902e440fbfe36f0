import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import type { AccessStore, Catalog, Grant, Principal, Privilege, Securable } from '@floe/catalog'
import { createSqlAccessStore, openCatalogDatabase } from '@floe/catalog/sql'
import type { CatalogDatabaseSettings } from '@floe/catalog/sql'
import type { JsonObject, Schema } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import type { ManualClock } from '@floe/testing'
import { createCatalogRoutes } from '../catalog-routes.ts'
import { createAccessControl } from './access-control.ts'
import type { AccessControlSettings } from './access-control.ts'
import type { DelegationSettings } from '../storage-delegation.ts'
import { makeToken } from './access-token.ts'
import type { TokenComponents } from './access-token.ts'

export const bootstrap = 'bootstrap-secret'
const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', type: { kind: 'long' }, required: true },
    { id: 2, name: 'email', type: { kind: 'string' }, required: false },
  ],
}

/** A catalog with access control over a real store: namespaces `shop`, `shop.eu` and `hr`, a table in each. */
export type AccessFixture = AsyncDisposable & {
  readonly routes: Hono
  readonly catalog: Catalog
  readonly store: AccessStore
  readonly clock: ManualClock
  readonly components: TokenComponents
  /** A token for somebody with one privilege on something, `undefined` for no grant at all. */
  tokenFor(name: string, privilege?: Privilege, on?: Securable, warehouse?: string): Promise<string>
  grant(grant: Grant, warehouse?: string): Promise<void>
  token(principal: Principal, lifetimeMs?: number, kind?: 'token' | 'client'): Promise<string>
  send(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>
  json(method: string, path: string, token?: string, body?: unknown): Promise<JsonObject>
}

/** @param delegation  puts the tables into S3, as far as clients are told; their metadata stays in memory */
export async function openFixture(
  more: Partial<AccessControlSettings> = {},
  delegation?: DelegationSettings,
  settings: Partial<CatalogDatabaseSettings> = {},
): Promise<AccessFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'floe-access-routes-'))
  const clock = manualClock(1_700_000_000_000)
  const bucket = `access-${randomUUID()}`
  const location = `${delegation === undefined ? 'memory' : 's3'}://${bucket}/lake`
  const store = inMemory()
  const database = await openCatalogDatabase(
    { database: { kind: 'sqlite', path: join(folder, 'catalog.db') }, clock, uuid: randomUUID, ...settings },
    { store },
  )
  const catalog = database.catalog({ name: 'lake', location })
  const grants = createSqlAccessStore(database.sql, { clock })
  const components = { clock, randomBytes: (count: number) => randomBytes(count) }
  const access = createAccessControl(
    { store: grants, warehouses: [{ name: 'lake', location, catalog }], bootstrapToken: bootstrap, ...more },
    components,
  )
  const routes = createCatalogRoutes({
    catalog,
    clock,
    warehouse: location,
    access,
    planning: { store },
    ...(delegation === undefined ? {} : { delegation }),
  })
  await fill(catalog)
  const token = issuer(grants, components)
  const grant: AccessFixture['grant'] = async (granted, warehouse = 'lake') => {
    if ((await grants.setGrant(warehouse, granted)) !== 'set') throw new Error('nothing to grant on')
  }
  const send = sendTo(routes)
  return {
    routes,
    catalog,
    store: grants,
    clock,
    components,
    token,
    grant,
    send,
    json: async (...request) => (await (await send(...request)).json()) as JsonObject,
    tokenFor: async (name, privilege, on = { kind: 'warehouse' }, warehouse = 'lake') => {
      if (privilege !== undefined) await grant({ to: { kind: 'principal', name }, privilege, on }, warehouse)
      return token({ name, roles: [] })
    },
    [Symbol.asyncDispose]: async () => {
      await database.close()
      clearMemoryStore(bucket)
      await rm(folder, { recursive: true })
    },
  }
}

function sendTo(routes: Hono): AccessFixture['send'] {
  return async (method, path, bearer, body, headers = {}) =>
    routes.request(path, {
      method,
      headers: { ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
}

function issuer(store: AccessStore, components: TokenComponents): AccessFixture['token'] {
  return async (principal, lifetimeMs, kind = 'token') => {
    const made = makeToken(
      { principal, kind, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) },
      components,
    )
    await store.insertToken(made.stored)
    return made.text
  }
}

async function fill(catalog: Catalog): Promise<void> {
  for (const namespace of [['shop'], ['shop', 'eu'], ['hr']]) {
    await catalog.createNamespace(namespace)
    await catalog.createTable({ namespace, name: 'orders' }, { schema })
  }
  await catalog.createTable({ namespace: ['shop'], name: 'secrets' }, { schema })
}

function inMemory(): ObjectStore {
  const memory = openMemoryStore()
  const at = (location: string): string => location.replace(/^s3:/, 'memory:')
  return {
    ...memory,
    get: (location) => memory.get(at(location)),
    put: (location, bytes) => memory.put(at(location), bytes),
    putIfAbsent: (location, bytes) => memory.putIfAbsent(at(location), bytes),
  }
}
