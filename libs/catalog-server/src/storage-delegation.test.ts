import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Hono } from 'hono'
import type { Catalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import { openSessionVendor, openS3RequestSigner } from '@floe/storage/s3'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'
import { delegatedLocation, isInFolder } from './delegated-location.ts'
import type { DelegationSettings, StorageGrant } from './storage-delegation.ts'

const startMs = 1_700_000_000_000
const tables = '/v1/namespaces/shop/tables'
const endpoint = 'http://store.test:9000'
const keys = { endpoint, region: 'eu-central-1', accessKeyId: 'floe', secretAccessKey: 'a secret' }
const schema = { schemaId: 0, fields: [] }

let folder: string
let catalog: Catalog
let location: string
let grants: StorageGrant[]
let session: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-access-'))
  const memory = openMemoryStore()
  // The catalog names its tables' folders in S3; their metadata stays in memory here.
  const inMemory = (at: string): string => at.replace('s3://', 'memory://access/')
  const store = {
    ...memory,
    get: (at: string) => memory.get(inMemory(at)),
    put: (at: string, bytes: Uint8Array) => memory.put(inMemory(at), bytes),
    putIfAbsent: (at: string, bytes: Uint8Array) => memory.putIfAbsent(inMemory(at), bytes),
  }
  const database = { kind: 'sqlite' as const, path: join(folder, 'catalog.db') }
  catalog = await openSqlCatalog(
    { database, warehouse: 's3://lake/wh', clock: manualClock(startMs), uuid: randomUUID },
    { store },
  )
  await catalog.createNamespace(['shop'])
  location = (await catalog.createTable({ namespace: ['shop'], name: 'a b' }, { schema })).metadata.location
  grants = []
  session = 'first'
})

afterEach(async () => {
  await catalog.close()
  clearMemoryStore('access')
  await rm(folder, { recursive: true })
})

const vendor: DelegationSettings['vendor'] = {
  vend: async (grant) => {
    grants.push(grant)
    return { config: { 's3.session-token': session } }
  },
}
const signer = openS3RequestSigner(keys, { clock: manualClock(startMs) })

function serve(delegation: DelegationSettings): Hono {
  const tableConfig = (): Record<string, string> => ({ 's3.endpoint': endpoint })
  return createCatalogRoutes({ catalog, clock: manualClock(startMs), tableConfig, delegation })
}

async function load(
  routes: Hono,
  asked?: string,
  more: Record<string, string> = {},
): Promise<{ status: number; etag: string; body: Record<string, unknown> }> {
  const headers = { ...(asked === undefined ? {} : { 'x-iceberg-access-delegation': asked }), ...more }
  const response = await routes.request(`${tables}/a%20b`, { headers })
  const text = await response.text()
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? '',
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}

