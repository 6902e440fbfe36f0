import { afterEach, describe, expect, it } from 'vitest'
import { newTableMetadata, tableMetadataToJson } from '@floe/iceberg'
import { manualClock } from '@floe/testing'
import type { Catalog, TableIdentifier } from '../catalog.ts'
import { parseDurationMs } from './idempotency-key.ts'
import { openRestCatalog } from './index.ts'
import type { RestCatalogSettings } from './index.ts'
import { ForeignServer } from './rest-client-fixture.ts'
import type { Received, Reply } from './rest-client-fixture.ts'

const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const metadata = newTableMetadata({
  schema: { schemaId: 0, fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }] },
  location: 's3://bucket/shop/orders',
  uuid: '6f0e2a57-0a5e-4a8e-9d5c-0d8a8f3b6a11',
  nowMs: 1,
})
const table = { 'metadata-location': 's3://bucket/m.json', metadata: tableMetadataToJson(metadata) }
const commit = { requirements: [], updates: [{ action: 'set-properties', updates: { a: '1' } }] } as const
const clock = manualClock(1_700_000_000_000)
const keys = { 'idempotency-key-lifetime': 'PT30M' }

let server: ForeignServer | undefined
let slept: number[] = []

afterEach(async () => {
  await server?.close()
  server = undefined
  slept = []
})

/** Answers `/v1/config` with `config`, and the other requests with `replies`, the last of them again and again. */
async function open(
  replies: readonly Reply[],
  config: object = {},
  more: Partial<RestCatalogSettings> = {},
): Promise<Catalog> {
  const left = [...replies]
  server = new ForeignServer(({ url }) => {
    if (url.startsWith('/v1/config')) return { body: config }
    return (left.length > 1 ? left.shift() : left[0]) ?? {}
  })
  const sleep = async (ms: number): Promise<void> => void slept.push(ms)
  const uri = await server.listen()
  return openRestCatalog({ uri, ...more }, { clock, sleep, random: () => 1 })
}

function asked(): readonly Received[] {
  return server?.received.filter(({ url }) => !url.startsWith('/v1/config')) ?? []
}

function error(type: string, status: number): Reply {
  return { status, body: { error: { message: 'as told', type, code: status } } }
}

describe('the endpoints of a catalog', () => {
  const reads = ['GET /v1/{prefix}/namespaces', 'get v1/{prefix}/namespaces/{ns}/tables/{t}']

  it('that are listed are used, and nothing else is asked for', async () => {
    const catalog = await open([{ body: table }], { endpoints: reads })
    await catalog.loadTable(orders)
    await expect(catalog.listTables(['shop'])).rejects.toMatchObject({ code: 'unsupported' })
    await expect(catalog.listViews(['shop'])).rejects.toMatchObject({ code: 'unsupported' })
    await expect(catalog.commitTable(orders, commit)).rejects.toMatchObject({ code: 'unsupported' })
    expect(asked()).toHaveLength(1)
  })

  it('are those of the spec when none are listed, and the views when the catalog says so', async () => {
    const plain = await open([{ body: { identifiers: [] } }])
    expect(await plain.listTables(['shop'])).toEqual([])
    await expect(plain.listViews(['shop'])).rejects.toMatchObject({ code: 'unsupported' })
    await server?.close()
    const older = { defaults: { 'view-endpoints-supported': 'true' } }
    expect(await (await open([{ body: { identifiers: [] } }], older)).listViews(['shop'])).toEqual([])
  })
})

describe('a request that fails', () => {
  it('is sent again when it reads, after growing pauses, and as long as the catalog asks for', async () => {
    const busy = { status: 503, headers: { 'retry-after': '3' } }
    const catalog = await open([{ status: 502 }, { cut: true }, busy, { body: table }])
    await catalog.loadTable(orders)
    expect(asked()).toHaveLength(4)
    expect(slept).toEqual([100, 200, 3000])
  })

  it('is given up after the last attempt, or when the catalog wants too long a pause', async () => {
    const catalog = await open([{ status: 503 }], {}, { attemptsMax: 3 })
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked()).toHaveLength(3)
    await server?.close()
    const patient = await open([{ status: 503, headers: { 'retry-after': '3600' } }])
    await expect(patient.loadTable(orders)).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked()).toHaveLength(1)
  })

  it('is not sent again when it changes something and the catalog knows no keys', async () => {
    const catalog = await open([{ status: 502 }, { body: table }])
    await expect(catalog.commitTable(orders, commit)).rejects.toMatchObject({ code: 'commit-state-unknown' })
    expect(asked()).toHaveLength(1)
    expect(asked()[0]?.headers['idempotency-key']).toBeUndefined()
  })

  it('is sent again by any means when the catalog counts requests: it has not been looked at', async () => {
    const catalog = await open([{ status: 429, headers: { 'retry-after': '1' } }, { body: table }])
    await catalog.commitTable(orders, commit)
    expect(asked()).toHaveLength(2)
  })
})

