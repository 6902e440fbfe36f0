import { gunzipSync } from 'node:zlib'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { JsonObject } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'
import type { CatalogRoutesSettings } from './catalog-routes.ts'

const table = {
  name: 'orders',
  schema: { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: true }] },
}
const tables = '/v1/namespaces/shop/tables'
const orders = `${tables}/orders`
// Beyond 2^53: as a JSON number it would come back as ...992.
const snapshotId = '9007199254740993'

/** All of the REST specification but `/v1/config`, which clients cannot find out about here, and the token route, which is deprecated. */
const liveEndpoints = [
  'GET /v1/{prefix}/namespaces',
  'POST /v1/{prefix}/namespaces',
  'GET /v1/{prefix}/namespaces/{namespace}',
  'HEAD /v1/{prefix}/namespaces/{namespace}',
  'DELETE /v1/{prefix}/namespaces/{namespace}',
  'POST /v1/{prefix}/namespaces/{namespace}/properties',
  'GET /v1/{prefix}/namespaces/{namespace}/tables',
  'POST /v1/{prefix}/namespaces/{namespace}/tables',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/tasks',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
  'POST /v1/{prefix}/namespaces/{namespace}/register',
  'POST /v1/{prefix}/tables/rename',
  'POST /v1/{prefix}/transactions/commit',
  'GET /v1/{prefix}/namespaces/{namespace}/views',
  'POST /v1/{prefix}/namespaces/{namespace}/views',
  'GET /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'POST /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'POST /v1/{prefix}/namespaces/{namespace}/register-view',
  'POST /v1/{prefix}/views/rename',
  'GET /v1/{prefix}/namespaces/{namespace}/functions',
  'GET /v1/{prefix}/namespaces/{namespace}/functions/{function}',
].toSorted()

let folder: string
let catalog: Catalog
let routes: Hono

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-routes-'))
  catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: join(folder, 'catalog.db') },
      warehouse: 'memory://routes/warehouse',
      clock: manualClock(1_700_000_000_000),
      uuid: randomUUID,
    },
    { store: openMemoryStore() },
  )
  routes = open({})
  await catalog.createNamespace(['shop'])
})

afterEach(async () => {
  await catalog.close()
  clearMemoryStore('routes')
  await rm(folder, { recursive: true })
})

function open(settings: Partial<CatalogRoutesSettings>): Hono {
  return createCatalogRoutes({ catalog, clock: manualClock(5), ...settings })
}