describe('a load that asks for keys', () => {
  it('gets them for the folder of the table, slash and all, beside the config of the table', async () => {
    const { body } = await load(serve({ vendor }), 'vended-credentials')
    const config = {
      's3.endpoint': endpoint,
      's3.session-token': 'first',
      'client.refresh-credentials-endpoint': 'v1/namespaces/shop/tables/a%20b/credentials',
    }
    expect(body).toMatchObject({ config, 'storage-credentials': [{ prefix: `${location}/`, config }] })
    expect(grants).toEqual([{ location, access: 'write', deletes: true }])
  })

  it('gets keys to read with when it may not write, and none that delete when nobody may', async () => {
    await load(serve({ vendor, deletes: false, allowsWrite: () => false }), 'vended-credentials')
    expect(grants).toEqual([{ location, access: 'read', deletes: false }])
  })

  it('gets keys rather than signing when it knows both, and signing where there are no keys', async () => {
    const both = 'remote-signing , Vended-Credentials'
    expect((await load(serve({ vendor, signer }), both)).body['storage-credentials']).toHaveLength(1)
    const signed = await load(serve({ signer }), both)
    expect(signed.body).toMatchObject({
      config: {
        's3.remote-signing-enabled': 'true',
        's3.signer.endpoint': 'v1/namespaces/shop/tables/a%20b/sign',
      },
      'remote-signing-config': {},
    })
    expect(signed.body['storage-credentials']).toBeUndefined()
  })

  it.each([undefined, 'remote-signing', 'something-new'])('gets none when it asks for %s', async (asked) => {
    const { body } = await load(serve({ vendor }), asked)
    expect(body['config']).toEqual({ 's3.endpoint': endpoint })
    expect(body['storage-credentials']).toBeUndefined()
    expect(grants).toEqual([])
  })

  it('gets none for a folder that a client chose, which may be that of another table', async () => {
    await catalog.createTable({ namespace: ['shop'], name: 'taker' }, { schema, location })
    const headers = { 'x-iceberg-access-delegation': 'vended-credentials' }
    const taker = await serve({ vendor, signer }).request(`${tables}/taker`, { headers })
    expect(await taker.json()).not.toHaveProperty('storage-credentials')
    await serve({ vendor, chosenLocations: true }).request(`${tables}/taker`, { headers })
    expect(grants).toMatchObject([{ location }])
  })

  it('is told nothing new while its keys are good, and never that of another kind of access', async () => {
    const routes = serve({ vendor, signer })
    const first = await load(routes, 'vended-credentials')
    const again = { 'if-none-match': first.etag }
    expect((await load(routes, 'vended-credentials', again)).status).toBe(304)
    expect((await load(routes, 'remote-signing', again)).status).toBe(200)
    expect((await load(routes, undefined, again)).status).toBe(200)
    session = 'second'
    expect((await load(routes, 'vended-credentials', again)).status).toBe(200)
  })

  it('gets keys of the credentials route, which only read for a plan', async () => {
    const routes = serve({ vendor })
    const response = await routes.request(`${tables}/a%20b/credentials?referenced-by=shop%1Fv`)
    expect(await response.json()).toMatchObject({ 'storage-credentials': [{ prefix: `${location}/` }] })
    expect(response.headers.get('cache-control')).toContain('no-store')
    await routes.request(`${tables}/a%20b/credentials?planId=1`)
    expect(grants.map(({ access }) => access)).toEqual(['write', 'read'])
    expect(await (await serve({}).request(`${tables}/a%20b/credentials`)).json()).toEqual({
      'storage-credentials': [],
    })
  })
})

