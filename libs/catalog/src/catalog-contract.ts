import { describe, expect, it } from 'vitest'
import type { Schema, Snapshot, TableMetadata, TableUpdate } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import type { Catalog, TableIdentifier } from './catalog.ts'

/** An empty catalog, and where its tables go: a location without a slash at its end. */
export type CatalogSubject = {
  readonly catalog: Catalog
  readonly store: ObjectStore
  readonly base: string
}

/** What catalogs of the world do differently; what is not said here, each of them must do. */
export type CatalogTraits = {
  /** Namespaces have levels. */
  readonly nested: boolean
  /** A namespace needs its parent, and a list of what is below a missing one fails. */
  readonly checksParents: boolean
  /** Names that are out of the ordinary and taken, and legal names that are refused nevertheless. */
  readonly names: readonly string[]
  readonly refusedNames: readonly string[]
  /** A table that is made again gets a folder of its own: its name ends in eight hex digits of the table's uuid. */
  readonly uniqueFolders: boolean
  /** Tables go below the `location` of their namespace. */
  readonly namespaceLocations: boolean
  /** The first metadata file is of version 0. */
  readonly countsFromZero: boolean
  /** A commit that was overtaken is applied on top of the other while its requirements hold. */
  readonly retriesCommits: boolean
  /** A commit that changes nothing leaves the metadata file as it is. */
  readonly skipsEmptyCommits: boolean
  /** A uuid has one name at most. */
  readonly uniqueUuids: boolean
  /** A commit that fails leaves no metadata file behind. */
  readonly cleansUp: boolean
  /** That there is no file to register is said as `invalid-input`. */
  readonly checksRegistered: boolean
}

export const everyTrait: CatalogTraits = {
  nested: true,
  checksParents: true,
  names: [
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
  ],
  refusedNames: [],
  uniqueFolders: true,
  namespaceLocations: true,
  countsFromZero: true,
  retriesCommits: true,
  skipsEmptyCommits: true,
  uniqueUuids: true,
  cleansUp: true,
  checksRegistered: true,
}

type Subject = () => Promise<CatalogSubject>
type Part = (subject: Subject, traits: CatalogTraits) => void

/** What every catalog must do, run as tests. `subject` is called once per test. */
export function describeCatalog(name: string, subject: Subject, traits: CatalogTraits = everyTrait): void {
  describe(`namespaces of the ${name}`, () => {
    for (const part of [namespacesKeepProperties, namespacesHaveLevels, namesAreTaken]) part(subject, traits)
  })
  const withShop: Subject = async () => {
    const fresh = await subject()
    await fresh.catalog.createNamespace(['shop'])
    return fresh
  }
  describe(`tables of the ${name}`, () => {
    const parts: readonly Part[] = [
      tablesAreMade,
      tablesAreCommittedTo,
      tablesAreStaged,
      tablesAreRenamed,
      tablesAreRegistered,
      tablesAreDropped,
      racesAreFair,
    ]
    for (const part of parts) part(withShop, traits)
  })
}

const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 10, name: 'id', type: { kind: 'long' }, required: true },
    { id: 20, name: 'day', type: { kind: 'date' }, required: false },
  ],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }

function namespacesKeepProperties(subject: Subject): void {
  it('keeps properties through sets and removals', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['a'], { owner: 'ann', colour: 'blue' })
    const change = { updates: { owner: 'bob', size: 'xl' }, removals: ['colour', 'absent'] }
    const { updated, removed, missing } = await catalog.updateNamespace(['a'], change)
    expect([updated.toSorted(), removed, missing]).toEqual([['owner', 'size'], ['colour'], ['absent']])
    const properties = await catalog.loadNamespace(['a'])
    expect(properties).toMatchObject({ owner: 'bob', size: 'xl' })
    expect(properties['colour']).toBeUndefined()
    const nowhere = catalog.updateNamespace(['nope'], { updates: { a: '1' }, removals: [] })
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' })
  })

  it('refuses a second namespace of a name', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['a'])
    await expect(catalog.createNamespace(['a'])).rejects.toMatchObject({ code: 'already-exists' })
    expect(await catalog.listNamespaces()).toEqual([['a']])
  })

  it('drops only what is empty', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['shop'])
    await catalog.createTable(orders, { schema })
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'invalid-input' })
    await catalog.dropTable(orders)
    await catalog.dropNamespace(['shop'])
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listNamespaces()).toEqual([])
  })
}

