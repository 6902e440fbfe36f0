import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Schema, TableUpdate } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { faultStore, manualClock, seededRandom } from '@floe/testing'
import type { ManualClock } from '@floe/testing'
import type { TableIdentifier } from '../catalog.ts'
import type { AuditEntry, ManagedCatalog } from '../managed-catalog.ts'
import { testDatabases } from '../testing/test-databases.ts'
import { openSqlCatalog } from './index.ts'
import type { SqlCatalogSettings } from './index.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const invoices: TableIdentifier = { namespace: ['shop'], name: 'invoices' }
const big: TableIdentifier = { namespace: ['shop'], name: 'big' }
const onOrders = { kind: 'table', identifier: orders } as const
const retentionMs = 60_000
const everything = { limit: 1000 }

let folder: string
let clock: ManualClock
let database: SqlCatalogSettings['database']
let opened: ManagedCatalog[] = []

async function open(
  more: Partial<SqlCatalogSettings> = {},
  store: ObjectStore = openMemoryStore(),
): Promise<ManagedCatalog> {
  const catalog = await openSqlCatalog(
    {
      database,
      warehouse: 'memory://managed/lake',
      clock,
      uuid: randomUUID,
      dropRetentionMs: retentionMs,
      ...more,
    },
    { store },
  )
  opened.push(catalog)
  return catalog
}

async function openShop(more: Partial<SqlCatalogSettings> = {}): Promise<ManagedCatalog> {
  const catalog = await open(more)
  await catalog.createNamespace(['shop'])
  await catalog.createTable(orders, { schema })
  return catalog
}

function setProperty(key: string): { readonly requirements: []; readonly updates: TableUpdate[] } {
  return { requirements: [], updates: [{ action: 'set-properties', updates: { [key]: 'set' } }] }
}

async function files(): Promise<number> {
  return (await Array.fromAsync(openMemoryStore().list('memory://managed/'))).length
}

async function log(catalog: ManagedCatalog): Promise<readonly AuditEntry[]> {
  return (await catalog.readAudit({}, everything)).toReversed()
}

