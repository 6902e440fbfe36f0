import { FloeError } from '@floe/iceberg'
import type { DataFile, ErrorCode, ManifestEntry, TableMetadata, TableUpdate } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitSnapshot } from './commit-snapshot.ts'
import type { CommitComponents, CommitTarget, CommittedSnapshot, SnapshotCommit } from './snapshot-commit.ts'
import { dataFile, openLake, orders, ordersSchema } from './testing/open-lake.ts'
import type { Lake } from './testing/open-lake.ts'

let lake: Lake
beforeEach(async () => {
  lake = await openLake()
})
afterEach(() => lake[Symbol.asyncDispose]())

async function commit(
  kind: 'append' | 'replace-all',
  dataFiles: readonly DataFile[],
  changes: {
    readonly commit?: Partial<SnapshotCommit>
    readonly components?: Partial<CommitComponents>
  } = {},
): Promise<CommittedSnapshot> {
  const base = changes.commit?.base ?? (await lake.loadOrders())
  const token = `token of ${dataFiles.map(({ filePath }) => filePath).join(', ')}`
  const request = {
    table: 'shop.orders',
    base,
    target: base.metadata,
    updates: [],
    token,
    change: { kind, dataFiles },
  }
  return commitSnapshot({ ...request, ...changes.commit }, lake.components(changes.components))
}

async function currentFiles(): Promise<readonly string[]> {
  const { metadata } = await lake.loadOrders()
  const snapshot = metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)
  const entries: ManifestEntry[] = []
  for (const manifest of await lake.manifestsOf(snapshot)) entries.push(...(await lake.entriesOf(manifest)))
  return entries
    .filter(({ status }) => status !== 'deleted')
    .map((entry) => entry.dataFile.filePath.slice(13, -8))
    .toSorted()
}

/** The real catalog, where somebody or something comes before or after each commit. */
function disturbed(disturbance: { before?: () => Promise<void>; after?: () => Promise<void> }): CommitTarget {
  return {
    load: () => lake.target.load(),
    commit: async (requirements, updates) => {
      await disturbance.before?.()
      const state = await lake.target.commit(requirements, updates)
      await disturbance.after?.()
      return state
    },
  }
}

function failing(code: ErrorCode): () => Promise<void> {
  return () => Promise.reject(new FloeError(code, `injected ${code}`))
}

/** What `count` calls do, once each; further calls do nothing. */
function times(count: number, action: (call: number) => Promise<unknown>): () => Promise<void> {
  let calls = 0
  return async () => {
    calls += 1
    if (calls <= count) await action(calls)
  }
}

describe('append', () => {
  it('lists the new manifest first, keeps the old list as it was, and carries the totals on', async () => {
    await lake.createOrders()
    const first = await commit('append', [dataFile('a', 3), dataFile('b', 4)])
    const firstList = await lake.store.get(first.snapshot.manifestList ?? '')
    const second = await commit('append', [dataFile('c', 5)])

    const manifests = await lake.manifestsOf(second.snapshot)
    expect(
      manifests.map(({ addedSnapshotId, sequenceNumber, addedRowsCount }) => [
        addedSnapshotId,
        sequenceNumber,
        addedRowsCount,
      ]),
    ).toEqual([
      [2n, 2n, 5],
      [1n, 1n, 7],
    ])
    expect(manifests[1]).toEqual((await lake.manifestsOf(first.snapshot))[0])
    expect(await lake.store.get(first.snapshot.manifestList ?? '')).toEqual(firstList)
    expect(second.snapshot).toMatchObject({ parentSnapshotId: 1n, sequenceNumber: 2n, schemaId: 0 })
    expect(second.snapshot.summary).toMatchObject({
      operation: 'append',
      'added-data-files': '1',
      'added-records': '5',
      'total-data-files': '3',
      'total-records': '12',
      'total-files-size': '120',
    })
    expect(await currentFiles()).toEqual(['a', 'b', 'c'])
  })

  it('gives entries the sequence number of the commit through their manifest', async () => {
    await lake.createOrders()
    const { snapshot } = await commit('append', [dataFile('a', 3)])
    const [entry] = await lake.entriesOf((await lake.manifestsOf(snapshot))[0])
    expect(entry).toMatchObject({
      status: 'added',
      snapshotId: 1n,
      sequenceNumber: 1n,
      fileSequenceNumber: 1n,
    })
    expect(entry?.dataFile).toEqual(dataFile('a', 3))
  })

  it('makes a snapshot without manifests when there is nothing to add', async () => {
    await lake.createOrders()
    const { snapshot } = await commit('append', [])
    expect(await lake.manifestsOf(snapshot)).toEqual([])
    expect(snapshot.summary).toMatchObject({ 'total-records': '0' })
  })

  it('numbers nothing in a v1 table', async () => {
    await lake.createOrders({ properties: { 'format-version': '1' } })
    const { snapshot, state } = await commit('append', [dataFile('a', 3)])
    expect(state.metadata).toMatchObject({ formatVersion: 1, lastSequenceNumber: 0n })
    expect(snapshot.sequenceNumber).toBe(0n)
    expect(await lake.manifestsOf(snapshot)).toMatchObject([{ sequenceNumber: 0n, minSequenceNumber: 0n }])
    expect(await currentFiles()).toEqual(['a'])
  })

  it('splits manifests at their target size and puts them under write.metadata.path', async () => {
    const path = `file://${lake.folder}/warehouse/elsewhere`
    const properties = { 'commit.manifest.target-size-bytes': '960', 'write.metadata.path': path }
    await lake.createOrders({ properties })
    // An entry of two columns is taken for 320 bytes.
    const { snapshot } = await commit(
      'append',
      Array.from({ length: 7 }, (_, index) => dataFile(`f${index}`, 1)),
    )
    const manifests = await lake.manifestsOf(snapshot)
    expect(manifests.map(({ addedFilesCount }) => addedFilesCount)).toEqual([3, 3, 1])
    expect(
      [snapshot.manifestList, ...manifests.map(({ manifestPath }) => manifestPath)].every((name) =>
        name?.startsWith(`${path}/`),
      ),
    ).toBe(true)
  })
})