function namespacesHaveLevels(subject: Subject, { nested, checksParents }: CatalogTraits): void {
  if (nested)
    it('lists one level at a time', async () => {
      const { catalog } = await subject()
      for (const namespace of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['z']])
        await catalog.createNamespace(namespace)
      expect(await catalog.listNamespaces()).toEqual([['a'], ['z']])
      expect(await catalog.listNamespaces(['a'])).toEqual([['a', 'b']])
      expect(await catalog.listNamespaces(['z'])).toEqual([])
      await expect(catalog.listNamespaces(['nope'])).rejects.toMatchObject({ code: 'not-found' })
    })

  if (nested && checksParents)
    it('wants the parent of a namespace to be there, and empty to go', async () => {
      const { catalog } = await subject()
      await expect(catalog.createNamespace(['x', 'y'])).rejects.toMatchObject({ code: 'not-found' })
      await catalog.createNamespace(['x'])
      await catalog.createNamespace(['x', 'y'])
      await expect(catalog.dropNamespace(['x'])).rejects.toMatchObject({ code: 'invalid-input' })
    })

  if (!nested)
    it('says that it has no nested namespaces', async () => {
      const { catalog } = await subject()
      await catalog.createNamespace(['a'])
      await expect(catalog.createNamespace(['a', 'b'])).rejects.toMatchObject({ code: 'unsupported' })
      expect(await catalog.listNamespaces(['a'])).toEqual([])
      await expect(catalog.loadNamespace(['a', 'b'])).rejects.toMatchObject({ code: 'not-found' })
      const below = { namespace: ['a', 'b'], name: 't' }
      await expect(catalog.loadTable(below)).rejects.toMatchObject({ code: 'not-found' })
    })
}

function namesAreTaken(subject: Subject, { names, refusedNames }: CatalogTraits): void {
  for (const name of names) {
    it(`takes ${JSON.stringify(name)} as a name of a namespace and of a table`, async () => {
      const { catalog } = await subject()
      await catalog.createNamespace([name])
      await catalog.createNamespace([name, name], { it: name })
      const identifier = { namespace: [name, name], name }
      await catalog.createTable(identifier, { schema })
      expect(await catalog.listNamespaces([name])).toEqual([[name, name]])
      expect(await catalog.loadNamespace([name, name])).toMatchObject({ it: name })
      expect(await catalog.listTables([name, name])).toEqual([identifier])
      expect((await catalog.loadTable(identifier)).identifier).toEqual(identifier)
    })
  }

  for (const name of refusedNames) {
    it(`refuses ${JSON.stringify(name)} as a new name`, async () => {
      const { catalog } = await subject()
      await catalog.createNamespace(['shop'])
      await expect(catalog.createNamespace([name])).rejects.toMatchObject({ code: 'invalid-input' })
      const table = catalog.createTable({ namespace: ['shop'], name }, { schema })
      await expect(table).rejects.toMatchObject({ code: 'invalid-input' })
    })
  }

  it.each(['', 'nul\0', 'unit\u001Fseparator', '.', '..', 'lone \uD800'])(
    'refuses %j as a name',
    async (name) => {
      const { catalog } = await subject()
      await catalog.createNamespace(['shop'])
      await expect(catalog.createNamespace([name])).rejects.toMatchObject({ code: 'invalid-input' })
      const table = catalog.createTable({ namespace: ['shop'], name }, { schema })
      await expect(table).rejects.toMatchObject({ code: 'invalid-input' })
    },
  )
}

