import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Hono } from 'hono'
import type { Catalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import {
  currentSchema,
  defaultSpec,
  encodeManifest,
  encodeManifestList,
  encodeSingleValue,
} from '@floe/iceberg'
import { manifestFileFor, parseJson, stringifyJson } from '@floe/iceberg'
import type { DataFile, JsonObject, JsonValue, ManifestFile } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'
import type { PlanningSettings } from './scan-planning.ts'

const orders = { namespace: ['shop'], name: 'orders' }
const base = '/v1/namespaces/shop/tables/orders'
const startMs = 1_700_000_000_000
const clock = manualClock(startMs)
const store = openMemoryStore()

let folder: string
let catalog: Catalog
let snapshots: bigint[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-plans-'))
  const database = { kind: 'sqlite' as const, path: join(folder, 'catalog.db') }
  catalog = await openSqlCatalog(
    { database, warehouse: 'memory://plans/warehouse', clock, uuid: randomUUID },
    { store },
  )
  await catalog.createNamespace(['shop'])
  const fields = [
    { id: 1, name: 'id', type: { kind: 'long' as const }, required: true },
    { id: 2, name: 'note', type: { kind: 'string' as const }, required: false },
  ]
  await catalog.createTable(orders, { schema: { schemaId: 0, fields } })
  snapshots = []
})

afterEach(async () => {
  await catalog.close()
  clearMemoryStore('plans')
  await rm(folder, { recursive: true })
})

/** Files `from` up to `to` of ten rows each, whose ids are ten times their number and more, in a manifest of their own. */
async function append(from: number, to: number): Promise<bigint> {
  const { metadata } = await catalog.loadTable(orders)
  const parent = metadata.snapshots.at(-1)
  const snapshotId = 9_007_199_254_740_993n + 2n * BigInt(snapshots.length)
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const header = {
    schema: currentSchema(metadata),
    spec: defaultSpec(metadata),
    formatVersion: 2 as const,
    content: 'data' as const,
  }
  const files = Array.from({ length: to - from }, (_, at) => dataFile(from + at))
  const entries = files.map((file) => ({ status: 'added' as const, snapshotId, dataFile: file }))
  const bytes = encodeManifest(header, entries)
  const location = `${metadata.location}/metadata/${randomUUID()}.avro`
  await store.put(location, bytes)
  manifests.push(manifestFileFor(location, bytes.length, header, entries, { snapshotId, sequenceNumber }))
  const manifestList = `${metadata.location}/metadata/snap-${snapshotId}.avro`
  const list = { formatVersion: 2 as const, snapshotId, sequenceNumber, parentSnapshotId: parent?.snapshotId }
  await store.put(manifestList, encodeManifestList(manifests, list))
  const snapshot = {
    snapshotId,
    sequenceNumber,
    timestampMs: startMs,
    manifestList,
    schemaId: 0,
    summary: { operation: 'append' },
    ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
  }
  await catalog.commitTable(orders, {
    requirements: [],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId } },
    ],
  })
  snapshots.push(snapshotId)
  return snapshotId
}
let manifests: ManifestFile[] = []
beforeEach(() => (manifests = []))

function dataFile(number: number): DataFile {
  const bound = (value: number): ReadonlyMap<number, Uint8Array> =>
    new Map([[1, encodeSingleValue({ kind: 'long' }, BigInt(value))]])
  return {
    content: 'data',
    filePath: `memory://plans/data/${number}.parquet`,
    fileFormat: 'parquet',
    specId: 0,
    partition: [],
    recordCount: 10,
    fileSizeInBytes: 100,
    lowerBounds: bound(10 * number),
    upperBounds: bound(10 * number + 9),
  }
}

function serve(planning: Partial<PlanningSettings> = {}): Hono {
  return createCatalogRoutes({ catalog, clock, planning: { store, ...planning } })
}

type Answer = { readonly status: number; readonly body: JsonObject }

async function call(
  routes: Hono,
  method: string,
  path: string,
  body?: JsonValue | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === 'string' || body === undefined ? body : stringifyJson(body)
  const response = await routes.request(`${base}${path}`, {
    method,
    headers,
    ...(text === undefined ? {} : { body: text }),
  })
  const answer = await response.text()
  return { status: response.status, body: answer === '' ? {} : (parseJson(answer) as JsonObject) }
}

const plan = (routes: Hono, body: JsonValue = {}, headers = {}): Promise<Answer> =>
  call(routes, 'POST', '/plan', body, headers)

function filesOf({ body }: Answer): readonly number[] {
  const tasks = body['file-scan-tasks'] as readonly { readonly 'data-file': JsonObject }[]
  return tasks.map((task) => Number(/(\d+)\.parquet$/.exec(task['data-file']['file-path'] as string)?.[1]))
}

