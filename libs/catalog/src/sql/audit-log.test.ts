import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseExpression } from '@floe/iceberg'
import type { Schema, TableUpdate } from '@floe/iceberg'
import { openFileStore } from '@floe/storage/fs'
import { manualClock } from '@floe/testing'
import type { ManualClock } from '@floe/testing'
import type { TableIdentifier } from '../catalog.ts'
import type { AuditEntry, ManagedCatalog } from '../managed-catalog.ts'
import { keepRowFilter } from '../read-restrictions.ts'
import { testDatabases } from '../testing/test-databases.ts'
import { createSqlAccessStore, openCatalogDatabase } from './index.ts'
import type { CatalogDatabase, SqlCatalogSettings } from './index.ts'

const runNode = promisify(execFile)
const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const invoices: TableIdentifier = { namespace: ['shop', 'eu'], name: 'invoices' }
const startMs = 1_700_000_000_000
const everything = { limit: 1000 }
const view = {
  schema,
  version: {
    versionId: 1,
    schemaId: 0,
    timestampMs: startMs,
    summary: {},
    representations: [{ type: 'sql', sql: 'SELECT 1', dialect: 'floe' }],
    defaultNamespace: ['shop'],
  },
} as const

let folder: string
let clock: ManualClock
let settings: SqlCatalogSettings['database']
let opened: CatalogDatabase[] = []

async function openDatabase(): Promise<CatalogDatabase> {
  const database = await openCatalogDatabase(
    { database: settings, clock, uuid: randomUUID },
    { store: openFileStore() },
  )
  opened.push(database)
  return database
}

async function open(name = 'lake'): Promise<ManagedCatalog> {
  return (await openDatabase()).catalog({ name, location: `file://${folder}/${name}` })
}

async function openShop(): Promise<ManagedCatalog> {
  const catalog = await open()
  for (const namespace of [['shop'], ['shop', 'eu']]) await catalog.createNamespace(namespace)
  await catalog.createTable(orders, { schema })
  await catalog.createTable(invoices, { schema })
  return catalog
}

function setProperty(key: string): { readonly requirements: []; readonly updates: TableUpdate[] } {
  return { requirements: [], updates: [{ action: 'set-properties', updates: { [key]: 'set' } }] }
}

function told({ action, on, principal }: AuditEntry): string {
  const name = 'identifier' in on ? on.identifier.name : 'namespace' in on ? on.namespace.join('.') : ''
  return `${principal} ${action} ${on.kind} ${name}`.trim()
}

async function toldLog(catalog: ManagedCatalog): Promise<readonly string[]> {
  return (await catalog.readAudit({}, everything)).map(told).toReversed()
}

/** All events, by a poller that takes a few at a time. */
async function poll(
  catalog: ManagedCatalog,
  isOver: () => boolean,
  limit = 3,
): Promise<readonly AuditEntry[]> {
  const seen: AuditEntry[] = []
  for (let after = 0; ;) {
    const wasOver = isOver()
    const { events, next } = await catalog.readEvents(after, limit)
    seen.push(...events)
    if (events.length === 0 && wasOver) return seen
    after = next
    // SQLite answers at once: without a pause nobody else would get a turn.
    await pause(1)
  }
}

