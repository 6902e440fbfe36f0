import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'

let folder: string
let catalogs: readonly Catalog[]
let routes: Hono

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-warehouses-'))
  const open = (name: string): Promise<Catalog> =>
    openSqlCatalog(
      {
        database: { kind: 'sqlite', path: join(folder, `${name}.db`) },
        warehouse: `memory://warehouses/${name}`,
        clock: manualClock(1_700_000_000_000),
        uuid: randomUUID,
      },
      { store: openMemoryStore() },
    )
  const [sales, logs] = await Promise.all([open('sales'), open('logs')])
  catalogs = [sales, logs]
  routes = createCatalogRoutes({
    catalog: sales,
    clock: manualClock(5),
    prefix: 'sales',
    warehouse: 'file:///lake/sales',
    warehouses: [
      {
        name: 'logs',
        location: 's3://lake/logs',
        catalog: logs,
        tableConfig: () => ({ 's3.endpoint': 'http://s3' }),
      },
    ],
  })
})

afterEach(async () => {
  await Promise.all(catalogs.map((catalog) => catalog.close()))
  clearMemoryStore('warehouses')
  await rm(folder, { recursive: true })
})

async function json(path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await routes.request(
    path,
    body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
  )
  return { status: response.status, body: await response.json() }
}

const orders = { name: 'orders', schema: { type: 'struct', fields: [] } }

describe('the warehouses of a server', () => {
  it.each([
    ['', 'sales', 'file:///lake/sales'],
    ['?warehouse=', 'sales', 'file:///lake/sales'],
    ['?warehouse=sales', 'sales', 'file:///lake/sales'],
    ['?warehouse=file:/lake/sales', 'sales', 'file:///lake/sales'],
    ['?warehouse=logs', 'logs', 's3://lake/logs'],
    ['?warehouse=s3a%3A%2F%2Flake%2Flogs%2F', 'logs', 's3://lake/logs'],
  ])('are found by name or location: /v1/config%s', async (query, prefix, warehouse) => {
    const { status, body } = await json(`/v1/config${query}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ overrides: { prefix }, defaults: { warehouse } })
  })

  it.each([
    '/v1/config?warehouse=none',
    '/v1/config?warehouse=LOGS',
    '/v1/config?warehouse=s3://lake',
    '/v1/none/namespaces',
    '/v1/none/namespaces/a/tables/b',
    '/v1/logs%2F/namespaces',
  ])('are named as missing where there is none: %s', async (path) => {
    const { status, body } = await json(path)
    expect(status).toBe(404)
    expect(body).toMatchObject({ error: { type: 'NoSuchWarehouseException', code: 404 } })
  })

  it('keep their namespaces and tables to themselves', async () => {
    await json('/v1/sales/namespaces', { namespace: ['shop'] })
    await json('/v1/logs/namespaces', { namespace: ['shop'] })
    expect((await json('/v1/logs/namespaces/shop/tables', orders)).status).toBe(200)
    expect(await json('/v1/sales/namespaces/shop/tables')).toMatchObject({ body: { identifiers: [] } })
    expect((await json('/v1/sales/namespaces/shop/tables/orders')).status).toBe(404)
    const loaded = await json('/v1/logs/namespaces/shop/tables/orders')
    expect(loaded).toMatchObject({
      status: 200,
      body: {
        config: { 's3.endpoint': 'http://s3' },
        metadata: {
          location: expect.stringMatching(/^memory:\/\/warehouses\/logs\/shop\/orders-[0-9a-f]{8}$/),
        },
      },
    })
  })

  it('let the default one answer with its prefix and without', async () => {
    await json('/v1/namespaces', { namespace: ['shop'] })
    expect(await json('/v1/sales/namespaces')).toMatchObject({ body: { namespaces: [['shop']] } })
    expect(await json('/v1/namespaces')).toMatchObject({ body: { namespaces: [['shop']] } })
    expect(await json('/v1/logs/namespaces')).toMatchObject({ body: { namespaces: [] } })
  })

  it('cannot hide a resource in an encoded prefix', async () => {
    const { status } = await json('/v1/n%61mespaces/namespaces/tables/orders')
    expect(status).toBe(400)
  })
})