function planIdOf({ body }: Answer): string {
  return body['plan-id'] as string
}

async function allFiles(routes: Hono, first: Answer): Promise<readonly number[]> {
  const files = [...filesOf(first)]
  const waiting = [...((first.body['plan-tasks'] ?? []) as readonly string[])]
  for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
    const answer = await call(routes, 'POST', '/tasks', { 'plan-task': task })
    expect(answer.status).toBe(200)
    files.push(...filesOf(answer))
    waiting.push(...((answer.body['plan-tasks'] ?? []) as readonly string[]))
  }
  return files.sort((left, right) => left - right)
}

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, at) => from + at)

/** A store that answers, or fails, when it is let to. */
function heldStore(failure?: Error): { readonly store: ObjectStore; readonly release: () => void } {
  const gate = Promise.withResolvers<undefined>()
  return {
    store: {
      ...store,
      get: async (...args) =>
        gate.promise.then(() => (failure === undefined ? store.get(...args) : Promise.reject(failure))),
    },
    release: () => gate.resolve(undefined),
  }
}

describe('planTableScan', () => {
  it('gives the files of a small scan at once, with residuals and without metrics that nobody asked for', async () => {
    await append(0, 3)
    const filter = { type: 'gt', term: 'id', value: 15 }
    const answer = await plan(serve(), { filter })
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'completed', 'plan-id': expect.any(String) },
    })
    expect(answer.body['file-scan-tasks']).toEqual(
      [1, 2].map((number) => ({
        'data-file': {
          'spec-id': 0,
          content: 'data',
          'file-path': `memory://plans/data/${number}.parquet`,
          'file-format': 'parquet',
          partition: [],
          'file-size-in-bytes': 100,
          'record-count': 10,
          'lower-bounds': { keys: [], values: [] },
          'upper-bounds': { keys: [], values: [] },
        },
        'residual-filter': filter,
      })),
    )
  })

  it('takes both spellings of expressions', async () => {
    await append(0, 3)
    const right = { type: 'literal', value: 15, 'data-type': 'long' }
    const filter = { type: 'gt', left: { type: 'reference', name: 'id' }, right }
    expect(filesOf(await plan(serve(), { filter }))).toEqual([1, 2])
  })

  it('widens a filter that it cannot plan, also below a not, and sends the client its own back', async () => {
    await append(0, 3)
    const bucket = { type: 'eq', term: { type: 'transform', transform: 'bucket[4]', term: 'id' }, value: 1 }
    const filter = {
      type: 'and',
      left: { type: 'not', child: bucket },
      right: { type: 'gt', term: 'id', value: 15 },
    }
    const answer = await plan(serve(), { filter })
    expect(filesOf(answer)).toEqual([1, 2])
    expect(answer.body['file-scan-tasks']).toMatchObject([
      { 'residual-filter': filter },
      { 'residual-filter': filter },
    ])
  })

  it('sends the bounds of the columns that are asked for', async () => {
    await append(7, 8)
    const answer = await plan(serve(), { 'stats-fields': ['id'] })
    expect(answer.body['file-scan-tasks']).toMatchObject([
      {
        'data-file': {
          'lower-bounds': { keys: [1], values: ['4600000000000000'] },
          'upper-bounds': { keys: [1], values: ['4F00000000000000'] },
        },
      },
    ])
  })

  it('plans what appends have added between two snapshots, whose ids exceed 2^53', async () => {
    const [first, , third] = [await append(0, 2), await append(2, 4), await append(4, 6), await append(6, 8)]
    const answer = await plan(serve(), { 'start-snapshot-id': first, 'end-snapshot-id': third ?? null })
    expect(filesOf(answer)).toEqual([2, 3, 4, 5])
    const none = await plan(serve(), { 'start-snapshot-id': third ?? null, 'end-snapshot-id': third ?? null })
    expect(filesOf(none)).toEqual([])
    expect(
      await plan(serve(), { 'start-snapshot-id': third ?? null, 'end-snapshot-id': first }),
    ).toMatchObject({ status: 400 })
  })

  it('plans an old snapshot, and a table without data', async () => {
    expect(filesOf(await plan(serve()))).toEqual([])
    const first = await append(0, 2)
    await append(2, 4)
    expect(filesOf(await plan(serve(), { 'snapshot-id': first, filter: null, select: null }))).toEqual([0, 1])
  })

  it.each([
    ['an unknown snapshot', '{"snapshot-id": 5}'],
    ['an end without a start', '{"end-snapshot-id": 9007199254740993}'],
    ['both kinds of scan', '{"snapshot-id": 1, "start-snapshot-id": 1, "end-snapshot-id": 2}'],
    ['an unknown column', '{"filter": {"type": "eq", "term": "nothing", "value": 1}}'],
    ['an unknown expression', '{"filter": {"type": "maybe"}}'],
    ['a comparison with null', '{"filter": {"type": "eq", "term": "id", "value": null}}'],
    ['unknown stats-fields', '{"stats-fields": ["nothing"]}'],
    ['no JSON', '{'],
  ])('refuses %s with 400', async (_, body) => {
    await append(0, 1)
    expect(await plan(serve(), body)).toMatchObject({ status: 400, body: { error: { code: 400 } } })
  })

  it.each<[string, (depth: number) => string]>([
    ['not', (depth) => `${'{"type":"not","child":'.repeat(depth)}true${'}'.repeat(depth)}`],
    ['and', (depth) => `${'{"type":"and","right":true,"left":'.repeat(depth)}true${'}'.repeat(depth)}`],
    [
      'or',
      (depth) => {
        const leaf = '{"type":"gt","term":"id","value":5}'
        return `${`{"type":"or","left":${leaf},"right":`.repeat(depth)}${leaf}${'}'.repeat(depth)}`
      },
    ],
    [
      'term',
      (depth) => {
        const term = `${'{"type":"transform","transform":"bucket[4]","term":'.repeat(depth)}"id"${'}'.repeat(depth)}`
        return `{"type":"eq","term":${term},"value":1}`
      },
    ],
  ])('plans a filter as deep as bodies may be, or refuses it, and never fails: %s', async (_, nested) => {
    await append(0, 2)
    for (const depth of [100, 900, 100_000]) {
      const { status, body } = await plan(serve(), `{"filter":${nested(depth)}}`)
      expect([200, 400], `${depth}: ${stringifyJson(body).slice(0, 300)}`).toContain(status)
      if (depth === 100_000) expect(status).toBe(400)
    }
  })

  it('answers 404 for a table that there is not', async () => {
    const response = await serve().request('/v1/namespaces/shop/tables/no/plan', {
      method: 'POST',
      body: '{}',
    })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { type: 'NoSuchTableException' } })
  })

  it('is not there, nor announced, where planning is not set up', async () => {
    const routes = createCatalogRoutes({ catalog, clock })
    expect((await plan(routes)).status).toBe(404)
    const config = await (await routes.request('/v1/config')).text()
    expect(config).not.toContain('/plan')
    expect(await (await serve().request('/v1/config')).text()).toContain('/plan/{plan-id}')
  })

  it('makes one plan of a request that comes twice', async () => {
    await append(0, 2)
    const routes = serve()
    const headers = { 'idempotency-key': '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }
    const first = await plan(routes, {}, headers)
    await append(2, 4)
    const again = await plan(routes, {}, headers)
    expect(again.body['plan-id']).toBe(first.body['plan-id'])
    expect(filesOf(again)).toEqual([0, 1])
    expect(await plan(routes, { select: ['id'] }, headers)).toMatchObject({ status: 400 })
  })
})