async function post(path: string, body: unknown): Promise<Response> {
  return routes.request(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return routes.request(path, { headers })
}

async function readJson(response: Response): Promise<JsonObject> {
  return (await response.json()) as JsonObject
}

async function createOrders(): Promise<void> {
  expect((await post(tables, table)).status).toBe(200)
}

/** As text: `JSON.stringify` cannot write the id. */
function appendBody(id: string, sequenceNumber: number, parent = ''): string {
  const snapshot = `{"snapshot-id":${id},${parent}"sequence-number":${sequenceNumber},"timestamp-ms":1700000000000,
    "manifest-list":"memory://routes/${id}.avro","summary":{"operation":"append"},"schema-id":0}`
  return `{"requirements":[],"updates":[{"action":"add-snapshot","snapshot":${snapshot}},
    {"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":${id}}]}`
}

describe('/v1/config', () => {
  it('names the endpoints that answer, and no others', async () => {
    routes = open({ warehouse: 'file:///lake', defaults: { a: '1' }, overrides: { b: '2' } })
    const config = await readJson(await get('/v1/config?warehouse=file:/lake/'))
    expect(config).toMatchObject({ defaults: { warehouse: 'file:///lake', a: '1' }, overrides: { b: '2' } })
    const endpoints = config['endpoints'] as readonly string[]
    expect([...endpoints].toSorted()).toEqual(liveEndpoints.filter((one) => !/plan|tasks|sign/.test(one)))
    for (const endpoint of endpoints) {
      const [method = '', path = ''] = endpoint.split(' ')
      const url = path
        .replace('/{prefix}', '')
        .replace('{namespace}', 'none')
        .replace(/\{(?:table|view|function)\}/, 'none')
      const response = await routes.request(url, { method, ...(method === 'POST' ? { body: '{}' } : {}) })
      const text = await response.text()
      expect(text, endpoint).not.toContain('no route')
    }
  })

  it('names every live operation of the spec where planning and signing are set up', async () => {
    const unsigned = (): never => {
      throw new Error('nothing is signed')
    }
    routes = open({
      planning: { store: openMemoryStore() },
      delegation: { signer: { inspect: unsigned, sign: async () => unsigned() } },
    })
    const { endpoints } = (await readJson(await get('/v1/config'))) as { endpoints: readonly string[] }
    expect([...endpoints].toSorted()).toEqual(liveEndpoints)
  })

  it('tells how long the outcome of a request with a key is kept', async () => {
    expect(await readJson(await get('/v1/config'))).toMatchObject({ 'idempotency-key-lifetime': 'PT1800S' })
  })

  it('hands out the prefix, and serves below it and without one', async () => {
    routes = open({ prefix: 'lake' })
    expect(await readJson(await get('/v1/config'))).toMatchObject({ overrides: { prefix: 'lake' } })
    expect((await get('/v1/lake/namespaces/shop')).status).toBe(200)
    expect((await get('/v1/namespaces/shop')).status).toBe(200)
  })
})

describe('error answers', () => {
  it.each([
    ['GET', '/v1/namespaces/nope', undefined, 404, 'NoSuchNamespaceException'],
    ['GET', '/v1/namespaces?parent=nope', undefined, 404, 'NoSuchNamespaceException'],
    ['GET', '/v1/namespaces/nope/tables', undefined, 404, 'NoSuchNamespaceException'],
    ['GET', `${tables}/nope`, undefined, 404, 'NoSuchTableException'],
    ['DELETE', `${tables}/nope`, undefined, 404, 'NoSuchTableException'],
    ['POST', '/v1/namespaces/nope/tables', table, 404, 'NoSuchNamespaceException'],
    ['POST', `${tables}/nope`, { requirements: [], updates: [] }, 404, 'NoSuchTableException'],
    ['POST', '/v1/namespaces', { namespace: ['shop'] }, 409, 'AlreadyExistsException'],
    ['POST', '/v1/namespaces', { namespace: [] }, 400, 'BadRequestException'],
    ['POST', '/v1/namespaces', '{"namespace": ', 400, 'BadRequestException'],
    ['POST', tables, { name: 'x' }, 400, 'BadRequestException'],
    ['POST', tables, { ...table, name: '' }, 400, 'BadRequestException'],
    ['GET', '/v1/namespaces/%FF', undefined, 400, 'BadRequestException'],
    ['GET', `${tables}?pageSize=none`, undefined, 400, 'BadRequestException'],
    [
      'POST',
      '/v1/namespaces/shop/properties',
      { updates: { a: '1' }, removals: ['a'] },
      422,
      'UnprocessableEntityException',
    ],
    [
      'POST',
      '/v1/tables/rename',
      { source: { namespace: ['shop'], name: 'x' }, destination: { namespace: ['shop'], name: 'y' } },
      404,
      'NoSuchTableException',
    ],
    [
      'POST',
      '/v1/tables/rename',
      { source: { namespace: ['shop'], name: 'x' }, destination: { namespace: ['nope'], name: 'y' } },
      404,
      'NoSuchNamespaceException',
    ],
    [
      'POST',
      '/v1/namespaces/shop/register',
      { name: 'x', 'metadata-location': 'memory://routes/none' },
      400,
      'BadRequestException',
    ],
    [
      'POST',
      '/v1/namespaces/shop/register',
      { name: 'x', 'metadata-location': 'memory://routes/none', overwrite: true },
      400,
      'BadRequestException',
    ],
    ['GET', '/v1/namespaces/nope/views', undefined, 404, 'NoSuchNamespaceException'],
    ['GET', '/v1/namespaces/shop/views/nope', undefined, 404, 'NoSuchViewException'],
    ['DELETE', '/v1/namespaces/shop/views/nope', undefined, 404, 'NoSuchViewException'],
    ['POST', '/v1/namespaces/shop/views/nope', { updates: [] }, 404, 'NoSuchViewException'],
    ['POST', '/v1/namespaces/shop/views/nope', { updates: [{ action: 'fly' }] }, 400, 'BadRequestException'],
    ['GET', '/v1/namespaces/nope/functions', undefined, 404, 'NoSuchNamespaceException'],
    ['GET', '/v1/namespaces/shop/functions/f', undefined, 404, 'NoSuchFunctionException'],
    ['GET', `${tables}/nope/credentials`, undefined, 404, 'NoSuchTableException'],
    ['POST', `${tables}/nope/unregister`, undefined, 404, 'NoSuchTableException'],
    ['POST', '/v1/transactions/commit', { 'table-changes': [{ updates: [] }] }, 400, 'BadRequestException'],
    ['GET', '/v1/nothing', undefined, 404, 'NotFoundException'],
    ['PUT', '/v1/namespaces', undefined, 404, 'NotFoundException'],
  ])('%s %s %j: %i %s', async (method, path, body, status, type) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await routes.request(path, { method, ...(body === undefined ? {} : { body: text }) })
    expect(response.status).toBe(status)
    const { error } = await readJson(response)
    expect(error).toMatchObject({ type, code: status, message: expect.any(String) as string })
  })

  it('refuse a commit with an update or requirement that is not known, whole', async () => {
    await createOrders()
    const known = { action: 'set-properties', updates: { a: '1' } }
    const unknownUpdate = await post(orders, { requirements: [], updates: [known, { action: 'grow-wings' }] })
    expect(unknownUpdate.status).toBe(400)
    const unknownRequirement = await post(orders, {
      requirements: [{ type: 'assert-sunny' }],
      updates: [known],
    })
    expect(unknownRequirement.status).toBe(400)
    expect((await catalog.loadTable({ namespace: ['shop'], name: 'orders' })).metadata.properties).toEqual({})
  })

  it('tell a failed requirement as CommitFailedException', async () => {
    await createOrders()
    const stale = { type: 'assert-table-uuid', uuid: '6f0e2a57-0a5e-4a8e-9d5c-0d8a8f3b6a11' }
    const response = await post(orders, { requirements: [stale], updates: [] })
    expect(response.status).toBe(409)
    expect(await readJson(response)).toMatchObject({ error: { type: 'CommitFailedException' } })
  })

  it('tell a namespace that is not empty from a taken name', async () => {
    await createOrders()
    const response = await routes.request('/v1/namespaces/shop', { method: 'DELETE' })
    expect(response.status).toBe(409)
    expect(await readJson(response)).toMatchObject({ error: { type: 'NamespaceNotEmptyException' } })
  })

  it('refuse a body beyond the limit before reading on', async () => {
    routes = open({ requestBytesMax: 100 })
    const response = await post('/v1/namespaces', { namespace: ['x'], properties: { a: 'x'.repeat(200) } })
    expect(response.status).toBe(413)
    expect(await readJson(response)).toMatchObject({ error: { code: 413 } })
  })

  it('say nothing of what broke inside', async () => {
    const broken: Catalog = Object.create(catalog, {
      loadNamespace: { value: () => Promise.reject(new TypeError('secret of /etc/lake')) },
    }) as Catalog
    routes = open({ catalog: broken })
    const response = await get('/v1/namespaces/shop')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
  })
})

