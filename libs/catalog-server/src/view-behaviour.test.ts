import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog, TableIdentifier, ViewDefinition } from '@floe/catalog'
import { openRestCatalog } from '@floe/catalog/rest'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { Schema, TableUpdate, ViewUpdate, ViewVersion } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const lines: TableIdentifier = { namespace: ['shop'], name: 'lines' }
const recent: TableIdentifier = { namespace: ['shop'], name: 'recent' }
const startMs = 1_700_000_000_000
const store = openMemoryStore()

let folder: string
let opened: Catalog[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-views-'))
})

afterEach(async () => {
  for (const catalog of opened) await catalog.close()
  opened = []
  clearMemoryStore('views')
  await rm(folder, { recursive: true })
})

async function openSql(): Promise<Catalog> {
  const catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: join(folder, 'catalog.db') },
      warehouse: 'memory://views/warehouse',
      clock: manualClock(startMs),
      uuid: randomUUID,
    },
    { store },
  )
  opened.push(catalog)
  await catalog.createNamespace(['shop']).catch(() => undefined)
  return catalog
}

async function openRest(): Promise<Catalog> {
  const routes = createCatalogRoutes({ catalog: await openSql(), clock: manualClock(startMs) })
  const serve: typeof fetch = async (input, init) => routes.request(input as string, init)
  return openRestCatalog({ uri: 'http://catalog.test/' }, { fetch: serve })
}

function version(sql: string, dialect = 'duckdb', schemaId = 0): ViewVersion {
  return {
    versionId: 1,
    timestampMs: startMs - 1000,
    schemaId,
    summary: { 'engine-name': 'floe' },
    representations: [{ type: 'sql', sql, dialect }],
    defaultNamespace: ['shop'],
  }
}

const definition: ViewDefinition = { schema, version: version('SELECT 1'), properties: { a: '1' } }

function replaceBy(next: ViewVersion): readonly ViewUpdate[] {
  return [
    { action: 'add-view-version', viewVersion: next },
    { action: 'set-current-view-version', viewVersionId: -1 },
  ]
}

function setProperty(key: string, value = 'set'): readonly TableUpdate[] {
  return [{ action: 'set-properties', updates: { [key]: value } }]
}

async function filesOf(): Promise<number> {
  return (await Array.fromAsync(store.list('memory://views/'))).length
}

const kinds = [
  { name: 'SQLite catalog', open: openSql },
  { name: 'REST client and server', open: openRest },
]