function tablesAreMade(subject: Subject, traits: CatalogTraits): void {
  const { uniqueFolders, namespaceLocations, countsFromZero, nested } = traits
  it('creates with fresh ids, below the warehouse, and loads the same again', async () => {
    const { catalog, base } = await subject()
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
    expect(metadata.properties).toMatchObject({ 'write.format.default': 'parquet' })
    expect(metadata.properties['format-version']).toBeUndefined()
    expect(metadata.location.startsWith(`${base}/`)).toBe(true)
    if (uniqueFolders) expect(metadata.location).toMatch(/\/shop\/orders-[0-9a-f]{8}$/)
    expect(metadataLocation).toMatch(/\/metadata\/\d{5}-[0-9a-f-]{36}\.metadata\.json$/)
    if (countsFromZero) expect(metadataLocation).toContain('/metadata/00000-')
    expect((await catalog.loadTable(orders)).metadata).toEqual(metadata)
  })

  if (uniqueFolders)
    it('gives a table that is made again another folder', async () => {
      const { catalog } = await subject()
      const first = await catalog.createTable(orders, { schema })
      await catalog.dropTable(orders)
      const second = await catalog.createTable(orders, { schema })
      expect(second.metadata.location).not.toBe(first.metadata.location)
      expect(second.metadata.tableUuid).not.toBe(first.metadata.tableUuid)
    })

  if (namespaceLocations)
    it('honours the locations of namespace and table', async () => {
      const { catalog, base } = await subject()
      await catalog.createNamespace(['eu'], { location: `${base}/europe/` })
      if (nested) await catalog.createNamespace(['eu', 'north'])
      const namespace = nested ? ['eu', 'north'] : ['eu']
      const near = await catalog.createTable({ namespace, name: 't' }, { schema })
      const folder = [base, 'europe', ...namespace.slice(1), 't-'].join('/')
      expect(near.metadata.location.startsWith(folder)).toBe(true)
      const own = await catalog.createTable(orders, { schema, location: `${base}/own/place/` })
      expect(own.metadata.location).toBe(`${base}/own/place`)
    })

  it('tells a missing table, a missing namespace and a taken name apart', async () => {
    const { catalog } = await subject()
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.listTables(['nope'])).rejects.toMatchObject({ code: 'not-found' })
    const elsewhere = catalog.createTable({ namespace: ['nope'], name: 't' }, { schema })
    await expect(elsewhere).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.createTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    await expect(catalog.stageTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    expect(await catalog.listTables(['shop'])).toEqual([orders])
  })
}

function tablesAreCommittedTo(subject: Subject, traits: CatalogTraits): void {
  const { skipsEmptyCommits, cleansUp } = traits
  it('commits snapshots with ids beyond 2^53 and keeps the history', async () => {
    const at = await subject()
    await at.catalog.createTable(orders, { schema })
    const [first, second] = [await append(at), await append(at)]
    const { metadata, metadataLocation } = await at.catalog.loadTable(orders)
    expect(metadata.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([first, second])
    expect(metadata.currentSnapshotId).toBe(second)
    expect(metadata.metadataLog).toHaveLength(2)
    expect(metadataLocation).toMatch(/\/metadata\/00002-/)
  })

  it('commits on what a load of the referenced snapshots alone has brought', async () => {
    const at = await subject()
    await at.catalog.createTable(orders, { schema })
    const history = [await append(at), await append(at, 'refs'), await append(at, 'refs')]
    const { metadata } = await at.catalog.loadTable(orders)
    expect(metadata.snapshots.map(({ snapshotId }) => snapshotId)).toEqual(history)
    expect(metadata.snapshots.map(({ parentSnapshotId }) => parentSnapshotId)).toEqual([
      undefined,
      ...history.slice(0, -1),
    ])
    const { metadata: current } = await at.catalog.loadTable(orders, { snapshots: 'refs' })
    expect(current.currentSnapshotId).toBe(history.at(-1))
  })

  it('refuses a commit whose requirement fails, and leaves no file of it', async () => {
    const at = await subject()
    await at.catalog.createTable(orders, { schema })
    await append(at)
    const before = await filesOf(at)
    const { metadata } = await at.catalog.loadTable(orders)
    const stale = at.catalog.commitTable(orders, {
      requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined }],
      updates: appendUpdates(newSnapshot(at.base, metadata)),
    })
    await expect(stale).rejects.toMatchObject({ code: 'commit-conflict' })
    if (cleansUp) expect(await filesOf(at)).toEqual(before)
  })

  if (skipsEmptyCommits)
    it('writes nothing for a commit that changes nothing', async () => {
      const { catalog } = await subject()
      const created = await catalog.createTable(orders, { schema, properties: { a: '1' } })
      const updates: TableUpdate[] = [{ action: 'set-properties', updates: { a: '1' } }]
      const committed = await catalog.commitTable(orders, { requirements: [], updates })
      expect(committed.metadataLocation).toBe(created.metadataLocation)
    })

  it('refuses an update that would break the table', async () => {
    const { catalog } = await subject()
    await catalog.createTable(orders, { schema })
    const updates: TableUpdate[] = [{ action: 'set-current-schema', schemaId: 7 }]
    const commit = catalog.commitTable(orders, { requirements: [], updates })
    await expect(commit).rejects.toMatchObject({ code: 'invalid-input' })
  })
}