describe('HEAD', () => {
  it('answers without a body whether a namespace or a table is there', async () => {
    await createOrders()
    const answers = ['/v1/namespaces/shop', '/v1/namespaces/nope', orders, `${tables}/nope`].map(
      async (path) => {
        const response = await routes.request(path, { method: 'HEAD' })
        return [response.status, await response.text()]
      },
    )
    expect(await Promise.all(answers)).toEqual([
      [204, ''],
      [404, ''],
      [204, ''],
      [404, ''],
    ])
  })
})

describe('loading a table', () => {
  beforeEach(createOrders)

  it('keeps ids beyond 2^53 exact in both directions', async () => {
    expect(await (await post(orders, appendBody(snapshotId, 1))).text()).toContain(
      `"current-snapshot-id":${snapshotId}`,
    )
    expect(await (await get(orders)).text()).toContain(`"snapshot-id":${snapshotId}`)
  })

  it('answers 304 until the table changes', async () => {
    const first = await get(orders)
    const etag = first.headers.get('etag') ?? ''
    const second = await get(orders, { 'if-none-match': `"other", ${etag}` })
    expect([second.status, await second.text(), second.headers.get('etag')]).toEqual([304, '', etag])
    const committed = await post(orders, {
      requirements: [],
      updates: [{ action: 'set-properties', updates: { a: '1' } }],
    })
    const third = await get(orders, { 'if-none-match': etag })
    expect(third.status).toBe(200)
    expect(third.headers.get('etag')).not.toBe(etag)
    expect(third.headers.get('etag')).toBe(committed.headers.get('etag'))
    expect(third.headers.get('cache-control')).toContain('private')
  })

  it('never answers 304 over a changed config, or another snapshot mode', async () => {
    let key = 'old'
    routes = open({ tableConfig: () => ({ 's3.access-key-id': key }) })
    const first = await get(orders)
    expect(await readJson(first)).toMatchObject({ config: { 's3.access-key-id': 'old' } })
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' }
    expect((await get(`${orders}?snapshots=refs`, headers)).status).toBe(200)
    key = 'new'
    expect(await readJson(await get(orders, headers))).toMatchObject({
      config: { 's3.access-key-id': 'new' },
    })
  })

  it('leaves out snapshots that no ref points at, when asked, and nothing else', async () => {
    await post(orders, appendBody(snapshotId, 1))
    await post(orders, appendBody('77', 2, `"parent-snapshot-id":${snapshotId},`))
    const all = await readJson(await get(orders))
    const refs = await readJson(await get(`${orders}?snapshots=refs`))
    const { snapshots, ...rest } = all['metadata'] as JsonObject
    const { snapshots: referenced, ...same } = refs['metadata'] as JsonObject
    expect(snapshots).toHaveLength(2)
    expect(referenced).toMatchObject([{ 'snapshot-id': 77 }])
    expect(same).toEqual(rest)
    expect(refs['metadata-location']).toBe(all['metadata-location'])
  })

  it('says that the metadata file is gone, which is not the same as a table that is gone', async () => {
    const { metadataLocation } = await catalog.loadTable({ namespace: ['shop'], name: 'orders' })
    await openMemoryStore().delete([String(metadataLocation)])
    const fresh = await openSqlCatalog(
      {
        database: { kind: 'sqlite', path: join(folder, 'catalog.db') },
        warehouse: 'memory://routes/warehouse',
        clock: manualClock(1_700_000_000_000),
        uuid: randomUUID,
      },
      { store: openMemoryStore() },
    )
    routes = open({ catalog: fresh })
    const response = await get(orders)
    expect(response.status).toBe(404)
    expect(await readJson(response)).toMatchObject({ error: { type: 'NotFoundException' } })
    expect((await post(orders, { requirements: [], updates: [] })).status).toBe(500)
    await fresh.close()
  })

  it.each(['gzip', 'deflate, GZIP;q=0.5', 'x-gzip', 'br, gzip;q=1.0'])(
    'compresses long answers for %s',
    async (accepted) => {
      const updates = { long: 'snapshots '.repeat(10_000) }
      await post(orders, { requirements: [], updates: [{ action: 'set-properties', updates }] })
      const plain = await get(orders)
      const first = await get(orders, { 'accept-encoding': accepted })
      const second = await get(orders, { 'accept-encoding': accepted })
      expect(plain.headers.get('content-encoding')).toBeNull()
      expect(plain.headers.get('vary')).toContain('accept-encoding')
      expect(first.headers.get('content-encoding')).toBe('gzip')
      expect(first.headers.get('etag')).toBe(plain.headers.get('etag'))
      const text = await plain.text()
      for (const response of [first, second])
        expect(gunzipSync(await response.arrayBuffer()).toString('utf8')).toBe(text)
    },
  )

  it.each(['', 'br', 'gzip;q=0', 'gzip;q=0.0', 'gzipped'])('does not compress for %j', async (accepted) => {
    const updates = { long: 'snapshots '.repeat(10_000) }
    await post(orders, { requirements: [], updates: [{ action: 'set-properties', updates }] })
    const response = await get(orders, { 'accept-encoding': accepted })
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(await readJson(response)).toMatchObject({ metadata: { properties: updates } })
  })

  it('gives the same answer when no answer is kept ready', async () => {
    const kept = await (await get(orders)).text()
    expect(await (await get(orders)).text()).toBe(kept)
    routes = open({ tableBodyBytesMax: 0 })
    expect(await (await get(orders)).text()).toBe(kept)
  })
})

