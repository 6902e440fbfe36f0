import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Catalog, LoadedTable } from '@floe/catalog'
import { openPool } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { load } from './load.ts'
import type { LoadRequest, LoadRunComponents } from './load.ts'
import { removeOrphans } from './remove-orphans.ts'
import { openTestLake } from './testing/test-lake.ts'
import type { TestLake } from './testing/test-lake.ts'

let postgres: TestPostgres & AsyncDisposable
let pool: Pool
let folder: string
let lake: TestLake
let catalog: Catalog
let components: LoadRunComponents

beforeAll(async () => {
  postgres = await startPostgres()
  pool = openPool({ workers: 2 })
})
afterAll(async () => {
  await pool.close()
  await postgres.stop()
})
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-orphans-'))
  const place = { warehouse: `file://${folder}/warehouse`, storeSettings: {} }
  lake = await openTestLake(path.join(folder, 'catalog.db'), pool, place)
  components = lake.components
  catalog = components.catalog
  await postgres.query('DROP SCHEMA IF EXISTS shop CASCADE')
  await postgres.query('CREATE SCHEMA shop')
})
afterEach(async () => {
  await lake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function request(changes: Partial<LoadRequest> = {}): LoadRequest {
  return {
    sourceUrl: postgres.url,
    tables: ['shop.*'],
    namespace: ['lake'],
    mode: 'create',
    workers: 2,
    ...changes,
  }
}

async function dataFiles(): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => name.endsWith('.parquet') || name.endsWith('.tmp')).toSorted()
}

const orders = `CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text, price numeric(10,2), at timestamptz NOT NULL);
  INSERT INTO shop.orders SELECT i, 'note ' || i % 7, i / 4.0, timestamptz '2024-01-01' + i * interval '1 hour'
  FROM generate_series(1, 20000) i`

describe('removeOrphans', () => {
  const identifier = { namespace: ['lake'], name: 'orders' }
  const later = { now: () => new Date().getTime() + 4 * 86_400_000 }

  it('removes what dead loads left, and neither what is reachable, hidden, young nor of others', async () => {
    await postgres.query(orders)
    await load(request(), components)
    await load(request({ mode: 'replace' }), components)
    const before = await dataFiles()
    const { metadata } = await catalog.loadTable(identifier)
    const { store } = components
    for (const name of ['data/dead-0-00000.parquet', 'metadata/dead-m0.avro', 'data/.x.parquet.id.tmp'])
      await writeFile(path.join(metadata.location.replace('file://', ''), name), 'x')
    await store.put(`${metadata.location}-other/data/a.parquet`, new Uint8Array(1))
    const run = { catalog, store, clock: components.clock }
    expect(await removeOrphans({ identifier }, run)).toMatchObject({ orphans: [], tooYoung: 2 })
    const found = await removeOrphans({ identifier, dryRun: true }, { ...run, clock: later })
    const names = found.orphans.map(({ location }) => path.basename(location)).toSorted()
    expect(names).toEqual(['dead-0-00000.parquet', 'dead-m0.avro'])
    expect(await removeOrphans({ identifier }, { ...run, clock: later })).toMatchObject({
      bytes: 2,
      tooYoung: 0,
    })
    expect((await dataFiles()).filter((name) => !/other|tmp$/.test(name))).toEqual(before)
    expect(await store.head(`${metadata.location}-other/data/a.parquet`)).toBeDefined()
    const again = await removeOrphans({ identifier }, { ...run, clock: later })
    expect(again).toMatchObject({ orphans: [], tooYoung: 0 })
  })

  it('refuses a table whose files may belong to others', async () => {
    await postgres.query(orders)
    await load(request({ properties: { 'gc.enabled': 'false' } }), components)
    const run = { catalog, store: components.store, clock: later }
    await expect(removeOrphans({ identifier }, run)).rejects.toMatchObject({ code: 'unsupported' })
  })

  it('refuses a location that other tables may share, and knows files by every spelling', async () => {
    await postgres.query(orders)
    await load(request(), components)
    const loadTable = async (...call: Parameters<Catalog['loadTable']>): Promise<LoadedTable> => {
      const table = await catalog.loadTable(...call)
      const location = table.metadata.location.replace('file://', '')
      return { ...table, metadata: { ...table.metadata, location: path.dirname(location) } }
    }
    const run = { catalog: { loadTable }, store: components.store, clock: later }
    await expect(removeOrphans({ identifier }, run)).rejects.toMatchObject({ code: 'invalid-input' })
    // Listed as plain paths, reached as file:// ones.
    expect((await removeOrphans({ identifier, ownLocation: true, dryRun: true }, run)).orphans).toEqual([])
  })
})