describe('a plan in pieces', () => {
  it('has every file once, across manifests and within one', async () => {
    for (const [from, to] of [
      [0, 3],
      [3, 20],
      [20, 21],
      [21, 22],
    ] as const)
      await append(from, to)
    const routes = serve({ fileTasksMax: 4 })
    const first = await plan(routes)
    expect(filesOf(first)).toEqual([])
    expect(await allFiles(routes, first)).toEqual(numbers(0, 22))
    const some = await plan(routes, { filter: { type: 'gt-eq', term: 'id', value: 150 } })
    expect(await allFiles(routes, some)).toEqual(numbers(15, 22))
  })

  it('goes on after a restart, and after the table has moved on', async () => {
    await append(0, 3)
    await append(3, 6)
    const first = await plan(serve({ fileTasksMax: 2 }))
    await append(6, 9)
    expect(await allFiles(serve({ fileTasksMax: 2 }), first)).toEqual(numbers(0, 6))
  })

  it('stops at the rows that are enough', async () => {
    for (let at = 0; at < 5; at++) await append(at, at + 1)
    const answer = await plan(serve({ fileTasksMax: 2 }), { 'min-rows-requested': 15 })
    expect(filesOf(answer)).toHaveLength(2)
    expect(answer.body['plan-tasks']).toBeUndefined()
  })

  it('has no more tasks than allowed, and shorter pages for a longer filter', async () => {
    for (let at = 0; at < 12; at++) await append(at, at + 1)
    const routes = serve({ fileTasksMax: 1, planTasksMax: 4 })
    const first = await plan(routes)
    expect((first.body['plan-tasks'] as readonly string[]).length).toBeLessThanOrEqual(5)
    expect(await allFiles(routes, first)).toEqual(numbers(0, 12))
    const note = { type: 'not-eq', term: 'note', value: 'x'.repeat(4 * 1024 * 1024) }
    const long = await plan(serve(), { filter: note })
    expect(filesOf(long).length).toBeLessThanOrEqual(2)
    expect(await allFiles(serve(), long)).toEqual(numbers(0, 12))
  })

  it.each(['', 'x', 'AAAA', 'eyJ2IjoxfQ'])(
    'answers 404 to the token "%s", which names no task',
    async (token) => {
      expect(await call(serve(), 'POST', '/tasks', { 'plan-task': token })).toMatchObject({
        status: 404,
        body: { error: { type: 'NoSuchPlanTaskException', code: 404 } },
      })
    },
  )

  it('has no tasks left for another table, or when it is cancelled', async () => {
    await append(0, 3)
    await append(3, 6)
    const routes = serve({ fileTasksMax: 2 })
    const first = await plan(routes)
    const [task = ''] = first.body['plan-tasks'] as readonly string[]
    await catalog.createTable({ ...orders, name: 'other' }, { schema: { schemaId: 0, fields: [] } })
    const elsewhere = await routes.request('/v1/namespaces/shop/tables/other/tasks', {
      method: 'POST',
      body: stringifyJson({ 'plan-task': task }),
    })
    expect(elsewhere.status).toBe(404)
    expect((await call(routes, 'DELETE', `/plan/${planIdOf(first)}`)).status).toBe(204)
    expect((await call(routes, 'POST', '/tasks', { 'plan-task': task })).status).toBe(404)
  })
})

