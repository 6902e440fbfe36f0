import { openPool } from '@floe/compute'
import type { DataFile } from '@floe/iceberg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitSnapshot } from './commit-snapshot.ts'
import type { CommitComponents, CommittedSnapshot } from './snapshot-commit.ts'
import { dataFile, openLake } from './testing/open-lake.ts'
import type { Lake } from './testing/open-lake.ts'

let lake: Lake
let tokens = 0
beforeEach(async () => {
  lake = await openLake()
})
afterEach(() => lake[Symbol.asyncDispose]())

async function commit(
  kind: 'append' | 'replace-all',
  dataFiles: readonly DataFile[],
  components: Partial<CommitComponents> = {},
): Promise<CommittedSnapshot> {
  const base = await lake.loadOrders()
  const token = `token ${(tokens += 1)}`
  const request = {
    table: 'shop.orders',
    base,
    target: base.metadata,
    updates: [],
    token,
    change: { kind, dataFiles },
  }
  return commitSnapshot(request, lake.components(components))
}

describe('row ids of a v3 table', () => {
  beforeEach(async () => {
    await lake.createOrders({
      properties: { 'format-version': '3', 'commit.manifest.target-size-bytes': '640' },
    })
  })

  it('go on from snapshot to snapshot and from manifest to manifest', async () => {
    const first = await commit('append', [dataFile('a', 3), dataFile('b', 4), dataFile('c', 5)])
    expect(first.snapshot).toMatchObject({ firstRowId: 0n, addedRows: 12n })
    expect((await lake.manifestsOf(first.snapshot)).map(({ firstRowId }) => firstRowId)).toEqual([0n, 7n])
    const second = await commit('append', [dataFile('d', 6)])
    expect(second.snapshot).toMatchObject({ firstRowId: 12n, addedRows: 6n })
    expect(second.state.metadata.nextRowId).toBe(18n)
    const manifests = await lake.manifestsOf(second.snapshot)
    expect(manifests.map(({ firstRowId }) => firstRowId)).toEqual([12n, 0n, 7n])
    expect((await lake.entriesOf(manifests[1])).map((entry) => entry.dataFile.firstRowId)).toEqual([0n, 3n])
  })

  it('stay with files that are deleted, and are given to new ones only', async () => {
    await commit('append', [dataFile('a', 3), dataFile('b', 4)])
    const { snapshot, state } = await commit('replace-all', [dataFile('c', 5)])
    expect(snapshot).toMatchObject({ firstRowId: 7n, addedRows: 5n })
    expect(state.metadata.nextRowId).toBe(12n)
    const deleted = await lake.entriesOf((await lake.manifestsOf(snapshot))[1])
    expect(deleted.map((entry) => [entry.status, entry.dataFile.firstRowId])).toEqual([
      ['deleted', 0n],
      ['deleted', 3n],
    ])
  })

  it('are taken anew when the race for the first ones is lost', async () => {
    let isFirst = true
    const catalog: CommitComponents['catalog'] = {
      load: () => lake.target.load(),
      commit: async (requirements, updates) => {
        if (isFirst) {
          isFirst = false
          await commit('append', [dataFile('rival', 10)])
        }
        return lake.target.commit(requirements, updates)
      },
    }
    const { snapshot, state } = await commit('append', [dataFile('mine', 3)], { catalog })
    expect(snapshot).toMatchObject({ firstRowId: 10n, addedRows: 3n })
    expect(state.metadata.nextRowId).toBe(13n)
  })
})

describe('manifests of many files', () => {
  it('are the same from workers as from the calling thread', async () => {
    await lake.createOrders({ properties: { 'commit.manifest.target-size-bytes': String(320 * 9000) } })
    const files = Array.from({ length: 20_000 }, (_, index) => dataFile(`f${index}`, index))
    await using pool = openPool({ workers: 2 })
    const inWorkers = await commit('append', files, { pool })
    const inline = await commit('append', files)
    const [worker, here] = [
      await lake.manifestsOf(inWorkers.snapshot),
      (await lake.manifestsOf(inline.snapshot)).slice(0, 3),
    ]
    expect(worker.map(({ addedFilesCount }) => addedFilesCount)).toEqual([9000, 9000, 2000])
    for (const [index, manifest] of worker.entries()) {
      const other = here[index]
      const { addedFilesCount, addedRowsCount, partitions } = manifest
      expect(other).toMatchObject({ addedFilesCount, addedRowsCount, partitions })
      const entries = (await lake.entriesOf(manifest)).map((entry) => entry.dataFile)
      expect(entries).toEqual((await lake.entriesOf(other)).map((entry) => entry.dataFile))
    }
  })
})
