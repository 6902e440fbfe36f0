import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createSqlAccessStore, openCatalogDatabase } from '@floe/catalog/sql'
import type { CatalogDatabase } from '@floe/catalog/sql'
import { openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from '../catalog-routes.ts'
import { createAccessAdmin } from './access-admin.ts'
import { createAccessControl } from './access-control.ts'
import { findRule } from './route-rules.ts'

const clock = manualClock(1_700_000_000_000)
const components = { clock, randomBytes: (count: number) => randomBytes(count) }
const sales = { name: 'sales', location: 's3://lake/sales' }
const logs = { name: 'logs', location: 'file:///lake/logs' }

let folder: string
let database: CatalogDatabase
let routes: Hono
let token: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-warehouse-access-'))
  database = await openCatalogDatabase(
    { database: { kind: 'sqlite', path: join(folder, 'catalog.db') }, clock, uuid: randomUUID },
    { store: openMemoryStore() },
  )
  const [first, second] = [database.catalog(sales), database.catalog(logs)]
  for (const catalog of [first, second]) await catalog.createNamespace(['shop'])
  const store = createSqlAccessStore(database.sql, { clock })
  const access = createAccessControl(
    {
      store,
      warehouses: [
        { ...sales, catalog: first },
        { ...logs, catalog: second },
      ],
    },
    components,
  )
  routes = createCatalogRoutes({
    catalog: first,
    clock,
    access,
    prefix: sales.name,
    warehouse: sales.location,
    warehouses: [{ ...logs, catalog: second }],
  })
  const admin = createAccessAdmin({ warehouse: logs.name, catalog: second, store }, components)
  await admin.addGrant({
    to: { kind: 'principal', name: 'ada' },
    privilege: 'read',
    on: { kind: 'warehouse' },
  })
  token = (await admin.createToken({ principal: { name: 'ada', roles: [] }, kind: 'token' })).text
})

afterEach(async () => {
  await database.close()
  await rm(folder, { recursive: true })
})

async function status(path: string): Promise<number> {
  return (await routes.request(path, { headers: { authorization: `Bearer ${token}` } })).status
}

it('has a rule for every route below every prefix', () => {
  const served = routes.routes.filter(({ method, path }) => method !== 'ALL' || !path.endsWith('*'))
  expect(served.some(({ path }) => path.startsWith('/v1/logs/'))).toBe(true)
  for (const { method, path } of served) expect(findRule(method, path), `${method} ${path}`).toBeDefined()
})

it('opens the warehouse that a grant is on, under its prefix, name and every spelling of its location', async () => {
  for (const path of [
    '/v1/logs/namespaces/shop',
    '/v1/config?warehouse=logs',
    '/v1/config?warehouse=file:/lake/logs/',
  ])
    expect(await status(path), path).toBe(200)
})

it('opens no other one, nor the first one without its prefix', async () => {
  for (const path of [
    '/v1/sales/namespaces/shop',
    '/v1/namespaces/shop',
    '/v1/config',
    '/v1/config?warehouse=sales',
    '/v1/config?warehouse=s3a://lake/sales',
    '/management/v1/logs/grants',
  ])
    expect(await status(path), path).toBe(403)
  expect(await status('/v1/%6cogs/namespaces/shop')).toBe(400)
})

it('says to those who are known what is not served, and to others nothing', async () => {
  expect(await status('/v1/none/namespaces')).toBe(404)
  expect(await status('/management/v1/logs/none')).toBe(404)
  expect((await routes.request('/v1/none/namespaces')).status).toBe(401)
})