describe('a plan that takes long', () => {
  it('is submitted, then completed', async () => {
    await append(0, 3)
    const held = heldStore()
    const routes = serve({ store: held.store, planWaitMsMax: 0 })
    const { body } = await plan(routes)
    expect(body).toEqual({ status: 'submitted', 'plan-id': expect.any(String) })
    const path = `/plan/${body['plan-id'] as string}`
    expect((await call(routes, 'GET', path)).body).toMatchObject({ status: 'submitted' })
    held.release()
    await expect.poll(async () => (await call(routes, 'GET', path)).body['status']).toBe('completed')
    expect(filesOf(await call(routes, 'GET', path))).toEqual([0, 1, 2])
  })

  it('is cancelled, as often as one likes', async () => {
    await append(0, 3)
    const held = heldStore()
    const routes = serve({ store: held.store, planWaitMsMax: 0 })
    const path = `/plan/${planIdOf(await plan(routes))}`
    expect((await call(routes, 'DELETE', path)).status).toBe(204)
    held.release()
    expect((await call(routes, 'GET', path)).body).toMatchObject({ status: 'cancelled' })
    expect((await call(routes, 'DELETE', path)).status).toBe(204)
  })

  it('says why it failed', async () => {
    await append(0, 3)
    const held = heldStore(new Error('secret'))
    const failing = serve({ planWaitMsMax: 0, store: held.store })
    const path = `/plan/${planIdOf(await plan(failing))}`
    held.release()
    await expect
      .poll(async () => (await call(failing, 'GET', path)).body)
      .toEqual({
        status: 'failed',
        error: { message: 'the catalog failed unexpectedly', type: 'InternalServerError', code: 500 },
      })
  })

  it('is refused when too many are under way', async () => {
    await append(0, 3)
    const held = heldStore()
    const routes = serve({ store: held.store, planWaitMsMax: 0, submittedPlansMax: 1 })
    expect((await plan(routes)).status).toBe(200)
    expect(await plan(routes)).toMatchObject({ status: 503 })
    held.release()
  })
})

describe('fetchPlanningResult', () => {
  it('gives a completed plan again until it expires, and no other', async () => {
    await append(0, 3)
    const own = manualClock(startMs)
    const routes = createCatalogRoutes({ catalog, clock: own, planning: { store, planLifetimeMs: 1000 } })
    const path = `/plan/${planIdOf(await plan(routes))}`
    expect(filesOf(await call(routes, 'GET', path))).toEqual([0, 1, 2])
    own.advance(1000)
    for (const missing of [path, '/plan/none'])
      for (const method of ['GET', 'DELETE'])
        expect(await call(routes, method, missing)).toMatchObject({
          status: 404,
          body: { error: { type: 'NoSuchPlanIdException', code: 404 } },
        })
  })

  it('forgets the oldest plan for a new one', async () => {
    await append(0, 3)
    const routes = serve({ plansMax: 2 })
    const ids = []
    for (let at = 0; at < 3; at++) ids.push(planIdOf(await plan(routes)))
    const statuses = await Promise.all(
      ids.map(async (id) => (await call(routes, 'GET', `/plan/${id}`)).status),
    )
    expect(statuses).toEqual([404, 200, 200])
  })
})