describe('signRequest', () => {
  const sign = async (
    routes: Hono,
    method: string,
    key: string,
    rest: Record<string, unknown> = {},
  ): Promise<Response> =>
    routes.request(`${tables}/a%20b/sign`, {
      method: 'POST',
      body: JSON.stringify({
        region: 'eu-central-1',
        method,
        uri: `${endpoint}/lake${key}`,
        headers: {},
        ...rest,
      }),
    })
  const own = (): string => location.slice('s3://lake'.length)

  it('signs a read of the table, which clients may keep for a while', async () => {
    const headers = {
      Range: ['bytes=0-9'],
      'X-Amz-Checksum-Mode': ['ENABLED'],
      'amz-sdk-invocation-id': ['1'],
    }
    const response = await sign(serve({ signer }), 'GET', `${own()}/data/x%3Dy.parquet`, {
      headers,
      provider: 's3',
    })
    expect(response.headers.get('cache-control')).toBe('private')
    expect(await response.json()).toEqual({
      uri: `${endpoint}/lake${own()}/data/x%3Dy.parquet`,
      headers: {
        host: ['store.test:9000'],
        'x-amz-date': ['20231114T221320Z'],
        'x-amz-content-sha256': ['UNSIGNED-PAYLOAD'],
        authorization: [
          expect.stringMatching(
            /^AWS4-HMAC-SHA256 Credential=floe\/20231114\/eu-central-1\/s3\/aws4_request, SignedHeaders=host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
          ),
        ],
      },
    })
  })

  it.each([
    ['a folder beside it with the same beginning', (folder: string) => `${folder}0/a`],
    ['the folder itself', (folder: string) => folder],
    ['another table', () => '/wh/shop/other-00000000/a'],
    ['a list of the bucket', () => '?list-type=2&prefix='],
    ['a list of what only begins like it', (folder: string) => `?list-type=2&prefix=${folder.slice(1)}`],
    ['a way out of it', (folder: string) => `${folder}/..%2Fother/a`],
  ])('refuses %s', async (_, keyOf) => {
    const response = await sign(serve({ signer }), 'GET', keyOf(own()))
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { type: 'ForbiddenException' } })
  })

  it('refuses to delete several objects when one of them is not of the table, and signs the body that it saw', async () => {
    const routes = serve({ signer })
    const body = (key: string): string =>
      `<Delete><Object><Key>${own().slice(1)}/a</Key></Object><Object><Key>${key}</Key></Object></Delete>`
    expect((await sign(routes, 'POST', '?delete', { body: body('wh/other') })).status).toBe(403)
    expect((await sign(routes, 'POST', '?delete')).status).toBe(403)
    const response = await sign(routes, 'POST', '?delete', { body: body(`${own().slice(1)}/b`) })
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(await response.json()).toMatchObject({
      headers: { 'x-amz-content-sha256': [expect.stringMatching(/^[0-9a-f]{64}$/)] },
    })
  })

  it('refuses a copy from elsewhere', async () => {
    const headers = { 'x-amz-copy-source': ['lake/wh/shop/other-00000000/a'] }
    expect((await sign(serve({ signer }), 'PUT', `${own()}/a`, { headers })).status).toBe(403)
  })

  it('refuses writes to who may only read, and deletes where nobody may', async () => {
    const statuses = async (routes: Hono): Promise<readonly number[]> =>
      Promise.all(
        ['GET', 'PUT', 'DELETE'].map(async (method) => (await sign(routes, method, `${own()}/a`)).status),
      )
    expect(await statuses(serve({ signer }))).toEqual([200, 200, 200])
    expect(await statuses(serve({ signer, allowsWrite: () => false }))).toEqual([200, 403, 403])
    expect(await statuses(serve({ signer, deletes: false }))).toEqual([200, 200, 403])
  })

  it('knows no other provider, and is not there where it is not set up', async () => {
    expect((await sign(serve({ signer }), 'GET', `${own()}/a`, { provider: 'gcs' })).status).toBe(406)
    expect((await sign(serve({}), 'GET', `${own()}/a`)).status).toBe(404)
    expect(await (await serve({}).request('/v1/config')).text()).not.toContain('/sign')
    expect(await (await serve({ signer }).request('/v1/config')).text()).toContain('/sign')
  })
})

describe('the folder of a table', () => {
  const tableUuid = '12345678-1111-4111-8111-111111111111'

  it.each([
    ['s3://lake/ns/t-12345678', 's3://lake/ns/t-12345678'],
    ['s3a://lake/ns/t-12345678/', 's3://lake/ns/t-12345678'],
    ['s3://lake/ns/t-87654321', undefined],
    ['s3://lake/ns/../t-12345678', undefined],
    ['s3://lake', undefined],
    ['file:///lake/t-12345678', undefined],
  ])('at %s is given away as %s', (at, expected) => {
    expect(delegatedLocation({ location: at, tableUuid }, false)).toBe(expected)
  })

  it('holds what lies below it and nothing else', () => {
    expect(isInFolder('s3a://lake/t/a', 's3://lake/t')).toBe(true)
    expect(isInFolder('s3://lake/t', 's3://lake/t')).toBe(false)
    expect(isInFolder('s3://lake/t2/a', 's3://lake/t')).toBe(false)
  })
})

describe('sessions of a token service that is not there', () => {
  it('fail as unavailable, and are asked for again', async () => {
    const settings = { stsEndpoint: 'http://127.0.0.1:9' }
    const sessions = openSessionVendor(keys, settings, { clock: manualClock(startMs) })
    const grant = { location: 's3://lake/t', access: 'read' as const, deletes: false }
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(sessions.vend(grant)).rejects.toMatchObject({ code: 'unavailable' })
    sessions.close()
  })
})
