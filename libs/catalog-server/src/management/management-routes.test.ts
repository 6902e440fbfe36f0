import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ManagedCatalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { Schema } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { openFixture } from '../access/access-fixture.ts'
import { createCatalogRoutes } from '../catalog-routes.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders = { namespace: ['shop', 'eu'], name: 'orders' }
const clock = manualClock(1_700_000_000_000)
const base = '/management/v1/lake'

let folder: string
let catalog: ManagedCatalog
let routes: Hono

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-management-'))
  catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: join(folder, 'catalog.db') },
      warehouse: 'memory://management/lake',
      clock,
      uuid: randomUUID,
      dropRetentionMs: 1000,
    },
    { store: openMemoryStore() },
  )
  routes = createCatalogRoutes({ catalog, clock, prefix: 'lake' })
  for (const namespace of [['shop'], ['shop', 'eu']]) await catalog.createNamespace(namespace)
  await catalog.createTable(orders, { schema })
})

afterEach(async () => {
  await catalog.close()
  clearMemoryStore('management')
  await rm(folder, { recursive: true })
})

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const response = await routes.request(path, init)
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

const table = '/v1/lake/namespaces/shop%1Feu/tables/orders'

describe('a dropped table over HTTP', () => {
  it('is listed, and comes back under its name or another one', async () => {
    expect((await send('DELETE', `${table}?purgeRequested=true`)).status).toBe(204)
    const listed = await send('GET', `${base}/dropped?namespace=shop%1Feu`)
    expect(listed.body).toMatchObject({
      dropped: [{ kind: 'table', ...orders, purge: true, 'dropped-by': 'anonymous' }],
      'next-page-token': null,
    })
    expect((await send('GET', `${base}/dropped?namespace=shop`)).body).toMatchObject({ dropped: [] })
    const [{ uuid }] = listed.body['dropped'] as [{ uuid: string }]
    const as = { namespace: ['shop'], name: 'back' }
    const key = { 'idempotency-key': randomUUID() }
    for (let time = 0; time < 2; time++)
      expect(await send('POST', `${base}/dropped/undrop`, { uuid, as }, key)).toEqual({
        status: 200,
        body: { kind: 'table', ...as },
      })
    expect((await send('POST', `${base}/dropped/undrop`, { uuid })).status).toBe(404)
    expect(await catalog.listTables(['shop'])).toEqual([as])
  })

  it('says what to do where it cannot come back', async () => {
    const { metadata } = await catalog.loadTable(orders)
    await catalog.dropTable(orders)
    await catalog.createTable(orders, { schema })
    const taken = await send('POST', `${base}/dropped/undrop`, { uuid: metadata.tableUuid })
    expect(taken).toMatchObject({ status: 409, body: { error: { type: 'AlreadyExistsException' } } })
  })

  it('comes in pages, and goes when it is told to', async () => {
    await catalog.createTable({ ...orders, name: 'second' }, { schema })
    for (const name of ['orders', 'second']) await catalog.dropTable({ ...orders, name })
    const first = (await send('GET', `${base}/dropped?pageSize=1`)).body
    const rest = (
      await send('GET', `${base}/dropped?pageSize=1&pageToken=${String(first['next-page-token'])}`)
    ).body
    const names = [first, rest].flatMap(({ dropped }) => dropped as { uuid: string }[])
    expect(new Set(names.map(({ uuid }) => uuid)).size).toBe(2)
    const none = await send('POST', `${base}/dropped/expire`, {})
    expect(none.body).toEqual({ expired: [], failed: [] })
    const one = await send('POST', `${base}/dropped/expire`, { uuid: names[0]?.uuid })
    expect(one.body).toMatchObject({ expired: [{ uuid: names[0]?.uuid }], failed: [] })
    expect(await catalog.listDropped()).toHaveLength(1)
  })
})

