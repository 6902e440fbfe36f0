import { randomUUID } from 'node:crypto'

import {
  currentSchema,
  decodeManifestList,
  encodeManifest,
  encodeManifestList,
  encodeSingleValue,
  FloeError,
  manifestFileFor,
  newTableMetadata,
} from '@floe/iceberg'
import type {
  DataFile,
  ManifestEntry,
  ManifestFile,
  NestedField,
  PartitionSpec,
  Snapshot,
  TableMetadata,
} from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { openMemoryStore } from '@floe/storage/memory'

export type TableOptions = { readonly spec?: PartitionSpec; readonly formatVersion?: 1 | 2 | 3 }

/** A table in memory whose manifests are real and whose data files are only described. For tests. */
export class TestTable {
  readonly store: ObjectStore = openMemoryStore()
  metadata: TableMetadata
  #snapshots = 0n

  constructor(fields: readonly NestedField[], { spec, formatVersion = 2 }: TableOptions = {}) {
    this.metadata = newTableMetadata({
      schema: { schemaId: 0, fields },
      ...(spec === undefined ? {} : { spec }),
      formatVersion,
      location: 'memory://test/t',
      uuid: randomUUID(),
      nowMs: 0,
    })
  }

  /** Adds a snapshot on `main` whose new manifests hold these groups of entries, one manifest per group. */
  async commit(
    groups: readonly (readonly (DataFile | ManifestEntry)[])[],
    givenId?: bigint,
  ): Promise<Snapshot> {
    this.#snapshots += 1n
    const snapshotId = givenId ?? this.#snapshots
    const { metadata, store } = this
    const { formatVersion, location } = metadata
    const sequenceNumber = formatVersion === 1 ? 0n : metadata.lastSequenceNumber + 1n
    const parent = metadata.snapshots.find((snapshot) => snapshot.snapshotId === metadata.currentSnapshotId)
    const inherited =
      parent?.manifestList === undefined ? [] : decodeManifestList(await store.get(parent.manifestList))
    const manifests: ManifestFile[] = []
    let firstRowId = metadata.nextRowId ?? 0n
    for (const group of groups) {
      const entries = group.map((item): ManifestEntry =>
        'status' in item ? item : { status: 'added', snapshotId, dataFile: item },
      )
      const manifest = await this.#writeManifest(entries, {
        snapshotId,
        sequenceNumber,
        ...(formatVersion === 3 ? { firstRowId } : {}),
      })
      firstRowId += BigInt(entries.reduce((rows, { dataFile }) => rows + dataFile.recordCount, 0))
      manifests.push(manifest)
    }
    const manifestList = `${location}/metadata/snap-${snapshotId}.avro`
    const header = { formatVersion, snapshotId, parentSnapshotId: parent?.snapshotId, sequenceNumber }
    const rowIds = formatVersion === 3 ? { firstRowId: metadata.nextRowId ?? 0n } : {}
    await store.put(manifestList, encodeManifestList([...manifests, ...inherited], { ...header, ...rowIds }))
    return this.addSnapshot({
      snapshotId,
      sequenceNumber,
      timestampMs: Number(this.#snapshots) * 1000,
      manifestList,
      schemaId: metadata.currentSchemaId,
    })
  }

  addSnapshot(snapshot: Snapshot): Snapshot {
    const { snapshotId, timestampMs, sequenceNumber } = snapshot
    this.metadata = {
      ...this.metadata,
      lastSequenceNumber: sequenceNumber,
      currentSnapshotId: snapshotId,
      snapshots: [...this.metadata.snapshots, snapshot],
      snapshotLog: [...this.metadata.snapshotLog, { snapshotId, timestampMs }],
      refs: { ...this.metadata.refs, main: { snapshotId, type: 'branch' } },
    }
    return snapshot
  }

  async #writeManifest(
    entries: readonly ManifestEntry[],
    commit: { readonly snapshotId: bigint; readonly sequenceNumber: bigint; readonly firstRowId?: bigint },
  ): Promise<ManifestFile> {
    const { metadata } = this
    const [first] = entries
    const spec = metadata.partitionSpecs.find(({ specId }) => specId === first?.dataFile.specId)
    if (first === undefined || spec === undefined) throw new FloeError('internal', 'no such partition spec')
    const content = first.dataFile.content === 'data' ? ('data' as const) : ('deletes' as const)
    const header = { schema: currentSchema(metadata), spec, formatVersion: metadata.formatVersion, content }
    const path = `${metadata.location}/metadata/${randomUUID()}-m0.avro`
    const bytes = encodeManifest(header, entries)
    await this.store.put(path, bytes)
    const { firstRowId, ...rest } = commit
    return manifestFileFor(path, bytes.length, header, entries, {
      ...rest,
      ...(firstRowId === undefined || content === 'deletes' ? {} : { firstRowId }),
    })
  }
}

/** A data file named `name` with bounds of an int column 1. */
export function dataFile(
  name: string,
  rest: Partial<DataFile> & { readonly ids?: readonly [number, number] } = {},
): DataFile {
  const { ids, ...own } = rest
  const bound = (value: number): ReadonlyMap<number, Uint8Array> =>
    new Map([[1, encodeSingleValue({ kind: 'int' }, value)]])
  return {
    content: 'data',
    filePath: `memory://test/t/data/${name}`,
    fileFormat: 'parquet',
    specId: 0,
    partition: [],
    recordCount: 10,
    fileSizeInBytes: 100,
    ...(ids === undefined ? {} : { lowerBounds: bound(ids[0]), upperBounds: bound(ids[1]) }),
    ...own,
  }
}

export function field(id: number, name: string, kind: 'int' | 'string' | 'date'): NestedField {
  return { id, name, type: { kind }, required: false }
}
