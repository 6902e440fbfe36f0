import {
  encodeManifest,
  encodeManifestList,
  encodeSingleValue,
  manifestFileFor,
  newTableMetadata,
  serializeTableMetadata,
} from '@floe/iceberg'
import type {
  DataFile,
  ManifestEntry,
  ManifestFile,
  NestedField,
  PartitionSpec,
  Schema,
  TableMetadata,
} from '@floe/iceberg'
import { joinLocation } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'

export type LargeTableSettings = {
  readonly location: string
  readonly files: number
  readonly filesPerManifest: number
  /** Columns with metrics, a partition column and an id among them. */
  readonly columns: number
}

export type LargeTable = { readonly metadata: TableMetadata; readonly metadataLocation: string }

const filesPerDay = 10
const rowsPerFile = 1000
const firstDay = 20_000

/**
 * A table of many described files, ten a day, of which none exists: file `n` holds the ids from `1000 n` on. Its days
 * are its partitions, and every column has all metrics. For tests and measurements of planning.
 */
export async function writeLargeTable(
  store: ObjectStore,
  { location, files, filesPerManifest, columns }: LargeTableSettings,
): Promise<LargeTable> {
  const schema = schemaOf(columns)
  const spec: PartitionSpec = {
    specId: 0,
    fields: [{ sourceIds: [2], fieldId: 1000, name: 'day', transform: { kind: 'identity' } }],
  }
  const uuid = '6f1c0000-0000-4000-8000-000000000001'
  const empty = newTableMetadata({ schema, spec, formatVersion: 2, location, uuid, nowMs: 0 })
  const manifests: ManifestFile[] = []
  for (let from = 0; from < files; from += filesPerManifest) {
    const entries = Array.from({ length: Math.min(filesPerManifest, files - from) }, (_, at) =>
      entryOf(from + at, schema, location),
    )
    const header = { schema, spec, formatVersion: 2, content: 'data' } as const
    const path = joinLocation(location, 'metadata', `m${from}.avro`)
    const bytes = encodeManifest(header, entries)
    await store.put(path, bytes)
    manifests.push(
      manifestFileFor(path, bytes.length, header, entries, { snapshotId: 1n, sequenceNumber: 1n }),
    )
  }
  const manifestList = joinLocation(location, 'metadata', 'snap-1.avro')
  const commit = {
    snapshotId: 1n,
    sequenceNumber: 1n,
    parentSnapshotId: undefined,
    formatVersion: 2,
  } as const
  await store.put(manifestList, encodeManifestList(manifests, commit))
  const snapshot = { snapshotId: 1n, sequenceNumber: 1n, timestampMs: 1, manifestList, schemaId: 0 }
  const metadata: TableMetadata = {
    ...empty,
    lastSequenceNumber: 1n,
    currentSnapshotId: 1n,
    snapshots: [{ ...snapshot, summary: { operation: 'append' } }],
    snapshotLog: [{ snapshotId: 1n, timestampMs: 1 }],
    refs: { main: { snapshotId: 1n, type: 'branch' } },
  }
  const metadataLocation = joinLocation(location, 'metadata', 'v1.metadata.json')
  await store.put(metadataLocation, new TextEncoder().encode(serializeTableMetadata(metadata)))
  return { metadata, metadataLocation }
}

function schemaOf(columns: number): Schema {
  const more = Array.from({ length: columns - 2 }, (_, at): NestedField => {
    const type = at % 2 === 0 ? ({ kind: 'string' } as const) : ({ kind: 'double' } as const)
    return { id: at + 3, name: `c${at + 3}`, type, required: false }
  })
  const id: NestedField = { id: 1, name: 'id', type: { kind: 'long' }, required: false }
  const day: NestedField = { id: 2, name: 'day', type: { kind: 'date' }, required: false }
  return { schemaId: 0, fields: [id, day, ...more] }
}

function entryOf(number: number, schema: Schema, location: string): ManifestEntry {
  const day = firstDay + Math.floor(number / filesPerDay)
  const bounds = (end: boolean): ReadonlyMap<number, Uint8Array> =>
    new Map(
      schema.fields.map(({ id, type }) => {
        if (id === 1)
          return [
            id,
            encodeSingleValue({ kind: 'long' }, BigInt(number * rowsPerFile + (end ? rowsPerFile - 1 : 0))),
          ]
        if (id === 2) return [id, encodeSingleValue({ kind: 'date' }, day)]
        if (type.kind === 'double') return [id, encodeSingleValue(type, end ? number + 0.5 : number)]
        return [id, encodeSingleValue({ kind: 'string' }, `${end ? 'z' : 'a'} text ${number}`)]
      }),
    )
  const counts = (count: number): ReadonlyMap<number, number> =>
    new Map(schema.fields.map(({ id }) => [id, count]))
  const dataFile: DataFile = {
    content: 'data',
    filePath: joinLocation(location, 'data', `day=${day}`, `file-${number}.parquet`),
    fileFormat: 'parquet',
    specId: 0,
    partition: [day],
    recordCount: rowsPerFile,
    fileSizeInBytes: 1_000_000,
    columnSizes: counts(50_000 + number),
    valueCounts: counts(rowsPerFile),
    nullValueCounts: counts(0),
    lowerBounds: bounds(false),
    upperBounds: bounds(true),
  }
  return { status: 'added', snapshotId: 1n, dataFile }
}