describe('protection over HTTP', () => {
  it('is 409 with its own type and the way out, and does not keep a view or a namespace from theirs', async () => {
    const on = { kind: 'table', ...orders }
    const query = `${base}/protection?kind=table&namespace=shop%1Feu&name=orders`
    expect((await send('POST', `${base}/protection`, { on, protected: true })).status).toBe(204)
    expect((await send('GET', query)).body).toEqual({ on, protected: true })
    const refused = await send('DELETE', table)
    expect(refused).toMatchObject({ status: 409, body: { error: { type: 'ProtectedException', code: 409 } } })
    expect(JSON.stringify(refused.body)).toContain('floe table unprotect')
    const shop = { kind: 'namespace', namespace: ['shop'] }
    await send('POST', `${base}/protection`, { on: shop, protected: true })
    expect((await send('DELETE', '/v1/lake/namespaces/shop')).status).toBe(409)
    await send('POST', `${base}/protection`, { on, protected: false })
    expect((await send('DELETE', table)).status).toBe(204)
  })

  it.each([
    ['a table without a name', 'GET', `${base}/protection?kind=table&namespace=shop`, undefined, 400],
    ['a kind that is none', 'GET', `${base}/protection?kind=token&namespace=shop`, undefined, 400],
    [
      'a namespace with a name',
      'POST',
      `${base}/protection`,
      { on: { kind: 'namespace', ...orders }, protected: true },
      400,
    ],
    [
      'what is not there',
      'POST',
      `${base}/protection`,
      { on: { kind: 'view', ...orders }, protected: true },
      404,
    ],
    ['an unknown warehouse', 'GET', '/management/v1/pond/dropped', undefined, 404],
  ])('refuses %s', async (_, method, path, body, status) => {
    expect((await send(method, path, body)).status).toBe(status)
  })
})

describe('the log over HTTP', () => {
  it('comes newest first in pages, by filters', async () => {
    await catalog.forRequest({ principal: 'ada' }).dropTable(orders)
    const page = (await send('GET', `${base}/audit?limit=3`)).body
    expect(page).toMatchObject({
      entries: [{ sequence: 4, action: 'drop', principal: 'ada' }, {}, {}],
      before: 2,
    })
    expect((await send('GET', `${base}/audit?limit=3&before=2`)).body).toMatchObject({
      entries: [{ sequence: 1, on: { kind: 'namespace', namespace: ['shop'] } }],
      before: null,
    })
    const filtered = await send('GET', `${base}/audit?namespace=shop%1Feu&name=orders&action=create`)
    expect(filtered.body).toMatchObject({ entries: [{ sequence: 3, on: { kind: 'table', ...orders } }] })
  })

  it('is followed from a number on, and waits for what comes next', async () => {
    const all = (await send('GET', `${base}/events`)).body
    expect(all).toMatchObject({ events: [{ sequence: 1 }, { sequence: 2 }, { sequence: 3 }], next: 3 })
    expect((await send('GET', `${base}/events?after=3`)).body).toEqual({ events: [], next: 3 })
    const waiting = send('GET', `${base}/events?after=3&wait-seconds=20&action=drop`)
    await catalog.createNamespace(['other'])
    await catalog.dropTable(orders)
    expect((await waiting).body).toMatchObject({ events: [{ sequence: 5, action: 'drop' }], next: 5 })
  })

  it.each([
    'limit=x',
    'limit=1001',
    'after=-1',
    'wait-seconds=21',
    'action=none',
    'name=orders',
    'since-ms=1e3',
  ])('refuses the query %s', async (query) => {
    expect((await send('GET', `${base}/events?${query}`)).status).toBe(400)
  })
})

describe('whoever manages a namespace', () => {
  it('brings back what was in it, and nothing else', async () => {
    await using fixture = await openFixture({}, undefined, { dropRetentionMs: 1000 })
    const on = { kind: 'namespace', namespace: ['shop'] } as const
    const owner = await fixture.tokenFor('owner', 'manage', on)
    const dropped = async (namespace: string): Promise<string> => {
      const identifier = { namespace: [namespace], name: 'orders' }
      const { metadata } = await fixture.catalog.loadTable(identifier)
      await fixture.catalog.dropTable(identifier)
      return metadata.tableUuid
    }
    const undrop = async (uuid: string): Promise<number> =>
      (await fixture.send('POST', `${base}/dropped/undrop`, owner, { uuid })).status
    expect([await undrop(await dropped('shop')), await undrop(await dropped('hr'))]).toEqual([200, 403])
    expect((await fixture.send('GET', `${base}/dropped?namespace=shop`, owner)).status).toBe(200)
    expect((await fixture.send('GET', `${base}/dropped`, owner)).status).toBe(403)
    expect(
      await fixture.json('GET', `${base}/audit?action=undrop`, await fixture.tokenFor('root', 'manage')),
    ).toMatchObject({
      entries: [{ principal: 'owner' }],
    })
  })
})

describe('a grant over HTTP', () => {
  it('is in the log as of whoever gave it', async () => {
    await using fixture = await openFixture()
    const root = await fixture.tokenFor('root', 'manage')
    const grant = { to: { kind: 'role', name: 'r' }, privilege: 'read', on: { kind: 'warehouse' } }
    expect((await fixture.send('POST', `${base}/grants`, root, grant)).status).toBe(204)
    expect(await fixture.json('GET', `${base}/audit?principal=root`, root)).toMatchObject({
      entries: [{ action: 'grant', on: { kind: 'warehouse' }, details: { privilege: 'read' } }],
    })
  })
})
