import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import { openRestCatalog } from '@floe/catalog/rest'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { Schema, Snapshot, TableUpdate } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 10, name: 'id', type: { kind: 'long' }, required: true },
    { id: 20, name: 'day', type: { kind: 'date' }, required: false },
  ],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const startMs = 1_700_000_000_000
const store = openMemoryStore()

let folder: string
let snapshotIds = 0n
let opened: Catalog[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-catalog-'))
})

afterEach(async () => {
  for (const catalog of opened) await catalog.close()
  opened = []
  clearMemoryStore('lake')
  await rm(folder, { recursive: true })
})

async function openSql(): Promise<Catalog> {
  const catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: join(folder, 'catalog.db') },
      warehouse: 'memory://lake/warehouse',
      clock: manualClock(startMs),
      uuid: randomUUID,
    },
    { store },
  )
  opened.push(catalog)
  return catalog
}

async function openRest(prefix?: string): Promise<Catalog> {
  const routes = createCatalogRoutes({
    catalog: await openSql(),
    clock: manualClock(startMs),
    ...(prefix === undefined ? {} : { prefix }),
  })
  const serve: typeof fetch = async (input, init) => routes.request(input as string, init)
  const catalog = await openRestCatalog({ uri: 'http://catalog.test/' }, { fetch: serve })
  opened.push(catalog)
  return catalog
}

function newSnapshot(sequenceNumber: bigint, parent?: bigint): Snapshot {
  // Beyond 2^53, where a JSON number would lose its last digits.
  const snapshotId = 9_007_199_254_740_993n + 2n * snapshotIds++
  return {
    snapshotId,
    sequenceNumber,
    timestampMs: startMs,
    manifestList: `memory://lake/warehouse/snap-${snapshotId}.avro`,
    schemaId: 0,
    summary: { operation: 'append' },
    ...(parent === undefined ? {} : { parentSnapshotId: parent }),
  }
}

function appendUpdates(snapshot: Snapshot): readonly TableUpdate[] {
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId: snapshot.snapshotId, type: 'branch' } },
  ]
}

/** Appends as a client does: load, stage on what is there, and again from the start after a conflict. */
async function append(catalog: Catalog, identifier: TableIdentifier): Promise<bigint> {
  for (;;) {
    const { metadata } = await catalog.loadTable(identifier)
    const snapshot = newSnapshot(metadata.lastSequenceNumber + 1n, metadata.currentSnapshotId)
    try {
      const snapshotId = metadata.currentSnapshotId
      await catalog.commitTable(identifier, {
        requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId }],
        updates: appendUpdates(snapshot),
      })
      return snapshot.snapshotId
    } catch (error) {
      expect(error).toMatchObject({ code: 'commit-conflict' })
    }
  }
}

const kinds = [
  { name: 'SQLite catalog', open: openSql },
  { name: 'REST client and server', open: () => openRest() },
  { name: 'REST client and server with a prefix', open: () => openRest('lake-1') },
]