describe('replace-all', () => {
  it('writes what was live as deleted by this snapshot, with the sequence numbers it had', async () => {
    await lake.createOrders()
    await commit('append', [dataFile('a', 3)])
    await commit('append', [dataFile('b', 4)])
    const { snapshot } = await commit('replace-all', [dataFile('c', 5)])

    const [added, ...deleted] = await lake.manifestsOf(snapshot)
    expect(added).toMatchObject({ addedFilesCount: 1, deletedFilesCount: 0, sequenceNumber: 3n })
    expect(deleted).toHaveLength(2)
    for (const manifest of deleted) {
      expect(manifest).toMatchObject({
        deletedFilesCount: 1,
        existingFilesCount: 0,
        sequenceNumber: 3n,
        minSequenceNumber: 3n,
      })
    }
    const entries = [...(await lake.entriesOf(deleted[0])), ...(await lake.entriesOf(deleted[1]))]
    expect(
      entries.map(({ status, snapshotId, sequenceNumber, fileSequenceNumber, dataFile: { filePath } }) => [
        status,
        snapshotId,
        sequenceNumber,
        fileSequenceNumber,
        filePath,
      ]),
    ).toEqual([
      ['deleted', 3n, 2n, 2n, 'file:///data/b.parquet'],
      ['deleted', 3n, 1n, 1n, 'file:///data/a.parquet'],
    ])
    expect(snapshot.summary).toMatchObject({
      operation: 'overwrite',
      'deleted-data-files': '2',
      'deleted-records': '7',
      'total-data-files': '1',
      'total-records': '5',
    })
    expect(await currentFiles()).toEqual(['c'])
  })

  it('does not list again what an earlier snapshot has deleted', async () => {
    await lake.createOrders()
    await commit('append', [dataFile('a', 3)])
    await commit('replace-all', [dataFile('b', 4)])
    const { snapshot } = await commit('append', [dataFile('c', 5)])
    expect((await lake.manifestsOf(snapshot)).map(({ addedFilesCount }) => addedFilesCount)).toEqual([1, 1])
    expect(
      (await lake.manifestsOf((await commit('replace-all', [])).snapshot)).map(
        ({ deletedFilesCount }) => deletedFilesCount,
      ),
    ).toEqual([1, 1])
    expect(await currentFiles()).toEqual([])
  })

  it('deletes files of an older partition spec in manifests of that spec', async () => {
    const byId = {
      specId: 0,
      fields: [{ sourceIds: [1], fieldId: 1000, name: 'id', transform: { kind: 'identity' as const } }],
    }
    await lake.createOrders({ partitionSpec: byId })
    await commit('append', [dataFile('a', 3, [7n])])
    await lake.catalog.commitTable(orders, {
      requirements: [],
      updates: [
        { action: 'add-spec', spec: { specId: 1, fields: [] } },
        { action: 'set-default-spec', specId: -1 },
      ],
    })
    const { snapshot } = await commit('replace-all', [dataFile('b', 4, [], 1)])
    const manifests = await lake.manifestsOf(snapshot)
    expect(manifests.map(({ partitionSpecId }) => partitionSpecId)).toEqual([1, 0])
    expect((await lake.entriesOf(manifests[1]))[0]?.dataFile.partition).toEqual([7n])
  })
})