describe('lists', () => {
  const names = ['a', 'b', 'ä', 'c', 'd', '😀', 'e']

  beforeEach(async () => {
    for (const name of names) await catalog.createNamespace([name])
    await catalog.dropNamespace(['shop'])
  })

  async function page(query: string): Promise<{ names: readonly string[]; next: string | null }> {
    const body = await readJson(await get(`/v1/namespaces?${query}`))
    const namespaces = body['namespaces'] as readonly (readonly string[])[]
    return { names: namespaces.map(([name]) => name ?? ''), next: body['next-page-token'] as string | null }
  }

  it('come whole when no page is asked for', async () => {
    const { names: found, next } = await page('')
    expect(found.toSorted()).toEqual(names.toSorted())
    expect(next).toBeNull()
  })

  it.each([1, 2, 3, 7, 8])('come once and in full in pages of %i, whatever happens between', async (size) => {
    const found: string[] = []
    let token: string | null = ''
    while (token !== null) {
      const next = await page(`pageSize=${size}&pageToken=${encodeURIComponent(token)}`)
      expect(next.names.length).toBeLessThanOrEqual(size)
      found.push(...next.names)
      token = next.next
      // A row before the border goes away: the next page must not skip one for it.
      if (found.length === size && size < names.length) await catalog.dropNamespace([String(found[0])])
    }
    expect(found.toSorted()).toEqual(names.toSorted())
  })
})