describe.each(kinds)('namespaces of the $name', ({ open }) => {
  it('lists one level at a time', async () => {
    const catalog = await open()
    await catalog.createNamespace(['a'])
    await catalog.createNamespace(['a', 'b'])
    await catalog.createNamespace(['a', 'b', 'c'])
    await catalog.createNamespace(['z'])
    expect(await catalog.listNamespaces()).toEqual([['a'], ['z']])
    expect(await catalog.listNamespaces(['a'])).toEqual([['a', 'b']])
    expect(await catalog.listNamespaces(['z'])).toEqual([])
    await expect(catalog.listNamespaces(['nope'])).rejects.toMatchObject({ code: 'not-found' })
  })

  it('names the folder of a namespace: below the warehouse, or where the nearest one with a location says', async () => {
    const catalog = await open()
    await catalog.createNamespace(['a'])
    await catalog.createNamespace(['a', 'b.é'])
    expect(await catalog.loadNamespace(['a', 'b.é'])).toEqual({ location: 'memory://lake/warehouse/a/b._' })
    await catalog.updateNamespace(['a'], { updates: { location: 'memory://lake/else' }, removals: [] })
    expect(await catalog.loadNamespace(['a'])).toEqual({ location: 'memory://lake/else' })
    expect(await catalog.loadNamespace(['a', 'b.é'])).toEqual({ location: 'memory://lake/else/b._' })
    const { metadata } = await catalog.createTable({ namespace: ['a', 'b.é'], name: 't' }, { schema })
    expect(metadata.location).toMatch(/^memory:\/\/lake\/else\/b\._\/t-/)
  })

  it('keeps properties through sets and removals', async () => {
    const catalog = await open()
    await catalog.createNamespace(['a'], { owner: 'ann', colour: 'blue' })
    await catalog.updateNamespace(['a'], {
      updates: { owner: 'bob', size: 'xl' },
      removals: ['colour', 'absent'],
    })
    expect(await catalog.loadNamespace(['a'])).toEqual({
      location: 'memory://lake/warehouse/a',
      owner: 'bob',
      size: 'xl',
    })
    const change = catalog.updateNamespace(['nope'], { updates: { a: '1' }, removals: [] })
    await expect(change).rejects.toMatchObject({ code: 'not-found' })
  })

  it('refuses a second namespace of a name, and a child without its parent', async () => {
    const catalog = await open()
    await catalog.createNamespace(['a'])
    await expect(catalog.createNamespace(['a'])).rejects.toMatchObject({ code: 'already-exists' })
    await expect(catalog.createNamespace(['x', 'y'])).rejects.toMatchObject({ code: 'not-found' })
  })

  it('drops only what is empty', async () => {
    const catalog = await open()
    await catalog.createNamespace(['shop'])
    await catalog.createNamespace(['shop', 'eu'])
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'invalid-input' })
    await catalog.dropNamespace(['shop', 'eu'])
    await catalog.createTable(orders, { schema })
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'invalid-input' })
    await catalog.dropTable(orders)
    await catalog.dropNamespace(['shop'])
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listNamespaces()).toEqual([])
  })

  it.each([
    'dots.in.it',
    'sla/sh',
    'per%cent',
    '%2F',
    'plus+ and space',
    'Käse',
    '表',
    '😀',
    'tables',
    'namespaces',
    'q\'"\\',
  ])('takes %j as a name of a namespace and of a table', async (name) => {
    const catalog = await open()
    await catalog.createNamespace([name])
    await catalog.createNamespace([name, name], { it: name })
    const identifier = { namespace: [name, name], name }
    await catalog.createTable(identifier, { schema })
    expect(await catalog.listNamespaces([name])).toEqual([[name, name]])
    expect(await catalog.loadNamespace([name, name])).toMatchObject({ it: name })
    expect(await catalog.listTables([name, name])).toEqual([identifier])
    expect((await catalog.loadTable(identifier)).identifier).toEqual(identifier)
  })

  it.each(['', 'nul\0', 'unit\u001Fseparator', '.', '..', 'lone \uD800'])(
    'refuses %j as a name',
    async (name) => {
      const catalog = await open()
      await catalog.createNamespace(['shop'])
      await expect(catalog.createNamespace([name])).rejects.toMatchObject({ code: 'invalid-input' })
      const table = catalog.createTable({ namespace: ['shop'], name }, { schema })
      await expect(table).rejects.toMatchObject({ code: 'invalid-input' })
    },
  )
})