function tablesAreStaged(subject: Subject): void {
  it('shows a staged table only after its commit', async () => {
    const { catalog, base } = await subject()
    const staged = await catalog.stageTable(orders, { schema, properties: { a: '1' } })
    expect(staged.metadataLocation).toBeUndefined()
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listTables(['shop'])).toEqual([])
    const snapshot = newSnapshot(base, staged.metadata)
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
    const again = catalog.commitTable(orders, stagedCommit(staged.metadata, newSnapshot(base, metadata)))
    await expect(again).rejects.toMatchObject({ code: 'commit-conflict' })
  })

  it('refuses a commit to a table that was dropped meanwhile', async () => {
    const { catalog, base } = await subject()
    const { metadata } = await catalog.createTable(orders, { schema })
    const commit = {
      requirements: [{ type: 'assert-table-uuid', uuid: metadata.tableUuid }],
      updates: appendUpdates(newSnapshot(base, metadata)),
    } as const
    await catalog.dropTable(orders)
    await expect(catalog.commitTable(orders, commit)).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.commitTable(orders, commit)).rejects.toMatchObject({ code: 'commit-conflict' })
  })
}

function tablesAreRenamed(subject: Subject): void {
  it('renames across namespaces, and never onto another table', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['archive'])
    const { metadata } = await catalog.createTable(orders, { schema })
    const target = { namespace: ['archive'], name: 'orders_2023' }
    await catalog.renameTable(orders, target)
    expect((await catalog.loadTable(target)).metadata.tableUuid).toBe(metadata.tableUuid)
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.renameTable(orders, target)).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.renameTable(orders, target)).rejects.toMatchObject({ code: 'already-exists' })
    expect((await catalog.loadTable(target)).metadata.tableUuid).toBe(metadata.tableUuid)
    const nowhere = catalog.renameTable(orders, { namespace: ['nope'], name: 'x' })
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listTables(['shop'])).toEqual([orders])
  })
}

function tablesAreRegistered(subject: Subject, { uniqueUuids, checksRegistered }: CatalogTraits): void {
  it('registers a metadata file, once', async () => {
    const { catalog, base } = await subject()
    const { metadataLocation, metadata } = await catalog.createTable(orders, { schema })
    const location = String(metadataLocation)
    const copy = { namespace: ['shop'], name: 'copy' }
    const early = catalog.registerTable(uniqueUuids ? copy : orders, location)
    await expect(early).rejects.toMatchObject({ code: 'already-exists' })
    await catalog.dropTable(orders)
    const registered = await catalog.registerTable(copy, location)
    expect(registered).toMatchObject({
      metadataLocation: location,
      metadata: { tableUuid: metadata.tableUuid },
    })
    const absent = catalog.registerTable(orders, `${base}/none.metadata.json`)
    await expect(absent).rejects.toMatchObject(checksRegistered ? { code: 'invalid-input' } : {})
  })
}

