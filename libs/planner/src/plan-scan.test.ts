import { describe, expect, it } from 'vitest'

import type { Expression, PartitionSpec } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'

import { ManifestCache } from './manifest-cache.ts'
import { planScan } from './plan-scan.ts'
import { manifestsInFlightMax } from './scan-source.ts'
import { dataFile, field, TestTable } from './table-fixture.ts'

const fields = [field(1, 'id', 'int'), field(2, 'part', 'string')]
const byPart: PartitionSpec = {
  specId: 0,
  fields: [{ sourceIds: [2], fieldId: 1000, name: 'part', transform: { kind: 'identity' } }],
}
const compare = (name: string, operator: 'eq' | 'gt', value: number | string): Expression => ({
  kind: 'literal',
  operator,
  reference: { kind: 'name', name },
  value,
})
const both = (left: Expression, right: Expression): Expression => ({ kind: 'and', left, right })
const names = ({
  tasks,
}: {
  readonly tasks: readonly { readonly dataFile: { readonly filePath: string } }[]
}): readonly string[] => tasks.map(({ dataFile }) => dataFile.filePath.split('/').at(-1) ?? '')

describe('planning a scan', () => {
  it('drops manifests by summary, files by partition, files by metrics, and counts each', async () => {
    const table = new TestTable(fields, { spec: byPart })
    await table.commit([
      [dataFile('a1', { partition: ['a'], ids: [0, 9] }), dataFile('b1', { partition: ['b'], ids: [0, 9] })],
      [
        dataFile('b2', { partition: ['b'], ids: [10, 19] }),
        dataFile('b3', { partition: ['b'], ids: [20, 29] }),
      ],
      [
        dataFile('c1', { partition: ['c'], ids: [20, 29] }),
        dataFile('c2', { partition: ['c'], ids: [20, 29] }),
      ],
    ])
    const plan = await planScan(
      { metadata: table.metadata, filter: both(compare('part', 'eq', 'b'), compare('id', 'gt', 15)) },
      table,
    )
    expect(names(plan)).toEqual(['b2', 'b3'])
    expect(plan.report).toEqual({
      manifestsTotal: 3,
      manifestsScanned: 2,
      filesTotal: 6,
      filesKept: 2,
      bytesKept: 200,
      dropped: [
        { kind: 'manifest', predicate: expect.stringContaining('part'), count: 1 },
        { kind: 'file-by-partition', predicate: expect.stringContaining('part'), count: 1 },
        { kind: 'file-by-metrics', predicate: expect.stringContaining('id'), count: 1 },
      ],
    })
    // Inside of the partition `b` nothing is left of the first condition.
    expect(plan.tasks[0]?.residual).toMatchObject({ kind: 'literal', operator: 'gt' })
  })

  it('projects a filter through each partition spec that files were written with', async () => {
    const table = new TestTable(fields, { spec: byPart })
    await table.commit([[dataFile('a', { partition: ['a'] }), dataFile('b', { partition: ['b'] })]])
    const truncated: PartitionSpec = {
      specId: 1,
      fields: [
        { sourceIds: [2], fieldId: 1001, name: 'part_trunc', transform: { kind: 'truncate', width: 1 } },
      ],
    }
    table.metadata = { ...table.metadata, partitionSpecs: [byPart, truncated], defaultSpecId: 1 }
    await table.commit([
      [dataFile('bb', { specId: 1, partition: ['b'] }), dataFile('cc', { specId: 1, partition: ['c'] })],
    ])
    const plan = await planScan({ metadata: table.metadata, filter: compare('part', 'eq', 'b') }, table)
    expect(names(plan).toSorted()).toEqual(['b', 'bb'])
    expect(plan.report.dropped.map(({ kind, count }) => [kind, count])).toEqual([['file-by-partition', 2]])
  })

  it('plans nothing for a table without data', async () => {
    const table = new TestTable(fields)
    const plan = await planScan({ metadata: table.metadata }, table)
    expect(plan).toMatchObject({
      tasks: [],
      snapshot: undefined,
      report: { manifestsTotal: 0, filesTotal: 0, filesKept: 0, bytesTotal: 0 },
    })
  })

  it('leaves removed files out, and numbers what was kept from earlier commits by their own commits', async () => {
    const table = new TestTable(fields)
    await table.commit([
      [
        {
          status: 'existing',
          snapshotId: 5n,
          sequenceNumber: 3n,
          fileSequenceNumber: 3n,
          dataFile: dataFile('kept'),
        },
        {
          status: 'deleted',
          snapshotId: 5n,
          sequenceNumber: 2n,
          fileSequenceNumber: 2n,
          dataFile: dataFile('removed'),
        },
        { status: 'added', dataFile: dataFile('new') },
      ],
    ])
    const { tasks } = await planScan({ metadata: table.metadata }, table)
    expect(
      tasks.map(({ dataFile, sequenceNumber }) => [dataFile.filePath.split('/').at(-1), sequenceNumber]),
    ).toEqual([
      ['kept', 3n],
      ['new', 1n],
    ])
  })

  it('counts row ids of v3 files up from their manifest', async () => {
    const table = new TestTable(fields, { formatVersion: 3 })
    await table.commit([
      [dataFile('a', { recordCount: 10 }), dataFile('b', { recordCount: 7 })],
      [dataFile('c')],
    ])
    const { tasks } = await planScan({ metadata: table.metadata }, table)
    expect(tasks.map(({ firstRowId }) => firstRowId)).toEqual([0n, 10n, 17n])
  })

  it('reads v1 snapshots that list their manifests in the metadata', async () => {
    const table = new TestTable(fields, { formatVersion: 1 })
    const { manifestList = '' } = await table.commit([
      [dataFile('a', { ids: [0, 9] })],
      [dataFile('b', { ids: [10, 19] })],
    ])
    const { decodeManifestList } = await import('@floe/iceberg')
    const manifests = decodeManifestList(await table.store.get(manifestList)).map(
      ({ manifestPath }) => manifestPath,
    )
    table.addSnapshot({ snapshotId: 9n, sequenceNumber: 0n, timestampMs: 1, manifests })
    const plan = await planScan({ metadata: table.metadata, filter: compare('id', 'gt', 12) }, table)
    expect(names(plan)).toEqual(['b'])
    expect(plan.tasks[0]?.sequenceNumber).toBe(0n)
    expect(plan.report).toMatchObject({ manifestsTotal: 2, filesTotal: 2, filesKept: 1, bytesTotal: 200 })
  })

  it('names the table and the id in the error of an unknown version', async () => {
    const table = new TestTable(fields)
    await table.commit([[dataFile('a')]])
    const selector = { kind: 'id', snapshotId: 9_007_199_254_740_993n } as const
    await expect(planScan({ metadata: table.metadata, selector }, table)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('9007199254740993'),
    })
  })

  it('says which manifest is damaged', async () => {
    const table = new TestTable(fields)
    const { manifestList = '' } = await table.commit([[dataFile('a')]])
    await table.store.put(manifestList, new Uint8Array([1, 2, 3]))
    await expect(planScan({ metadata: table.metadata }, table)).rejects.toMatchObject({
      code: 'corrupt-data',
      message: expect.stringContaining(manifestList),
    })
  })
})

