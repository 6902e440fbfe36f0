import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { installIcebergKit, runIcebergKit } from '@floe/peers'
import type { KitClass } from '@floe/peers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startFloeServer } from './floe-process.ts'

beforeAll(() => installIcebergKit())

/** Tests that pass, and those that the kit itself leaves out: empty namespaces, and names that its own class switches off. */
const kit: readonly (readonly [KitClass, { passed: number; skipped: number }])[] = [
  ['catalog', { passed: 95, skipped: 11 }],
  ['views', { passed: 50, skipped: 1 }],
  ['extended', { passed: 101, skipped: 5 }],
]

describe('the Iceberg REST compatibility kit, against a catalog on SQLite and local files', () => {
  it.each(kit)('passes its tests of %s: %j', async (kitClass, counts) => {
    // A new warehouse for each: tables are dropped without purge, so files of one run would meet those of the next.
    const folder = await mkdtemp(path.join(tmpdir(), 'floe-rck-'))
    await using server = await startFloeServer('catalog', folder)
    const { failed, ...rest } = await runIcebergKit(kitClass, server.url)
    await rm(folder, { recursive: true, force: true })
    expect(failed).toEqual([])
    expect(rest).toEqual(counts)
  })
})