describe('a commit that loses the race', () => {
  const rival = (call: number): Promise<CommittedSnapshot> => commit('append', [dataFile(`rival${call}`, 1)])

  it('goes on top of the new head and keeps both', async () => {
    await lake.createOrders()
    await commit('append', [dataFile('old', 1)])
    const result = await commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ before: times(1, rival) }) },
    })
    expect(result.attempts).toBe(2)
    expect(lake.delays).toEqual([100])
    expect(await currentFiles()).toEqual(['mine', 'old', 'rival1'])
    expect(result.snapshot.summary).toMatchObject({ 'total-records': '4', 'total-data-files': '3' })
    expect((await lake.names('.avro')).filter((name) => name.startsWith('snap-'))).toHaveLength(3)
    expect(await lake.names('-m0.avro')).toHaveLength(3)
  })

  it('replaces what the winner has added, and leaves no manifest of its first attempt', async () => {
    await lake.createOrders()
    await commit('append', [dataFile('old', 1)])
    await commit('replace-all', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ before: times(1, rival) }) },
    })
    expect(await currentFiles()).toEqual(['mine'])
    // One each of old, rival and mine, and the deletes of old and rival.
    expect(await lake.names('-m0.avro')).toHaveLength(5)
  })

  it('gives up after commit.retry.num-retries, with ever longer delays, and leaves none of its files', async () => {
    await lake.createOrders({
      properties: { 'commit.retry.num-retries': '3', 'commit.retry.max-wait-ms': '250' },
    })
    await expect(
      commit('append', [dataFile('mine', 2)], {
        components: { catalog: disturbed({ before: times(9, rival) }) },
      }),
    ).rejects.toMatchObject({ code: 'commit-conflict' })
    expect(lake.delays).toEqual([100, 200, 250])
    expect(await currentFiles()).toEqual(['rival1', 'rival2', 'rival3', 'rival4'])
    expect(await lake.names('.avro')).toHaveLength(8)
  })

  const changes: readonly (readonly [string, string, readonly TableUpdate[]])[] = [
    [
      'schema',
      'another schema',
      [
        {
          action: 'add-schema',
          schema: {
            schemaId: 1,
            fields: [...ordersSchema.fields, { id: 3, name: 'x', type: { kind: 'int' }, required: false }],
          },
          lastColumnId: 3,
        },
        { action: 'set-current-schema', schemaId: -1 },
      ],
    ],
    [
      'partition spec',
      'another partition spec',
      [
        {
          action: 'add-spec',
          spec: {
            specId: 1,
            fields: [{ sourceIds: [1], fieldId: 1000, name: 'id', transform: { kind: 'identity' } }],
          },
        },
        { action: 'set-default-spec', specId: -1 },
      ],
    ],
  ]
  it.each(changes)('refuses a head with another %s', async (_, message, updates) => {
    await lake.createOrders()
    const before = times(1, () => lake.catalog.commitTable(orders, { requirements: [], updates }))
    const attempt = commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ before }) },
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'commit-conflict',
      message: expect.stringContaining(message),
      hint: expect.stringContaining('load again'),
    })
    expect(await lake.names('.avro')).toEqual([])
  })

  it('refuses a table that was dropped and made again', async () => {
    await lake.createOrders()
    const before = times(1, async () => {
      await lake.catalog.dropTable(orders)
      await lake.createOrders()
    })
    const attempt = commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ before }) },
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'commit-conflict',
      message: expect.stringContaining('dropped and made again'),
    })
    expect((await lake.loadOrders()).metadata.snapshots).toEqual([])
  })
})

describe('a staged create', () => {
  function creation(metadata: TableMetadata): readonly TableUpdate[] {
    return [
      { action: 'assign-uuid', uuid: metadata.tableUuid },
      { action: 'upgrade-format-version', formatVersion: 2 },
      { action: 'add-schema', schema: ordersSchema, lastColumnId: 2 },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec: { specId: 0, fields: [] } },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-sort-order', sortOrder: { orderId: 0, fields: [] } },
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-location', location: metadata.location },
    ]
  }

  async function createWith(catalog: CommitTarget): Promise<CommittedSnapshot> {
    const base = await lake.catalog.stageTable(orders, { schema: ordersSchema })
    const request = { base, target: base.metadata, updates: creation(base.metadata) }
    return commit('append', [dataFile('mine', 2)], { commit: request, components: { catalog } })
  }

  it('makes the table and its first snapshot in one commit', async () => {
    const { state } = await createWith(lake.target)
    expect(state.metadata.snapshots).toHaveLength(1)
    expect(state.metadata.metadataLog).toEqual([])
    expect(await currentFiles()).toEqual(['mine'])
  })

  it('says already-exists when another made the table first, and leaves no file', async () => {
    const attempt = createWith(disturbed({ before: times(1, () => lake.createOrders()) }))
    await expect(attempt).rejects.toMatchObject({
      code: 'already-exists',
      hint: expect.stringContaining('append'),
    })
    expect(await lake.names('.avro')).toEqual([])
    expect((await lake.loadOrders()).metadata.snapshots).toEqual([])
  })

  it('knows its own table when the catalog was asked twice', async () => {
    const { attempts } = await createWith(disturbed({ after: failing('already-exists') }))
    expect(attempts).toBe(1)
    expect(await currentFiles()).toEqual(['mine'])
  })
})