describe('a wanted number of rows', () => {
  const threeManifests = async (): Promise<TestTable> => {
    const table = new TestTable(fields)
    await table.commit([[dataFile('a'), dataFile('b')], [dataFile('c')], [dataFile('d')]])
    return table
  }

  it('ends planning when the files hold it', async () => {
    const table = await threeManifests()
    const plan = await planScan({ metadata: table.metadata, rowsWanted: 15 }, table)
    expect(names(plan)).toEqual(['a', 'b'])
    expect(plan.report).toMatchObject({ manifestsTotal: 3, manifestsScanned: 1, filesTotal: 4, filesKept: 2 })
  })

  it('is not looked at when there is a filter or a delete', async () => {
    const table = await threeManifests()
    const filtered = await planScan(
      { metadata: table.metadata, rowsWanted: 1, filter: compare('id', 'gt', 0) },
      table,
    )
    expect(filtered.report.filesKept).toBe(4)
    await table.commit([[dataFile('del', { content: 'position-deletes' })]])
    const deleted = await planScan({ metadata: table.metadata, rowsWanted: 1 }, table)
    expect(deleted.report.filesKept).toBe(4)
  })
})

describe('reading manifests', () => {
  function counting(store: ObjectStore): {
    readonly store: ObjectStore
    reads: number
    inFlight: number
    most: number
  } {
    const counter = {
      reads: 0,
      inFlight: 0,
      most: 0,
      store: {
        ...store,
        async get(location: string): Promise<Uint8Array> {
          counter.reads += 1
          counter.most = Math.max(counter.most, ++counter.inFlight)
          await new Promise((resolve) => setImmediate(resolve))
          counter.inFlight -= 1
          return store.get(location)
        },
      },
    }
    return counter
  }

  it('happens a few at a time, and once when the cache is kept', async () => {
    const table = new TestTable(fields)
    await table.commit(Array.from({ length: 30 }, (_, at) => [dataFile(`f${at}`)]))
    const counter = counting(table.store)
    const cache = new ManifestCache()
    const components = { store: counter.store, cache }
    expect((await planScan({ metadata: table.metadata }, components)).tasks.length).toBe(30)
    expect(counter.reads).toBe(31)
    expect(counter.most).toBe(manifestsInFlightMax)
    await planScan({ metadata: table.metadata }, components)
    expect(counter.reads).toBe(31)
  })

  it('forgets the least recently used beyond the bound of the cache, and failed reads at once', async () => {
    const cache = new ManifestCache({ bytesMax: 20 })
    const loads: string[] = []
    const read = (key: string): Promise<string> =>
      cache.get(key, async () => {
        loads.push(key)
        return { value: key, bytes: 10 }
      })
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await read(key)
    expect(loads).toEqual(['a', 'b', 'c', 'b'])
    const failing = cache.get('x', () => Promise.reject(new Error('down')))
    await expect(failing).rejects.toThrow('down')
    expect(await read('x')).toBe('x')
  })
})