function tablesAreDropped(subject: Subject): void {
  it('keeps the files of a dropped table unless it is purged', async () => {
    const at = await subject()
    const { catalog } = at
    await catalog.createTable(orders, { schema })
    await catalog.dropTable(orders)
    const kept = await filesOf(at)
    expect(kept).toHaveLength(1)
    await expect(catalog.dropTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    const other = { namespace: ['shop'], name: 'other' }
    await catalog.createTable(other, { schema })
    const updates: TableUpdate[] = [{ action: 'set-properties', updates: { a: '1' } }]
    await catalog.commitTable(other, { requirements: [], updates })
    await catalog.dropTable(other, { purge: true })
    expect(await filesOf(at)).toEqual(kept)
  })
}

function racesAreFair(subject: Subject, { retriesCommits, cleansUp }: CatalogTraits): void {
  it('keeps every acknowledged commit of racing writers, exactly once', async () => {
    const at = await subject()
    await at.catalog.createTable(orders, { schema })
    const acknowledged = await Promise.all(Array.from({ length: 12 }, () => append(at)))
    const { metadata } = await at.catalog.loadTable(orders)
    const history = metadata.snapshots.map(({ snapshotId }) => snapshotId)
    expect(new Set(history).size).toBe(history.length)
    expect(new Set(history)).toEqual(new Set(acknowledged))
    metadata.snapshots.forEach(({ parentSnapshotId }, index) =>
      expect(parentSnapshotId).toBe(history[index - 1]),
    )
  })

  if (retriesCommits)
    it('applies racing commits whose requirements still hold', async () => {
      const { catalog } = await subject()
      await catalog.createTable(orders, { schema })
      const keys = Array.from({ length: 8 }, (_, at) => `key-${at}`)
      await Promise.all(
        keys.map((key) =>
          catalog.commitTable(orders, {
            requirements: [{ type: 'assert-current-schema-id', currentSchemaId: 0 }],
            updates: [{ action: 'set-properties', updates: { [key]: 'set' } }],
          }),
        ),
      )
      const { metadata } = await catalog.loadTable(orders)
      expect(Object.keys(metadata.properties)).toEqual(expect.arrayContaining(keys))
      expect(metadata.metadataLog).toHaveLength(keys.length)
    })

  it('lets one of several racing creators win, and leaves no file of the others', async () => {
    const at = await subject()
    const racing = Array.from({ length: 8 }, () => at.catalog.createTable(orders, { schema }))
    const outcomes = await Promise.allSettled(racing)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'already-exists' })
    }
    if (cleansUp) expect(await filesOf(at)).toHaveLength(1)
  })
}

async function filesOf({ store, base }: CatalogSubject): Promise<readonly string[]> {
  const found = await Array.fromAsync(store.list(`${base}/`))
  // Hadoop's file system leaves checksums beside what it writes.
  const locations = found.map(({ location }) => location).filter((location) => !location.endsWith('.crc'))
  return locations.toSorted()
}

type Head = Pick<TableMetadata, 'lastUpdatedMs' | 'lastSequenceNumber'>

let snapshotIds = 0n

function newSnapshot(base: string, { lastUpdatedMs, lastSequenceNumber }: Head, parent?: bigint): Snapshot {
  // Beyond 2^53, where a JSON number would lose its last digits.
  const snapshotId = 9_007_199_254_740_993n + 2n * snapshotIds++
  return {
    snapshotId,
    sequenceNumber: lastSequenceNumber + 1n,
    timestampMs: lastUpdatedMs,
    manifestList: `${base}/snap-${snapshotId}.avro`,
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
async function append({ catalog, base }: CatalogSubject, snapshots: 'all' | 'refs' = 'all'): Promise<bigint> {
  for (;;) {
    const { metadata } = await catalog.loadTable(orders, { snapshots })
    const snapshotId = metadata.currentSnapshotId
    const snapshot = newSnapshot(base, metadata, snapshotId)
    try {
      await catalog.commitTable(orders, {
        requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId }],
        updates: appendUpdates(snapshot),
      })
      return snapshot.snapshotId
    } catch (error) {
      expect(error).toMatchObject({ code: 'commit-conflict' })
    }
  }
}

function stagedCommit(metadata: TableMetadata, snapshot: Snapshot): Parameters<Catalog['commitTable']>[1] {
  const [stagedSchema] = metadata.schemas
  const [spec] = metadata.partitionSpecs
  const [sortOrder] = metadata.sortOrders
  if (stagedSchema === undefined || spec === undefined || sortOrder === undefined)
    throw new TypeError('the staged table has no schema, spec or sort order')
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