describe('a commit whose outcome is unknown', () => {
  it('succeeds when its token is in the table', async () => {
    await lake.createOrders()
    const result = await commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ after: failing('commit-state-unknown') }) },
    })
    expect(result).toMatchObject({ attempts: 1, snapshot: { snapshotId: 1n } })
    expect(result.state.metadata.properties['floe.commit-token']).toBe('token of file:///data/mine.parquet')
    expect(await currentFiles()).toEqual(['mine'])
  })

  it('finds its token below what others have committed since', async () => {
    await lake.createOrders()
    const after = times(1, async () => {
      await commit('append', [dataFile('later', 1)])
      await failing('commit-state-unknown')()
    })
    const result = await commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ after }) },
    })
    expect(result.snapshot.snapshotId).toBe(1n)
    expect(result.state.metadata.currentSnapshotId).toBe(2n)
  })

  it('stays unknown when the token is not found, and every file stays', async () => {
    await lake.createOrders({ properties: { 'commit.status-check.num-retries': '2' } })
    const attempt = commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ before: failing('commit-state-unknown') }) },
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'commit-state-unknown',
      retryable: false,
      hint: expect.stringContaining('token of'),
    })
    expect(lake.delays).toEqual([200, 400])
    expect(await lake.names('.avro')).toHaveLength(2)
  })

  it('stays unknown while the catalog cannot be asked', async () => {
    await lake.createOrders()
    const catalog: CommitTarget = {
      load: () => Promise.reject(new FloeError('unavailable', 'injected')),
      commit: async () => {
        await failing('commit-state-unknown')()
        throw new Error('not reached')
      },
    }
    await expect(commit('append', [dataFile('mine', 2)], { components: { catalog } })).rejects.toMatchObject({
      code: 'commit-state-unknown',
    })
    expect(await lake.names('.avro')).toHaveLength(2)
  })

  it('is no lost race when a conflict answers a commit that was sent twice', async () => {
    await lake.createOrders()
    const result = await commit('append', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ after: times(1, failing('commit-conflict')) }) },
    })
    expect(result.snapshot.snapshotId).toBe(1n)
    expect(result.state.metadata.snapshots).toHaveLength(1)
    expect(await currentFiles()).toEqual(['mine'])
  })
})

describe('a commit that is known to have failed', () => {
  it('leaves no manifest and no manifest list', async () => {
    await lake.createOrders()
    await commit('append', [dataFile('old', 1)])
    const before = await lake.names('.avro')
    const attempt = commit('replace-all', [dataFile('mine', 2)], {
      components: { catalog: disturbed({ before: failing('permission-denied') }) },
    })
    await expect(attempt).rejects.toMatchObject({ code: 'permission-denied' })
    expect(await lake.names('.avro')).toEqual(before)
  })

  it.each([
    ['the manifest list', /snap-/, 1],
    ['one of several manifests', /-m0\.avro$/, 2],
  ])('leaves no file when %s cannot be written', async (_, name, call) => {
    await lake.createOrders({ properties: { 'commit.manifest.target-size-bytes': '1' } })
    await commit('append', [dataFile('old', 1)])
    const before = await lake.names('.avro')
    let calls = 0
    const store: ObjectStore = Object.create(lake.store, {
      put: {
        value: async (location: string, bytes: Uint8Array) => {
          if (name.test(location) && (calls += 1) === call)
            throw new FloeError('resource-exhausted', 'injected: disk full')
          await lake.store.put(location, bytes)
        },
      },
      delete: { value: (locations: readonly string[]) => lake.store.delete(locations) },
      get: { value: (location: string) => lake.store.get(location) },
    })
    const attempt = commit('replace-all', [dataFile('x', 1), dataFile('y', 1), dataFile('z', 1)], {
      components: { store },
    })
    await expect(attempt).rejects.toMatchObject({ code: 'resource-exhausted' })
    expect(await lake.names('.avro')).toEqual(before)
  })
})
