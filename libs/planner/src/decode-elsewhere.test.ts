import { openPool, taskAt } from '@floe/compute'
import type { Pool } from '@floe/compute'
import type { DecodedManifest } from '@floe/iceberg'
import { openMemoryStore } from '@floe/storage/memory'
import { writeLargeTable } from '@floe/testing'
import type { LargeTable } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { decodeManifestTask, ManifestCache, planScan } from './index.ts'
import type { ManifestBytes, ScanPlan } from './index.ts'
import type { ScanRequest } from './plan-scan.ts'

const store = openMemoryStore()
const task = taskAt<ManifestBytes, DecodedManifest>(decodeManifestTask)
let pool: Pool
let large: LargeTable
let small: LargeTable
let calls = 0
let running = 0
let runningMost = 0

beforeAll(async () => {
  pool = openPool({ workers: 2 })
  const shape = { filesPerManifest: 1000, columns: 3 }
  large = await writeLargeTable(store, { location: 'memory://elsewhere/large', files: 20_000, ...shape })
  small = await writeLargeTable(store, { location: 'memory://elsewhere/small', files: 3_000, ...shape })
}, 120_000)
afterAll(() => pool.close())

async function plan(
  { metadata }: LargeTable,
  request: Omit<ScanRequest, 'metadata'> = {},
  cache = new ManifestCache(),
): Promise<ScanPlan> {
  ;[calls, running, runningMost] = [0, 0, 0]
  const decodeElsewhere = async (manifest: ManifestBytes): Promise<DecodedManifest> => {
    calls += 1
    running += 1
    runningMost = Math.max(runningMost, running)
    try {
      return await pool.run(task, manifest)
    } finally {
      running -= 1
    }
  }
  return planScan({ metadata, ...request }, { store, cache, decodeElsewhere })
}

describe('manifests of a large table', () => {
  it('are decoded on threads, a few at a time, to the same plan, and once', async () => {
    const cache = new ManifestCache()
    const elsewhere = await plan(large, {}, cache)
    expect(calls).toBe(20)
    expect(runningMost).toBeLessThanOrEqual(8)
    const inPlace = await planScan({ metadata: large.metadata }, { store })
    expect(elsewhere.report).toEqual(inPlace.report)
    expect(elsewhere.tasks).toHaveLength(20_000)
    expect(elsewhere.tasks[12_345]).toEqual(inPlace.tasks[12_345])
    await plan(large, {}, cache)
    expect(calls).toBe(0)
  }, 120_000)

  it('are decoded in place for a LIMIT, and those of a small table always', async () => {
    expect((await plan(large, { rowsWanted: 10 })).tasks).toHaveLength(1)
    expect(calls).toBe(0)
    expect((await plan(small)).tasks).toHaveLength(3_000)
    expect(calls).toBe(0)
  }, 120_000)
})