describe.each(kinds)('tables of the $name', ({ open }) => {
  let catalog: Catalog

  beforeEach(async () => {
    catalog = await open()
    await catalog.createNamespace(['shop'])
  })

  it('creates with fresh ids, below the warehouse, and loads the same again', async () => {
    const created = await catalog.createTable(orders, {
      schema,
      partitionSpec: {
        specId: 5,
        fields: [{ sourceIds: [20], fieldId: 7, name: 'day_month', transform: { kind: 'month' } }],
      },
      properties: { 'write.format.default': 'parquet', 'format-version': '2' },
    })
    const { metadata, metadataLocation } = created
    expect(metadata.schemas[0]?.fields.map(({ id }) => id)).toEqual([1, 2])
    expect(metadata.partitionSpecs[0]).toMatchObject({
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000 }],
    })
    expect(metadata.properties).toEqual({ 'write.format.default': 'parquet' })
    expect(metadata.location).toMatch(/^memory:\/\/lake\/warehouse\/shop\/orders-[0-9a-f]{8}$/)
    expect(metadataLocation).toMatch(/\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/)
    expect(await catalog.loadTable(orders)).toEqual(created)
  })

  it('gives a table that is made again another folder', async () => {
    const first = await catalog.createTable(orders, { schema })
    await catalog.dropTable(orders)
    const second = await catalog.createTable(orders, { schema })
    expect(second.metadata.location).not.toBe(first.metadata.location)
    expect(second.metadata.tableUuid).not.toBe(first.metadata.tableUuid)
  })

  it('honours the location of the nearest namespace that has one, and the one of the table', async () => {
    await catalog.createNamespace(['eu'], { location: 'memory://lake/europe/' })
    await catalog.createNamespace(['eu', 'north'])
    const near = await catalog.createTable({ namespace: ['eu', 'north'], name: 't' }, { schema })
    expect(near.metadata.location).toMatch(/^memory:\/\/lake\/europe\/north\/t-[0-9a-f]{8}$/)
    const own = await catalog.createTable(orders, { schema, location: 'memory://lake/own/place/' })
    expect(own.metadata.location).toBe('memory://lake/own/place')
  })

  it('tells a missing table, a missing namespace and a taken name apart', async () => {
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.listTables(['nope'])).rejects.toMatchObject({ code: 'not-found' })
    const elsewhere = catalog.createTable({ namespace: ['nope'], name: 't' }, { schema })
    await expect(elsewhere).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.createTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    await expect(catalog.stageTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
  })

  it('commits snapshots with ids beyond 2^53 and keeps the history', async () => {
    await catalog.createTable(orders, { schema })
    const first = await append(catalog, orders)
    const second = await append(catalog, orders)
    const { metadata, metadataLocation } = await catalog.loadTable(orders)
    expect(metadata.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([first, second])
    expect(metadata.currentSnapshotId).toBe(second)
    expect(metadata.metadataLog).toHaveLength(2)
    expect(metadataLocation).toMatch(/\/metadata\/00002-/)
  })

  it('refuses a commit whose requirement fails, and leaves no file of it', async () => {
    await catalog.createTable(orders, { schema })
    await append(catalog, orders)
    const before = await Array.fromAsync(store.list('memory://lake/'))
    const stale = catalog.commitTable(orders, {
      requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined }],
      updates: appendUpdates(newSnapshot(2n)),
    })
    await expect(stale).rejects.toMatchObject({ code: 'commit-conflict' })
    expect(await Array.fromAsync(store.list('memory://lake/'))).toEqual(before)
  })

  it('writes nothing for a commit that changes nothing', async () => {
    const created = await catalog.createTable(orders, { schema, properties: { a: '1' } })
    const updates: TableUpdate[] = [{ action: 'set-properties', updates: { a: '1' } }]
    const committed = await catalog.commitTable(orders, { requirements: [], updates })
    expect(committed.metadataLocation).toBe(created.metadataLocation)
  })

  it('shows a staged table only after its commit', async () => {
    const staged = await catalog.stageTable(orders, { schema, properties: { a: '1' } })
    expect(staged.metadataLocation).toBeUndefined()
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listTables(['shop'])).toEqual([])
    const snapshot = newSnapshot(1n)
    await catalog.commitTable(orders, stagedCommit(staged.metadata, snapshot))
    const { metadata } = await catalog.loadTable(orders)
    expect(metadata.tableUuid).toBe(staged.metadata.tableUuid)
    expect(metadata.location).toBe(staged.metadata.location)
    expect(metadata.currentSnapshotId).toBe(snapshot.snapshotId)
    expect(metadata).toMatchObject({
      currentSchemaId: 0,
      defaultSpecId: 0,
      defaultSortOrderId: 0,
      properties: { a: '1' },
    })
    const again = catalog.commitTable(orders, stagedCommit(staged.metadata, newSnapshot(1n)))
    await expect(again).rejects.toMatchObject({ code: 'commit-conflict' })
  })

  it('refuses a commit to a table that was dropped meanwhile', async () => {
    const { metadata } = await catalog.createTable(orders, { schema })
    await catalog.dropTable(orders)
    const late = catalog.commitTable(orders, {
      requirements: [{ type: 'assert-table-uuid', uuid: metadata.tableUuid }],
      updates: appendUpdates(newSnapshot(1n)),
    })
    await expect(late).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    const wrongTable = catalog.commitTable(orders, {
      requirements: [{ type: 'assert-table-uuid', uuid: metadata.tableUuid }],
      updates: appendUpdates(newSnapshot(1n)),
    })
    await expect(wrongTable).rejects.toMatchObject({ code: 'commit-conflict' })
  })

  it('renames across namespaces, and never onto another table', async () => {
    await catalog.createNamespace(['archive'])
    const { metadata } = await catalog.createTable(orders, { schema })
    const target = { namespace: ['archive'], name: 'orders-2023' }
    await catalog.renameTable(orders, target)
    expect((await catalog.loadTable(target)).metadata.tableUuid).toBe(metadata.tableUuid)
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.renameTable(orders, target)).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.renameTable(orders, target)).rejects.toMatchObject({ code: 'already-exists' })
    const nowhere = catalog.renameTable(orders, { namespace: ['nope'], name: 'x' })
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' })
  })

  it('registers a metadata file, once', async () => {
    const { metadataLocation, metadata } = await catalog.createTable(orders, { schema })
    const location = String(metadataLocation)
    const copy = { namespace: ['shop'], name: 'copy' }
    await expect(catalog.registerTable(copy, location)).rejects.toMatchObject({ code: 'already-exists' })
    await catalog.dropTable(orders)
    const registered = await catalog.registerTable(copy, location)
    expect(registered).toMatchObject({
      metadataLocation: location,
      metadata: { tableUuid: metadata.tableUuid },
    })
    const absent = catalog.registerTable(orders, 'memory://lake/none.metadata.json')
    await expect(absent).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('keeps the files of a dropped table unless it is purged', async () => {
    await catalog.createTable(orders, { schema })
    await catalog.dropTable(orders)
    expect(await Array.fromAsync(store.list('memory://lake/'))).toHaveLength(1)
    await expect(catalog.dropTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await catalog.commitTable(orders, {
      requirements: [],
      updates: [{ action: 'set-properties', updates: { a: '1' } }],
    })
    await catalog.dropTable(orders, { purge: true })
    expect(await Array.fromAsync(store.list('memory://lake/'))).toHaveLength(1)
  })

  it('refuses an update that would break the table', async () => {
    await catalog.createTable(orders, { schema })
    const updates: TableUpdate[] = [{ action: 'set-current-schema', schemaId: 7 }]
    const commit = catalog.commitTable(orders, { requirements: [], updates })
    await expect(commit).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('keeps every acknowledged commit of racing writers, exactly once', async () => {
    await catalog.createTable(orders, { schema })
    const acknowledged = await Promise.all(Array.from({ length: 24 }, () => append(catalog, orders)))
    const { metadata } = await catalog.loadTable(orders)
    const history = metadata.snapshots.map(({ snapshotId }) => snapshotId)
    expect(new Set(history).size).toBe(history.length)
    expect(new Set(history)).toEqual(new Set(acknowledged))
    metadata.snapshots.forEach(({ parentSnapshotId }, at) => expect(parentSnapshotId).toBe(history[at - 1]))
  })

  it('applies racing commits whose requirements still hold', async () => {
    await catalog.createTable(orders, { schema })
    const keys = Array.from({ length: 16 }, (_, at) => `key-${at}`)
    await Promise.all(
      keys.map((key) =>
        catalog.commitTable(orders, {
          requirements: [{ type: 'assert-current-schema-id', currentSchemaId: 0 }],
          updates: [{ action: 'set-properties', updates: { [key]: 'set' } }],
        }),
      ),
    )
    const { metadata } = await catalog.loadTable(orders)
    expect(Object.keys(metadata.properties).toSorted()).toEqual(keys.toSorted())
    expect(metadata.metadataLog).toHaveLength(keys.length)
  })

  it('lets one of several racing creators win, and leaves no file of the others', async () => {
    const racing = Array.from({ length: 8 }, () => catalog.createTable(orders, { schema }))
    const outcomes = await Promise.allSettled(racing)
    const won = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'already-exists' })
    }
    expect(await Array.fromAsync(store.list('memory://lake/'))).toHaveLength(1)
  })
})

function stagedCommit(
  metadata: Awaited<ReturnType<Catalog['stageTable']>>['metadata'],
  snapshot: Snapshot,
): Parameters<Catalog['commitTable']>[1] {
  const [stagedSchema] = metadata.schemas
  const [spec] = metadata.partitionSpecs
  const [sortOrder] = metadata.sortOrders
  if (stagedSchema === undefined || spec === undefined || sortOrder === undefined)
    throw new Error('incomplete')
  return {
    requirements: [{ type: 'assert-create' }],
    updates: [
      { action: 'assign-uuid', uuid: metadata.tableUuid },
      { action: 'upgrade-format-version', formatVersion: 2 },
      { action: 'add-schema', schema: stagedSchema },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-sort-order', sortOrder },
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-location', location: metadata.location },
      { action: 'set-properties', updates: metadata.properties },
      ...appendUpdates(snapshot),
    ],
  }
}