describe('lists of tables and views', () => {
  it('come in pages that do not mix', async () => {
    for (const name of ['a', 'b', 'c']) await post(tables, { ...table, name })
    for (const name of ['v', 'w']) {
      const version = { 'version-id': 1, 'timestamp-ms': 1, 'schema-id': 0, summary: {} }
      const view = { ...version, representations: [], 'default-namespace': ['shop'] }
      const created = await post('/v1/namespaces/shop/views', { ...table, name, 'view-version': view })
      expect(created.status).toBe(200)
    }
    for (const [kind, names] of [
      ['tables', ['a', 'b', 'c']],
      ['views', ['v', 'w']],
    ] as const) {
      const found: unknown[] = []
      let token: string | null = ''
      while (token !== null) {
        const query: string = `pageSize=1&pageToken=${encodeURIComponent(token)}`
        const body = await readJson(await get(`/v1/namespaces/shop/${kind}?${query}`))
        found.push(...(body['identifiers'] as readonly { readonly name: string }[]).map(({ name }) => name))
        token = body['next-page-token'] as string | null
      }
      expect(found).toEqual(names)
    }
  })
})

describe('names in paths', () => {
  it('take the separator in either case, and a plus as Java writes a space', async () => {
    await catalog.createNamespace(['shop', 'a b'], { it: 'me' })
    for (const path of ['shop%1Fa%20b', 'shop%1fa+b']) {
      expect(await readJson(await get(`/v1/namespaces/${path}`))).toMatchObject({
        namespace: ['shop', 'a b'],
      })
    }
    expect(await readJson(await get('/v1/namespaces?parent=shop'))).toMatchObject({
      namespaces: [['shop', 'a b']],
    })
  })
})

describe('changing namespaces', () => {
  it('tells which properties were set, removed and missing', async () => {
    await catalog.updateNamespace(['shop'], { updates: { old: '1' }, removals: [] })
    const response = await post('/v1/namespaces/shop/properties', {
      updates: { new: '2' },
      removals: ['old', 'never'],
    })
    expect(await readJson(response)).toEqual({ updated: ['new'], removed: ['old'], missing: ['never'] })
  })
})

describe('metrics', () => {
  it('go to whoever asked for them, with the time of their arrival', async () => {
    const received: unknown[] = []
    routes = open({
      reportMetrics: ({ name }, report, atMs) => received.push([name, report['report-type'], atMs]),
    })
    expect(
      (await post(`${orders}/metrics`, { 'report-type': 'scan-report', 'table-name': 'x' })).status,
    ).toBe(204)
    expect((await post(`${orders}/metrics`, { 'table-name': 'x' })).status).toBe(400)
    expect(received).toEqual([['orders', 'scan-report', 5]])
  })

  it('are kept for reading, the last ones of a bounded number, by table', async () => {
    routes = open({ metricsReportsMax: 2 })
    for (const at of [1, 2, 3]) await post(`${orders}/metrics`, { 'report-type': 'commit-report', at })
    expect(await readJson(await get(`${orders}/metrics`))).toEqual({
      reports: [2, 3].map((at) => ({ 'received-at-ms': 5, report: { 'report-type': 'commit-report', at } })),
    })
    expect(await readJson(await get(`${tables}/other/metrics`))).toEqual({ reports: [] })
  })
})

describe('functions and credentials', () => {
  it('are empty lists', async () => {
    await createOrders()
    expect(await readJson(await get('/v1/namespaces/shop/functions'))).toEqual({
      identifiers: [],
      'next-page-token': null,
    })
    expect(await readJson(await get(`${orders}/credentials`))).toEqual({ 'storage-credentials': [] })
  })
})
