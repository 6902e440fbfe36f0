import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeManifest, encodeManifestList, unpartitionedSpec } from '@floe/iceberg'
import type { DataFile, ManifestFile, Schema, TableUpdate } from '@floe/iceberg'
import { joinLocation } from '@floe/storage'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import type { Catalog, TableIdentifier } from '../catalog.ts'
import { openSqlCatalog } from './index.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const store = openMemoryStore()

let folder: string
let catalog: Catalog

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-drop-'))
  catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: join(folder, 'catalog.db') },
      warehouse: 'memory://drop/warehouse',
      clock: manualClock(1_700_000_000_000),
      uuid: randomUUID,
    },
    { store },
  )
  await catalog.createNamespace(['shop'])
})

afterEach(async () => {
  await catalog.close()
  clearMemoryStore('drop')
  await rm(folder, { recursive: true })
})

async function remaining(): Promise<readonly string[]> {
  const found = await Array.fromAsync(store.list('memory://drop/'))
  return found.map(({ location }) => location.split('/').at(-1) ?? '').toSorted()
}

async function putEmpty(...locations: readonly string[]): Promise<void> {
  for (const location of locations) await store.put(location, new Uint8Array(1))
}

/** One manifest with one file, in the store; the file itself too. */
async function writeManifest(
  location: string,
  content: 'data' | 'deletes',
  name: string,
): Promise<ManifestFile> {
  const dataFile: DataFile = {
    content: content === 'data' ? 'data' : 'position-deletes',
    filePath: joinLocation(location, 'data', name),
    fileFormat: 'parquet',
    specId: 0,
    partition: [],
    recordCount: 1,
    fileSizeInBytes: 1,
  }
  const header = { schema, spec: unpartitionedSpec, formatVersion: 2, content } as const
  const bytes = encodeManifest(header, [{ status: 'added', snapshotId: 1n, dataFile }])
  const manifestPath = joinLocation(location, 'metadata', `${name}-m0.avro`)
  await putEmpty(dataFile.filePath)
  await store.put(manifestPath, bytes)
  return {
    manifestPath,
    manifestLength: bytes.length,
    partitionSpecId: 0,
    content,
    sequenceNumber: 1n,
    minSequenceNumber: 1n,
    addedSnapshotId: 1n,
    addedFilesCount: 1,
    existingFilesCount: 0,
    deletedFilesCount: 0,
    addedRowsCount: 1,
    existingRowsCount: 0,
    deletedRowsCount: 0,
  }
}

/** A table with a data file, a delete file and statistics, and a file of somebody else in its folder. */
async function createFullTable(
  properties: Readonly<Record<string, string>> = {},
  elsewhere?: string,
): Promise<string> {
  const { location } = (await catalog.createTable(orders, { schema, properties })).metadata
  const manifests = [
    await writeManifest(location, 'data', 'rows.parquet'),
    await writeManifest(location, 'deletes', 'deletes.parquet'),
    ...(elsewhere === undefined ? [] : [await writeManifest(elsewhere, 'data', 'others.parquet')]),
  ]
  const manifestList = joinLocation(location, 'metadata', 'snap-1.avro')
  const header = {
    formatVersion: 2,
    snapshotId: 1n,
    parentSnapshotId: undefined,
    sequenceNumber: 1n,
  } as const
  await store.put(manifestList, encodeManifestList(manifests, header))
  const statisticsPath = joinLocation(location, 'metadata', 'ndv.puffin')
  await putEmpty(statisticsPath, joinLocation(location, 'data', 'foreign.parquet'))
  const updates: readonly TableUpdate[] = [
    {
      action: 'add-snapshot',
      snapshot: {
        snapshotId: 1n,
        sequenceNumber: 1n,
        timestampMs: 1_700_000_000_000,
        manifestList,
        summary: { operation: 'append' },
        schemaId: 0,
      },
    },
    { action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId: 1n, type: 'branch' } },
    {
      action: 'set-statistics',
      statistics: {
        'snapshot-id': 1,
        'statistics-path': statisticsPath,
        'file-size-in-bytes': 1,
        'file-footer-size-in-bytes': 1,
        'blob-metadata': [],
      },
    },
  ]
  await catalog.commitTable(orders, { requirements: [], updates })
  return location
}

describe('purging a table', () => {
  it('removes every file that its metadata reaches, delete files too, and no other', async () => {
    await createFullTable()
    await catalog.dropTable(orders, { purge: true })
    expect(await remaining()).toEqual(['foreign.parquet'])
    expect(await catalog.listTables(['shop'])).toEqual([])
  })

  it('keeps data and delete files of a table that does not own them', async () => {
    await createFullTable({ 'gc.enabled': 'false' })
    await catalog.dropTable(orders, { purge: true })
    expect(await remaining()).toEqual(['deletes.parquet', 'foreign.parquet', 'rows.parquet'])
  })

  it('keeps files that it names outside of its folders, where they can be those of anybody', async () => {
    await createFullTable({}, 'memory://drop/elsewhere')
    await catalog.dropTable(orders, { purge: true })
    expect(await remaining()).toEqual(['foreign.parquet', 'others.parquet', 'others.parquet-m0.avro'])
  })

  it('keeps files of another table, also when its folder is in that of the purged one', async () => {
    const location = await createFullTable()
    const inner = { namespace: ['shop'], name: 'inner' }
    await catalog.createTable(inner, { schema, location: joinLocation(location, 'data') })
    await catalog.dropTable(orders, { purge: true })
    const kept = await remaining()
    expect(kept).toEqual(expect.arrayContaining(['deletes.parquet', 'foreign.parquet', 'rows.parquet']))
    expect(kept.filter((name) => name.endsWith('.avro'))).toEqual([])
    expect((await catalog.loadTable(inner)).metadata.location).toBe(joinLocation(location, 'data'))
  })

  it('removes what its properties have put elsewhere, and what it left behind where it was before', async () => {
    const location = await createFullTable(
      { 'write.data.path': 'memory://drop/elsewhere' },
      'memory://drop/elsewhere',
    )
    const away = 'memory://drop/away'
    await catalog.commitTable(orders, {
      requirements: [],
      updates: [{ action: 'set-location', location: away }],
    })
    await catalog.dropTable(orders, { purge: true })
    expect(location).not.toContain('away')
    expect(await remaining()).toEqual(['foreign.parquet'])
  })

  it('passes over what is gone already', async () => {
    const location = await createFullTable()
    await store.delete([joinLocation(location, 'metadata', 'rows.parquet-m0.avro')])
    await catalog.dropTable(orders, { purge: true })
    expect(await remaining()).toEqual(['foreign.parquet', 'rows.parquet'])
  })

  it('removes nothing, not even the name, when a manifest cannot be read', async () => {
    const location = await createFullTable()
    await putEmpty(joinLocation(location, 'metadata', 'deletes.parquet-m0.avro'))
    const before = await remaining()
    await expect(catalog.dropTable(orders, { purge: true })).rejects.toMatchObject({ code: 'corrupt-data' })
    expect(await remaining()).toEqual(before)
    expect((await catalog.loadTable(orders)).metadata.currentSnapshotId).toBe(1n)
    await catalog.dropTable(orders)
    expect(await remaining()).toEqual(before)
  })
})