describe.each(testDatabases)('the audit log in $name', ({ start, make, stop }) => {
  beforeAll(start)
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'floe-audit-'))
    clock = manualClock(startMs)
    settings = make(folder)
  })
  afterEach(async () => {
    for (const database of opened) await database.close()
    opened = []
    await rm(folder, { recursive: true })
  })
  afterAll(stop)

  it('has every change with who made it, on what, and the metadata before and after', async () => {
    const catalog = await openShop()
    const ada = catalog.forRequest({ principal: 'ada' })
    const { metadataLocation: before, metadata } = await catalog.loadTable(orders)
    const { metadataLocation: after } = await ada.commitTable(orders, setProperty('a'))
    await ada.updateNamespace(['shop'], { updates: { owner: 'ada' }, removals: ['none'] })
    const renamed = { namespace: ['shop'], name: 'sales' }
    await ada.renameTable(orders, renamed)
    await ada.unregisterTable(renamed)
    await ada.registerTable(orders, after ?? '')
    const shown = { namespace: ['shop'], name: 'shown' }
    await ada.createView(shown, view)
    await ada.dropView(shown)
    await ada.dropTable(orders)
    const entries = (await catalog.readAudit({}, everything)).toReversed().slice(4)
    expect(entries.map(told)).toEqual([
      'ada commit table orders',
      'ada update namespace shop',
      'ada rename table orders',
      'ada unregister table sales',
      'ada register table orders',
      'ada create view shown',
      'ada drop view shown',
      'ada drop table orders',
    ])
    expect(entries[0]).toEqual({
      sequence: 5,
      timestampMs: startMs,
      principal: 'ada',
      action: 'commit',
      on: { kind: 'table', identifier: orders },
      uuid: metadata.tableUuid,
      metadataBefore: before,
      metadataAfter: after,
      details: {},
    })
    expect(entries[1]?.details).toEqual({ updated: ['owner'], removed: [] })
    expect(entries[2]?.details).toEqual({ to: renamed })
    expect(entries[7]).toMatchObject({ metadataBefore: after, details: { purge: false } })
  })

  it('has one entry for each table of a transaction, and none for one that was only looked at', async () => {
    const catalog = await openShop()
    const other = { namespace: ['shop'], name: 'other' }
    await catalog.createTable(other, { schema })
    await catalog.commitTransaction([
      { identifier: invoices, ...setProperty('a') },
      { identifier: orders, ...setProperty('a') },
      {
        identifier: other,
        requirements: [{ type: 'assert-current-schema-id', currentSchemaId: 0 }],
        updates: [],
      },
    ])
    const entries = await catalog.readAudit({ action: 'commit' }, everything)
    expect(entries.map(told)).toEqual(['anonymous commit table invoices', 'anonymous commit table orders'])
    expect(entries[0]?.transactionId).toMatch(/^[0-9a-f-]{36}$/)
    expect(entries[1]?.transactionId).toBe(entries[0]?.transactionId)
  })

  it('has nothing of what failed, and one entry for a request that came twice', async () => {
    const catalog = await openShop()
    const before = await toldLog(catalog)
    await expect(catalog.createTable(orders, { schema })).rejects.toThrow()
    await expect(catalog.dropNamespace(['shop'])).rejects.toThrow()
    await expect(catalog.renameTable(orders, invoices)).rejects.toThrow()
    await expect(
      catalog.commitTransaction([
        { identifier: orders, ...setProperty('a') },
        {
          identifier: invoices,
          requirements: [{ type: 'assert-table-uuid', uuid: randomUUID() }],
          updates: [],
        },
      ]),
    ).rejects.toThrow()
    expect(await toldLog(catalog)).toEqual(before)
    const key = randomUUID()
    for (let time = 0; time < 2; time++) {
      const once = catalog.forRequest({ key: { key, fingerprint: 'drop' }, principal: 'ada' })
      await once.dropTable(orders)
    }
    const [entry, ...rest] = await catalog.readAudit({}, { limit: 2 })
    expect(entry).toMatchObject({ action: 'drop', requestKey: key })
    expect(rest.map(told)).toEqual(before.slice(-1))
  })

  it('has nothing of a process that was killed before its commit, and goes on without a gap', async () => {
    const catalog = await openShop()
    const script = `
      import { randomUUID } from 'node:crypto'
      import { openCatalogDatabase } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      import { openFileStore } from '@floe/storage/fs'
      const uuid = () => randomUUID()
      const database = await openCatalogDatabase(
        { database: ${JSON.stringify(settings)}, clock: { now: () => 1 }, uuid }, { store: openFileStore() })
      await database.sql.transaction(async (session) => {
        await session.run("INSERT INTO audit_log (warehouse, at_ms, action, kind) VALUES ('lake', 1, 'drop', 'token')")
        process.kill(process.pid, 'SIGKILL')
        return new Promise(() => {})
      })`
    const dying = runNode(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
    })
    await expect(dying).rejects.toMatchObject({ signal: 'SIGKILL' })
    await catalog.commitTable(orders, setProperty('after'))
    const { events } = await catalog.readEvents(0, 100)
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
    expect(events.map(told).at(-1)).toBe('anonymous commit table orders')
  })

  it('is read completely and in order by pollers while many commit', async () => {
    const catalogs = [await openShop(), await open(), await open()]
    const [first] = catalogs as [ManagedCatalog, ...ManagedCatalog[]]
    const keys = Array.from({ length: 45 }, (_, at) => `key-${at}`)
    let isOver = false
    const pollers = catalogs.map((catalog, at) => poll(catalog, () => isOver, at + 2))
    await Promise.all(
      keys.map((key, at) =>
        (catalogs[at % 3] ?? first).commitTable(at % 2 === 0 ? orders : invoices, setProperty(key)),
      ),
    )
    isOver = true
    const total = keys.length + 4
    for (const seen of await Promise.all(pollers)) {
      expect(seen.map(({ sequence }) => sequence)).toEqual(Array.from({ length: total }, (_, at) => at + 1))
      for (const table of [orders, invoices]) {
        const own = seen.filter(({ on }) => 'identifier' in on && on.identifier.name === table.name)
        // Each change begins where the one before it ended: no poller saw them in another order.
        for (const [at, entry] of own.entries())
          expect(entry.metadataBefore).toBe(at === 0 ? undefined : own[at - 1]?.metadataAfter)
        expect(own.at(-1)?.metadataAfter).toBe((await first.loadTable(table)).metadataLocation)
      }
    }
  })

  it('keeps to one warehouse, and gives pages from the newest on', async () => {
    const database = await openDatabase()
    const [lake, pond] = ['lake', 'pond'].map((name) =>
      database.catalog({ name, location: `file://${folder}/${name}` }),
    )
    for (const name of ['a', 'b', 'c']) await lake?.createNamespace([name])
    await pond?.createNamespace(['d'])
    expect((await pond?.readEvents(0, 10))?.events).toMatchObject([{ sequence: 1 }])
    const page = await lake?.readAudit({}, { limit: 2 })
    expect(page?.map(({ sequence }) => sequence)).toEqual([3, 2])
    expect(await lake?.readAudit({}, { limit: 2, before: 2 })).toMatchObject([{ sequence: 1 }])
    expect(await lake?.readEvents(7, 2)).toEqual({ events: [], next: 7 })
  })

  it('is filtered by table under all its names, namespace, principal, action and time', async () => {
    const catalog = await openShop()
    const sold = { namespace: ['shop'], name: 'sold' }
    clock.advance(1000)
    await catalog.forRequest({ principal: 'ada' }).renameTable(orders, sold)
    clock.advance(1000)
    await catalog.createTable(orders, { schema })
    const found = async (filter: Parameters<ManagedCatalog['readAudit']>[0]): Promise<readonly number[]> =>
      (await catalog.readAudit(filter, everything)).map(({ sequence }) => sequence)
    expect(await found({ table: sold })).toEqual([5, 3])
    expect(await found({ table: invoices })).toEqual([4])
    expect(await found({ namespace: ['shop', 'eu'] })).toEqual([4, 2])
    expect(await found({ namespace: ['shop'] })).toEqual([6, 5, 4, 3, 2, 1])
    expect(await found({ principal: 'ada' })).toEqual([5])
    expect(await found({ principal: 'anonymous', action: 'create', sinceMs: startMs + 1 })).toEqual([6])
    expect(await found({ sinceMs: startMs + 1000, untilMs: startMs + 2000 })).toEqual([5])
    expect(await catalog.readEvents(0, 10, { principal: 'ada' })).toMatchObject({
      events: [{ sequence: 5 }],
      next: 6,
    })
  })

  it('has changes of tokens, grants and restrictions, without secrets and row values', async () => {
    const database = await openDatabase()
    const catalog = database.catalog({ name: 'lake', location: `file://${folder}/lake` })
    await catalog.createNamespace(['shop'])
    await catalog.createTable(orders, { schema })
    const store = createSqlAccessStore(database.sql, { clock })
    const access = store.forRequest({ warehouse: 'lake', principal: 'root' })
    const principal = { name: 'ada', roles: ['analysts'] }
    const token = { id: 't1', principal, secretHash: 'feed', createdAtMs: 1 } as const
    await access.insertToken({ ...token, kind: 'token' })
    await access.insertToken({ ...token, id: 's1', kind: 'session', issuedFor: 't1' })
    const to = { kind: 'role', name: 'analysts' } as const
    const on = { kind: 'table', identifier: orders } as const
    await access.setGrant('lake', { to, privilege: 'read', on })
    await access.setReadRule('lake', {
      to,
      table: orders,
      rowFilter: keepRowFilter(parseExpression({ type: 'eq', term: 'id', value: 4711 }), schema),
      masks: [],
    })
    await access.removeReadRule('lake', to, orders)
    await access.removeGrant('lake', to, on)
    await access.removeGrant('lake', to, on)
    await access.deleteToken('t1')
    const entries = (await catalog.readAudit({ principal: 'root' }, everything)).toReversed()
    expect(entries.map(told)).toEqual([
      'root create token',
      'root grant table orders',
      'root restrict table orders',
      'root unrestrict table orders',
      'root revoke table orders',
      'root revoke token',
    ])
    expect(entries[0]?.details).toMatchObject({ id: 't1', principal: 'ada' })
    expect(entries[1]?.details).toEqual({ to, privilege: 'read' })
    expect(JSON.stringify(entries)).not.toMatch(/feed|4711/)
  })
})