describe.each(kinds)('views of the $name', ({ open }) => {
  it('are created, loaded, listed and dropped beside tables, and keep their file', async () => {
    const catalog = await open()
    const created = await catalog.createView(recent, definition)
    expect(created.metadata).toMatchObject({
      formatVersion: 1,
      currentVersionId: 1,
      properties: { a: '1' },
      versionLog: [{ versionId: 1, timestampMs: startMs - 1000 }],
    })
    expect(created.metadata.location).toMatch(/^memory:\/\/views\/warehouse\/shop\/recent-[0-9a-f]{8}$/)
    expect(created.metadataLocation).toMatch(/\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/)
    await catalog.createTable(orders, { schema })
    expect(await catalog.loadView(recent)).toEqual(created)
    expect(await catalog.listViews(['shop'])).toEqual([recent])
    expect(await catalog.listTables(['shop'])).toEqual([orders])
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'invalid-input' })
    await catalog.dropView(recent)
    await expect(catalog.loadView(recent)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.dropView(recent)).rejects.toMatchObject({ code: 'not-found' })
    const registered = await catalog.registerView(recent, created.metadataLocation)
    expect(registered.metadata).toEqual(created.metadata)
  })

  it('share one name space with tables', async () => {
    const catalog = await open()
    await catalog.createTable(orders, { schema })
    const { metadataLocation } = await catalog.createView(recent, definition)
    const taken = [
      catalog.createView(orders, definition),
      catalog.createView(recent, definition),
      catalog.createTable(recent, { schema }),
      catalog.stageTable(recent, { schema }),
      catalog.renameTable(orders, recent),
      catalog.renameView(recent, orders),
      catalog.registerView(orders, metadataLocation),
      catalog.commitTable(recent, { requirements: [{ type: 'assert-create' }], updates: [] }),
    ]
    for (const attempt of taken) await expect(attempt).rejects.toMatchObject({ code: 'already-exists' })
    await expect(catalog.loadTable(recent)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.loadView(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.dropTable(recent)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('are replaced by new versions, with a uuid that must fit', async () => {
    const catalog = await open()
    const { metadata } = await catalog.createView(recent, definition)
    const replaced = await catalog.commitView(recent, {
      requirements: [{ type: 'assert-view-uuid', uuid: metadata.viewUuid }],
      updates: replaceBy(version('SELECT 2')),
    })
    expect(replaced.metadata).toMatchObject({ currentVersionId: 2, viewUuid: metadata.viewUuid })
    expect(replaced.metadataLocation).toMatch(/\/metadata\/00001-/)
    expect(await catalog.loadView(recent)).toEqual(replaced)
    const wrong = catalog.commitView(recent, {
      requirements: [{ type: 'assert-view-uuid', uuid: randomUUID() }],
      updates: replaceBy(version('SELECT 3')),
    })
    await expect(wrong).rejects.toMatchObject({ code: 'commit-conflict' })
    const dropsDialect = catalog.commitView(recent, {
      requirements: [],
      updates: replaceBy(version('SELECT 3', 'spark')),
    })
    await expect(dropsDialect).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('keep every one of several racing replacements', async () => {
    const catalog = await open()
    await catalog.createView(recent, definition)
    const queries = Array.from({ length: 6 }, (_, at) => `SELECT ${at} + 1`)
    await Promise.all(
      queries.map((sql) =>
        catalog.commitView(recent, { requirements: [], updates: replaceBy(version(sql)) }),
      ),
    )
    const { metadata } = await catalog.loadView(recent)
    expect(metadata.versions.map(({ versionId }) => versionId)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(metadata.versionLog).toHaveLength(7)
  })

  it('are renamed across namespaces', async () => {
    const catalog = await open()
    await catalog.createNamespace(['other'])
    const { metadata } = await catalog.createView(recent, definition)
    const target = { namespace: ['other'], name: 'renamed' }
    await catalog.renameView(recent, target)
    expect((await catalog.loadView(target)).metadata).toEqual(metadata)
    await expect(catalog.renameView(recent, target)).rejects.toMatchObject({ code: 'not-found' })
    const nowhere = catalog.renameView(target, { namespace: ['nope'], name: 'x' })
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe.each(kinds)('transactions of the $name', ({ open }) => {
  it('commit to tables of which one is new, together', async () => {
    const catalog = await open()
    await catalog.createTable(orders, { schema })
    const staged = await catalog.stageTable(lines, { schema })
    await catalog.commitTransaction([
      {
        identifier: orders,
        requirements: [{ type: 'assert-current-schema-id', currentSchemaId: 0 }],
        updates: setProperty('a'),
      },
      {
        identifier: lines,
        requirements: [{ type: 'assert-create' }],
        updates: [
          { action: 'assign-uuid', uuid: staged.metadata.tableUuid },
          { action: 'add-schema', schema: staged.metadata.schemas[0] ?? schema },
          { action: 'set-current-schema', schemaId: -1 },
          { action: 'add-spec', spec: { specId: 0, fields: [] } },
          { action: 'set-default-spec', specId: -1 },
          { action: 'add-sort-order', sortOrder: { orderId: 0, fields: [] } },
          { action: 'set-default-sort-order', sortOrderId: -1 },
        ],
      },
    ])
    expect((await catalog.loadTable(orders)).metadata.properties).toEqual({ a: 'set' })
    expect((await catalog.loadTable(lines)).metadata.tableUuid).toBe(staged.metadata.tableUuid)
  })

  it('change nothing, and leave no file, when one requirement fails or one table is missing', async () => {
    const catalog = await open()
    for (const identifier of [orders, lines]) await catalog.createTable(identifier, { schema })
    const files = await filesOf()
    const change = { identifier: orders, requirements: [], updates: setProperty('a') }
    const failing = catalog.commitTransaction([
      change,
      { identifier: lines, requirements: [{ type: 'assert-create' }], updates: setProperty('a') },
    ])
    await expect(failing).rejects.toMatchObject({ code: 'commit-conflict' })
    const missing = catalog.commitTransaction([change, { ...change, identifier: recent }])
    await expect(missing).rejects.toMatchObject({ code: 'not-found' })
    const twice = catalog.commitTransaction([change, change])
    await expect(twice).rejects.toMatchObject({ code: 'invalid-input' })
    expect((await catalog.loadTable(orders)).metadata.properties).toEqual({})
    expect(await filesOf()).toBe(files)
  })

  it('that race over the same tables in either order all happen, whole', async () => {
    const catalog = await open()
    for (const identifier of [orders, lines]) await catalog.createTable(identifier, { schema })
    await Promise.all(
      Array.from({ length: 12 }, (_, at) => {
        const changes = [orders, lines].map((identifier) => ({
          identifier,
          requirements: [],
          updates: setProperty(`key-${at}`),
        }))
        return catalog.commitTransaction(at % 2 === 0 ? changes : changes.toReversed())
      }),
    )
    for (const identifier of [orders, lines]) {
      const { metadata } = await catalog.loadTable(identifier)
      expect(Object.keys(metadata.properties)).toHaveLength(12)
      expect(metadata.metadataLog).toHaveLength(12)
    }
  })
})

describe.each(kinds)('registering with the $name', ({ open }) => {
  it('takes a name over with overwrite, and keeps the files of what had it', async () => {
    const catalog = await open()
    const first = await catalog.createTable(orders, { schema })
    const other = await catalog.unregisterTable(orders)
    expect(other.metadataLocation).toBe(first.metadataLocation)
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    const second = await catalog.createTable(orders, { schema })
    const location = String(first.metadataLocation)
    await expect(catalog.registerTable(orders, location)).rejects.toMatchObject({ code: 'already-exists' })
    const registered = await catalog.registerTable(orders, location, { overwrite: true })
    expect(registered.metadata.tableUuid).toBe(first.metadata.tableUuid)
    expect(await catalog.loadTable(orders)).toEqual(registered)
    expect(await store.head(String(second.metadataLocation))).toBeDefined()
    const late = catalog.commitTable(orders, {
      requirements: [{ type: 'assert-table-uuid', uuid: second.metadata.tableUuid }],
      updates: setProperty('a'),
    })
    await expect(late).rejects.toMatchObject({ code: 'commit-conflict' })
    await catalog.createView(recent, definition)
    const overView = catalog.registerTable(recent, String(second.metadataLocation), { overwrite: true })
    await expect(overView).rejects.toMatchObject({ code: 'already-exists' })
  })
})

describe.each(kinds)('a request with a key to the $name', ({ open }) => {
  const newKey = (): { key: string; fingerprint: string } => ({ key: randomUUID(), fingerprint: 'f' })

  it('commits once, and answers the same however often it comes, even at once', async () => {
    const catalog = await open()
    await catalog.createTable(orders, { schema })
    const once = catalog.forRequest({ key: newKey() })
    const commit = { requirements: [], updates: setProperty('a') }
    const answers = await Promise.all([1, 2, 3].map(() => once.commitTable(orders, commit)))
    await catalog.commitTable(orders, { requirements: [], updates: setProperty('a', 'later') })
    answers.push(await once.commitTable(orders, commit))
    expect(new Set(answers.map(({ metadataLocation }) => metadataLocation)).size).toBe(1)
    expect(answers.map(({ metadata }) => metadata.properties)).toEqual(answers.map(() => ({ a: 'set' })))
    const { metadata } = await catalog.loadTable(orders)
    expect([metadata.properties, metadata.metadataLog.length]).toEqual([{ a: 'later' }, 2])
  })

  it('gives the success of a create, drop, rename and transaction again', async () => {
    const catalog = await open()
    const create = catalog.forRequest({ key: newKey() })
    const created = await create.createTable(orders, { schema })
    expect(await create.createTable(orders, { schema })).toEqual(created)
    const rename = catalog.forRequest({ key: newKey() })
    for (const _ of [1, 2]) await rename.renameTable(orders, lines)
    const transaction = catalog.forRequest({ key: newKey() })
    const changes = [{ identifier: lines, requirements: [], updates: setProperty('a') }]
    for (const _ of [1, 2]) await transaction.commitTransaction(changes)
    expect((await catalog.loadTable(lines)).metadata.metadataLog).toHaveLength(1)
    const unregister = catalog.forRequest({ key: newKey() })
    const last = await unregister.unregisterTable(lines)
    expect((await unregister.unregisterTable(lines)).metadata).toEqual(last.metadata)
    const change = catalog.forRequest({ key: newKey() })
    const properties = { updates: { a: '1' }, removals: ['b'] }
    const changed = await change.updateNamespace(['shop'], properties)
    await catalog.updateNamespace(['shop'], { updates: { b: '2' }, removals: [] })
    expect(await change.updateNamespace(['shop'], properties)).toEqual(changed)
    expect(await catalog.loadNamespace(['shop'])).toEqual({ a: '1', b: '2' })
    const drop = catalog.forRequest({ key: newKey() })
    for (const _ of [1, 2]) await drop.dropNamespace(['shop'])
  })

  it('stays refused when it was refused, and stays without effect when it had none', async () => {
    const catalog = await open()
    const create = catalog.forRequest({ key: newKey() })
    await catalog.createTable(orders, { schema })
    await expect(create.createTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    await catalog.dropTable(orders)
    await expect(create.createTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    await catalog.createTable(orders, { schema, properties: { a: 'set' } })
    const same = catalog.forRequest({ key: newKey() })
    await same.commitTable(orders, { requirements: [], updates: setProperty('a') })
    await catalog.commitTable(orders, { requirements: [], updates: setProperty('a', 'later') })
    await same.commitTable(orders, { requirements: [], updates: setProperty('a') })
    expect((await catalog.loadTable(orders)).metadata.properties).toEqual({ a: 'later' })
  })

  it('is refused when the key belongs to another request', async () => {
    const catalog = await open()
    const request = newKey()
    await catalog.forRequest({ key: request }).createTable(orders, { schema })
    const other = catalog.forRequest({ key: { ...request, fingerprint: 'g' } }).createTable(lines, { schema })
    await expect(other).rejects.toMatchObject({ code: 'invalid-input' })
    await expect(catalog.loadTable(lines)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('a request key over HTTP', () => {
  it('must be a uuid', async () => {
    const routes = createCatalogRoutes({ catalog: await openSql(), clock: manualClock(startMs) })
    const response = await routes.request('/v1/namespaces', {
      method: 'POST',
      headers: { 'idempotency-key': 'again' },
      body: JSON.stringify({ namespace: ['x'] }),
    })
    expect(response.status).toBe(400)
  })

  it('survives a restart of the catalog, and is forgotten after its lifetime', async () => {
    const path = join(folder, 'restart.db')
    const request = { key: randomUUID(), fingerprint: 'f' }
    const openAt = (nowMs: number): Promise<Catalog> =>
      openSqlCatalog(
        {
          database: { kind: 'sqlite', path },
          warehouse: 'memory://views/warehouse',
          clock: manualClock(nowMs),
          uuid: randomUUID,
          requestLifetimeMs: 1000,
        },
        { store },
      )
    const first = await openAt(0)
    await first.forRequest({ key: request }).createNamespace(['a'])
    await first.close()
    const second = await openAt(900)
    await second.forRequest({ key: request }).createNamespace(['a'])
    await second.close()
    const third = await openAt(2000)
    await third.forRequest({ key: { key: randomUUID(), fingerprint: 'g' } }).createNamespace(['b'])
    const again = third.forRequest({ key: request }).createNamespace(['a'])
    await expect(again).rejects.toMatchObject({ code: 'already-exists' })
    await third.close()
  })
})
