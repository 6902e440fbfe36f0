import { expect, it } from 'vitest'
import type { TableUpdate } from '@floe/iceberg'
import {
  append,
  appendUpdates,
  filesOf,
  newSnapshot,
  orders,
  schema,
  stagedCommit,
} from './contract-subject.ts'
import type { CatalogTraits, Subject } from './contract-subject.ts'

export function tablesAreCommittedTo(subject: Subject, traits: CatalogTraits): void {
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

export function tablesAreStaged(subject: Subject): void {
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

export function racesAreFair(subject: Subject, { retriesCommits, cleansUp }: CatalogTraits): void {
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
