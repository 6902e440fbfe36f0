import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
// oxlint-disable-next-line @nx/enforce-module-boundaries -- tests commit to the real catalog; the writer itself knows a CommitTarget alone
import type { Catalog, LoadedTable, TableDefinition, TableIdentifier } from '@floe/catalog'
// oxlint-disable-next-line @nx/enforce-module-boundaries -- as above
import { openSqlCatalog } from '@floe/catalog/sql'
import { decodeManifest, decodeManifestList, inheritEntries } from '@floe/iceberg'
import type { DataFile, ManifestEntry, ManifestFile, Partition, Schema, Snapshot } from '@floe/iceberg'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'
import { manualClock } from '@floe/testing'
import type { CommitComponents, CommitTarget } from '../snapshot-commit.ts'

export const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }

export const ordersSchema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', type: { kind: 'long' }, required: true },
    { id: 2, name: 'note', type: { kind: 'string' }, required: false },
  ],
}

/** A catalog and a store in a folder of their own: SQLite and files, as in an embedded lakehouse. */
export type Lake = AsyncDisposable & {
  readonly catalog: Catalog
  readonly store: ObjectStore
  readonly folder: string
  /** Delays that commits asked for; none of them is slept. */
  readonly delays: number[]
  readonly target: CommitTarget
  createOrders(definition?: Partial<TableDefinition>): Promise<LoadedTable>
  loadOrders(): Promise<LoadedTable>
  components(changes?: Partial<CommitComponents>): CommitComponents
  /** Names of the files below the warehouse that end so. */
  names(suffix: string): Promise<readonly string[]>
  manifestsOf(snapshot: Snapshot | undefined): Promise<readonly ManifestFile[]>
  entriesOf(manifest: ManifestFile | undefined): Promise<readonly ManifestEntry[]>
}

export async function openLake(): Promise<Lake> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-writer-'))
  const clock = manualClock(1_700_000_000_000)
  const store = openObjectStore({})
  const warehouse = `file://${folder}/warehouse`
  const database = { kind: 'sqlite', path: path.join(folder, 'catalog.db') } as const
  const catalog = await openSqlCatalog({ database, warehouse, clock, uuid: randomUUID }, { store })
  await catalog.createNamespace(orders.namespace)
  const delays: number[] = []
  let lastSnapshotId = 0n
  const target: CommitTarget = {
    load: () => catalog.loadTable(orders),
    commit: (requirements, updates) => catalog.commitTable(orders, { requirements, updates }),
  }
  return {
    catalog,
    store,
    folder,
    delays,
    target,
    createOrders: (definition) => catalog.createTable(orders, { schema: ordersSchema, ...definition }),
    loadOrders: () => catalog.loadTable(orders),
    components: (changes) => ({
      catalog: target,
      store,
      clock,
      uuid: randomUUID,
      newSnapshotId: () => (lastSnapshotId += 1n),
      sleep: (ms) => {
        delays.push(ms)
        return Promise.resolve()
      },
      ...changes,
    }),
    names: async (suffix) => {
      const found = await Array.fromAsync(store.list(`${warehouse}/`))
      return found.map(({ location }) => path.basename(location)).filter((name) => name.endsWith(suffix))
    },
    manifestsOf: async (snapshot) =>
      decodeManifestList(await store.get(snapshot?.manifestList ?? 'no manifest list')),
    entriesOf: async (manifest) => {
      if (manifest === undefined) return []
      return inheritEntries(decodeManifest(await store.get(manifest.manifestPath)).entries, manifest)
    },
    [Symbol.asyncDispose]: async () => {
      await catalog.close()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What a commit is told of a data file; the file itself is never opened by one. */
export function dataFile(name: string, recordCount: number, partition: Partition = [], specId = 0): DataFile {
  return {
    content: 'data',
    filePath: `file:///data/${name}.parquet`,
    fileFormat: 'parquet',
    specId,
    partition,
    recordCount,
    fileSizeInBytes: recordCount * 10,
    valueCounts: new Map([[1, recordCount]]),
    nullValueCounts: new Map([[1, 0]]),
    lowerBounds: new Map([[1, new Uint8Array(8)]]),
    upperBounds: new Map([[1, new Uint8Array(8).fill(1)]]),
    splitOffsets: [4],
  }
}