describe('a change that the catalog answers for by its key', () => {
  it.each<[string, Reply]>([
    ['a connection that is cut', { cut: true }],
    ['504', { status: 504 }],
    ['an error of the catalog', error('InternalServerError', 500)],
  ])('is sent again with the same key after %s', async (_name, failure) => {
    const catalog = await open([failure, { body: table }], keys)
    await catalog.commitTable(orders, commit)
    const sent = asked().map(({ headers }) => headers['idempotency-key'])
    expect(sent).toEqual([sent[0], sent[0]])
    // RFC 9562: the time in milliseconds, then version 7.
    expect(sent[0]).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('has a key of its own each time, and none where the spec gives none', async () => {
    const view = { ...table, metadata: {} }
    const catalog = await open([{ body: table }, { body: table }, { body: view }], keys)
    await catalog.commitTable(orders, commit)
    await catalog.commitTable(orders, commit)
    await catalog.loadTable(orders).catch(() => undefined)
    const [first, second, read] = asked().map(({ headers }) => headers['idempotency-key'])
    expect(first).not.toBe(second)
    expect(read).toBeUndefined()
  })

  it('stays in doubt when a conflict comes after an attempt without an answer', async () => {
    const catalog = await open([{ cut: true }, error('CommitFailedException', 409)], keys)
    await expect(catalog.commitTable(orders, commit)).rejects.toMatchObject({ code: 'commit-state-unknown' })
    await server?.close()
    const sure = await open([error('CommitFailedException', 409)], keys)
    await expect(sure.commitTable(orders, commit)).rejects.toMatchObject({ code: 'commit-conflict' })
  })

  it.each([
    ['PT30M', 1_800_000],
    ['P1DT1H1M1.5S', 90_061_500],
    ['P2D', 172_800_000],
    ['PT', undefined],
    ['P', undefined],
    ['30 minutes', undefined],
  ])('may be sent again for %s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })
})

describe('a table that was loaded before', () => {
  const tagged: Reply = { headers: { etag: 'W/"1"' }, body: table }

  it('is asked about by its tag, and kept while the catalog says that it is the same', async () => {
    const catalog = await open([tagged, { status: 304 }, { headers: { etag: 'W/"2"' }, body: table }])
    const first = await catalog.loadTable(orders)
    expect(await catalog.loadTable(orders)).toBe(first)
    expect(await catalog.loadTable(orders)).not.toBe(first)
    expect(asked().map(({ headers }) => headers['if-none-match'])).toEqual([undefined, 'W/"1"', 'W/"1"'])
  })

  it('with all snapshots is another than with those of its refs', async () => {
    const catalog = await open([tagged])
    await catalog.loadTable(orders)
    await catalog.loadTable(orders, { snapshots: 'refs' })
    expect(asked().map(({ url }) => url.split('?')[1])).toEqual([undefined, 'snapshots=refs'])
    expect(asked()[1]?.headers['if-none-match']).toBeUndefined()
  })

  it('is loaded anew when its credentials are about to end', async () => {
    const end = clock.now() + 10 * 60_000
    const vended = [{ prefix: 's3://bucket/', config: { 's3.session-token-expires-at-ms': String(end) } }]
    const catalog = await open([{ ...tagged, body: { ...table, 'storage-credentials': vended } }])
    await catalog.loadTable(orders)
    await catalog.loadTable(orders).catch(() => undefined)
    clock.advance(6 * 60_000)
    await catalog.loadTable(orders)
    expect(asked().map(({ headers }) => headers['if-none-match'])).toEqual([undefined, 'W/"1"', undefined])
  })
})

describe('access to storage', () => {
  it('is asked for with each answer that may bring it, unless the client has its own', async () => {
    const catalog = await open([{ body: table }])
    await catalog.loadTable(orders)
    await catalog.stageTable(orders, { schema: { schemaId: 0, fields: [] } })
    const header = 'x-iceberg-access-delegation'
    expect(asked().map(({ headers }) => headers[header])).toEqual([
      'vended-credentials',
      'vended-credentials',
    ])
    await server?.close()
    const own = await open([{ body: table }], {}, { accessDelegation: [] })
    await own.loadTable(orders)
    expect(asked()[0]?.headers[header]).toBeUndefined()
  })

  it('is renewed from where the catalog offers it, or else with the table', async () => {
    const fresh = [{ prefix: 's3://bucket/', config: { 's3.access-key-id': 'fresh' } }]
    const endpoint = 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials'
    const catalog = await open([{ body: { 'storage-credentials': fresh } }], { endpoints: [endpoint] })
    expect(await catalog.loadCredentials?.(orders)).toEqual(fresh)
    expect(asked()[0]?.url).toBe('/v1/namespaces/shop/tables/orders/credentials')
    await server?.close()
    const older = await open([{ body: { ...table, 'storage-credentials': fresh } }])
    expect(await older.loadCredentials?.(orders)).toEqual(fresh)
  })

  it('takes along the headers that the catalog has asked for in its config', async () => {
    const catalog = await open([{ body: table }], { overrides: { 'header.X-Tenant': 'blue' } })
    await catalog.loadTable(orders)
    expect(asked()[0]?.headers['x-tenant']).toBe('blue')
  })
})
