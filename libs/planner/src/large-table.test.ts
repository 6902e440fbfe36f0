import { beforeAll, describe, expect, it } from 'vitest'

import type { Expression } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { openMemoryStore } from '@floe/storage/memory'
import { writeLargeTable } from '@floe/testing'
import type { LargeTable } from '@floe/testing'

import { ManifestCache } from './manifest-cache.ts'
import { planScan } from './plan-scan.ts'
import type { ScanRequest } from './plan-scan.ts'

const files = 2000
const filesPerManifest = 100

let store: ObjectStore
let table: LargeTable
const reads: string[] = []

beforeAll(async () => {
  store = openMemoryStore()
  table = await writeLargeTable(store, { location: 'memory://large/t', files, filesPerManifest, columns: 16 })
})

function plan(request: Omit<ScanRequest, 'metadata'>): ReturnType<typeof planScan> {
  reads.length = 0
  const counting: ObjectStore = {
    ...store,
    get: (location, options) => {
      reads.push(location)
      return store.get(location, options)
    },
  }
  return planScan({ metadata: table.metadata, ...request }, { store: counting })
}

const equals = (name: string, value: number | bigint): Expression => ({
  kind: 'literal',
  operator: 'eq',
  reference: { kind: 'name', name },
  value,
})

describe('a table of thousands of files', () => {
  it('is pruned to the one file that may hold a value', async () => {
    const { tasks, report } = await plan({ filter: equals('id', 1_234_567n) })
    expect(tasks.map(({ dataFile }) => dataFile.filePath)).toEqual([
      expect.stringMatching(/file-1234\.parquet$/),
    ])
    expect(report).toMatchObject({ filesTotal: files, filesKept: 1 })
    expect(report.dropped).toEqual([{ kind: 'file-by-metrics', predicate: 'id = 1234567', count: files - 1 }])
  })

  it('has only the manifests read that a partition may be in', async () => {
    const { report } = await plan({ filter: equals('day', 20_050) })
    expect(report).toMatchObject({ manifestsScanned: 1, filesKept: 10 })
    expect(reads.length).toBe(2)
  })

  it('has as many manifests read as a LIMIT needs', async () => {
    const { report } = await plan({ rowsWanted: 150_000 })
    expect(report).toMatchObject({ manifestsScanned: 2, filesKept: 150 })
  })

  it('is planned without the metrics that nobody asked for, to the same files', async () => {
    const filter = equals('id', 1_234_567n)
    const all = await plan({ filter })
    const few = await plan({ filter, metricColumns: new Set([2]) })
    expect(few.report).toEqual(all.report)
    expect([...(few.tasks[0]?.dataFile.lowerBounds?.keys() ?? [])]).toEqual([1, 2])
    expect(all.tasks[0]?.dataFile.lowerBounds?.size).toBe(16)
  })
})

describe('a table of 100,000 files', () => {
  const manyFiles = 100_000
  const cache = new ManifestCache()
  let many: LargeTable

  beforeAll(async () => {
    const settings = { location: 'memory://large/many', files: manyFiles, filesPerManifest: 1000, columns: 3 }
    many = await writeLargeTable(store, settings)
  }, 300_000)

  const planMany = (request: Omit<ScanRequest, 'metadata'>): ReturnType<typeof planScan> => {
    reads.length = 0
    const get: ObjectStore['get'] = (location, options) => {
      reads.push(location)
      return store.get(location, options)
    }
    return planScan(
      { metadata: many.metadata, metricColumns: new Set(), ...request },
      { store: { get }, cache },
    )
  }

  it('is planned from one manifest for a LIMIT, and from one for a partition', async () => {
    expect((await planMany({ rowsWanted: 10 })).tasks.length).toBe(1)
    expect(reads.length).toBe(2)
    const { report } = await planMany({ filter: equals('day', 25_000) })
    expect(report).toMatchObject({ manifestsTotal: 100, manifestsScanned: 1, filesKept: 10 })
  })

  it('is pruned to the one file that may hold a value, and manifests are not read again', async () => {
    const filter = equals('id', 98_765_432n)
    const { tasks, report } = await planMany({ filter })
    expect(tasks.map(({ dataFile }) => dataFile.filePath)).toEqual([
      expect.stringMatching(/file-98765\.parquet$/),
    ])
    expect(report).toMatchObject({ filesTotal: manyFiles, filesKept: 1 })
    const first = reads.length
    await planMany({ filter })
    expect(reads.length).toBeLessThan(first)
  }, 120_000)
})