describe.each(testDatabases)('the catalog in $name', ({ start, make, stop }) => {
  beforeAll(start)
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'floe-managed-'))
    clock = manualClock(1_700_000_000_000)
    database = make(folder)
  })
  afterEach(async () => {
    for (const catalog of opened) await catalog.close()
    opened = []
    clearMemoryStore('managed')
    await rm(folder, { recursive: true })
  })
  afterAll(stop)

  describe('brings dropped tables back', () => {
    it('as they were, under a name that was free at once', async () => {
      const catalog = (await openShop()).forRequest({ principal: 'ada' })
      const { metadataLocation } = await catalog.commitTable(orders, setProperty('kept'))
      await catalog.dropTable(orders, { purge: true })
      await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
      const other = await catalog.createTable(orders, { schema })
      const [dropped] = await catalog.listDropped(['shop'])
      expect(dropped).toMatchObject({ identifier: orders, isPurge: true, droppedBy: 'ada', metadataLocation })
      expect(dropped?.expiresAtMs).toBe(clock.now() + retentionMs)
      const uuid = dropped?.uuid ?? ''
      await expect(catalog.undrop(uuid)).rejects.toMatchObject({
        code: 'already-exists',
        hint: expect.stringContaining('--as'),
      })
      expect(await catalog.undrop(uuid, invoices)).toEqual({ kind: 'table', identifier: invoices })
      expect((await catalog.loadTable(invoices)).metadata.properties).toEqual({ kept: 'set' })
      expect((await catalog.commitTable(invoices, setProperty('more'))).metadata.tableUuid).toBe(uuid)
      expect((await catalog.loadTable(orders)).metadata.tableUuid).toBe(other.metadata.tableUuid)
      expect(await catalog.listDropped()).toEqual([])
      await expect(catalog.undrop(uuid)).rejects.toMatchObject({ code: 'not-found' })
    })

    it('once the namespace is there again, which could go without them', async () => {
      const catalog = await openShop()
      await catalog.dropTable(orders)
      await catalog.dropNamespace(['shop'])
      const [dropped] = await catalog.listDropped()
      const uuid = dropped?.uuid ?? ''
      await expect(catalog.undrop(uuid)).rejects.toThrow('Namespace does not exist: shop')
      await catalog.createNamespace(['shop'])
      await catalog.undrop(uuid)
      expect(await catalog.listTables(['shop'])).toEqual([orders])
    })

    it('once, when the request comes twice', async () => {
      const catalog = await openShop()
      await catalog.dropTable(orders)
      const [dropped] = await catalog.listDropped()
      const once = catalog.forRequest({ key: { key: randomUUID(), fingerprint: 'undrop' } })
      const first = await once.undrop(dropped?.uuid ?? '')
      expect(await once.undrop(dropped?.uuid ?? '')).toEqual(first)
      expect((await log(catalog)).filter(({ action }) => action === 'undrop')).toHaveLength(1)
    })

    it('but not one that was registered under another name, nor what was never dropped', async () => {
      const catalog = await openShop()
      const { metadata, metadataLocation } = await catalog.loadTable(orders)
      await catalog.dropTable(orders)
      await catalog.registerTable(invoices, metadataLocation ?? '')
      await expect(catalog.undrop(metadata.tableUuid)).rejects.toMatchObject({ code: 'already-exists' })
      await expect(catalog.undrop(randomUUID())).rejects.toMatchObject({ code: 'not-found' })
    })

    it('and not where nothing is kept: a purge is a purge', async () => {
      const catalog = await openShop({ dropRetentionMs: 0 })
      await catalog.dropTable(orders, { purge: true })
      expect([await catalog.listDropped(), await files()]).toEqual([[], 0])
    })
  })

  describe('ends the retention', () => {
    it('of what is over, with the files of those that were purged', async () => {
      const catalog = await openShop()
      await catalog.createTable(invoices, { schema })
      await catalog.dropTable(orders, { purge: true })
      await catalog.dropTable(invoices)
      clock.advance(retentionMs - 1)
      await catalog.createTable(big, { schema })
      await catalog.dropTable(big, { purge: true })
      expect(await catalog.expireDropped()).toEqual({ expired: [], failures: [] })
      clock.advance(1)
      const { expired } = await catalog.expireDropped()
      expect(expired.map(({ identifier }) => identifier.name).toSorted()).toEqual(['invoices', 'orders'])
      expect((await catalog.listDropped()).map(({ identifier }) => identifier)).toEqual([big])
      expect(await files()).toBe(2)
      await catalog.expireDropped((await catalog.listDropped())[0]?.uuid)
      expect([await catalog.listDropped(), await files()]).toEqual([[], 1])
    })

    it('and leaves the files of a table that has a name again', async () => {
      const catalog = await openShop()
      const { metadataLocation } = await catalog.loadTable(orders)
      await catalog.dropTable(orders, { purge: true })
      await catalog.registerTable(invoices, metadataLocation ?? '')
      clock.advance(retentionMs)
      expect((await catalog.expireDropped()).expired).toHaveLength(1)
      await (await open()).loadTable(invoices)
      const [entry] = await catalog.readAudit({ action: 'expire' }, everything)
      expect(entry?.details).toEqual({ purge: false })
    })

    it('later, of a table whose files cannot be read now', async () => {
      const catalog = await openShop()
      await catalog.createTable(invoices, { schema })
      const { metadataLocation } = await catalog.loadTable(orders)
      for (const table of [orders, invoices]) await catalog.dropTable(table, { purge: true })
      clock.advance(retentionMs)
      const store = faultStore(openMemoryStore(), {
        random: seededRandom(1),
        errorRate: 1,
        operations: ['get'],
        locations: (location) => location === metadataLocation,
      })
      const { expired, failures } = await (await open({}, store)).expireDropped()
      expect(expired.map(({ identifier }) => identifier)).toEqual([invoices])
      expect(failures).toMatchObject([{ relation: { identifier: orders } }])
      expect((await catalog.expireDropped()).expired).toHaveLength(1)
      expect(await files()).toBe(0)
    })
  })

  describe('keeps what is protected', () => {
    it('from drop, purge, unregister and a register over it, until it is unprotected', async () => {
      const catalog = await openShop({ dropRetentionMs: 0 })
      const { metadataLocation = '' } = await catalog.createTable(invoices, { schema })
      await catalog.unregisterTable(invoices)
      await catalog.setProtection(onOrders, true)
      expect(await catalog.isProtected(onOrders)).toBe(true)
      const refused = [
        () => catalog.dropTable(orders),
        () => catalog.dropTable(orders, { purge: true }),
        () => catalog.unregisterTable(orders),
        () => catalog.registerTable(orders, metadataLocation, { overwrite: true }),
      ]
      for (const attempt of refused)
        await expect(attempt()).rejects.toMatchObject({
          code: 'protected',
          retryable: false,
          hint: expect.stringContaining('unprotect'),
        })
      await catalog.commitTable(orders, setProperty('changed'))
      await catalog.renameTable(orders, big)
      const onBig = { kind: 'table', identifier: big } as const
      expect(await catalog.isProtected(onBig)).toBe(true)
      await catalog.setProtection(onBig, false)
      await catalog.dropTable(big, { purge: true })
      expect(await catalog.listTables(['shop'])).toEqual([])
    })

    it('also namespaces, and nothing that is not there', async () => {
      const catalog = await open()
      await catalog.createNamespace(['shop'])
      const shop = { kind: 'namespace', namespace: ['shop'] } as const
      await catalog.setProtection(shop, true)
      await catalog.setProtection(shop, true)
      await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'protected' })
      await catalog.setProtection(shop, false)
      await catalog.dropNamespace(['shop'])
      await expect(catalog.setProtection(shop, true)).rejects.toMatchObject({ code: 'not-found' })
      await expect(catalog.isProtected(onOrders)).rejects.toMatchObject({ code: 'not-found' })
      const entries = (await log(catalog)).map(({ action }) => action)
      expect(entries).toEqual(['create', 'protect', 'unprotect', 'drop'])
    })

    it('while a drop of another request runs into it', async () => {
      const [catalog, other] = [await openShop(), await open()]
      const outcomes = await Promise.allSettled([
        catalog.setProtection(onOrders, true),
        other.dropTable(orders),
      ])
      const isProtected = outcomes[0].status === 'fulfilled'
      expect(await catalog.listTables(['shop'])).toHaveLength(isProtected ? 1 : 0)
    })
  })
})
