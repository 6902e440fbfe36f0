import { FloeError } from '@floe/iceberg'
import type { JsonObject, ManifestEntry, ManifestFile, Schema, Snapshot, TableMetadata } from '@floe/iceberg'
import type { ObjectReader } from '@floe/storage'

import { loadEntries, loadManifests } from '../load-manifest.ts'
import type { ManifestReader } from '../load-manifest.ts'
import { ManifestCache } from '../manifest-cache.ts'
import type { SnapshotSelector } from '../snapshot-selector.ts'
import { resolveSnapshot } from '../snapshot-selector.ts'
import { schemaOf } from './column-types.ts'
import { FileRows } from './file-tables.ts'
import { manifestColumns, manifestRow } from './manifest-table.ts'
import { PartitionTotals } from './partition-table.ts'
import { snapshotTables } from './snapshot-tables.ts'
import type { SnapshotTableName } from './snapshot-tables.ts'

/** Names as Spark and Trino have them; `data_files` and `delete_files` are parts of `files`. */
export const metadataTableNames = [
  'snapshots',
  'history',
  'refs',
  'metadata_log_entries',
  'properties',
  'manifests',
  'files',
  'data_files',
  'delete_files',
  'entries',
  'partitions',
  'all_manifests',
  'all_files',
  'all_data_files',
  'all_delete_files',
  'all_entries',
] as const

export type MetadataTableName = (typeof metadataTableNames)[number]

export function isMetadataTableName(name: string): name is MetadataTableName {
  return metadataTableNames.some((known) => known === name)
}

/** What a table tells about itself, as a table: its columns, and rows that are made as they are read. */
export type MetadataTable = {
  readonly schema: Schema
  /** The version that the rows are of; `undefined` for a table without data and for tables of all versions. */
  readonly snapshot: Snapshot | undefined
  /**
   * Rows in batches, as JSON that casts to the columns' types. Reads manifests, never data.
   * @param wanted  columns that somebody looks at; others may be left out
   */
  readonly rows: (reader: MetadataReader, wanted: ReadonlySet<string>) => AsyncIterable<readonly JsonObject[]>
}

type MetadataReader = { readonly store: ObjectReader; readonly cache?: ManifestCache }

export type MetadataTableRequest = {
  readonly metadata: TableMetadata
  readonly name: MetadataTableName
  readonly selector: SnapshotSelector
  readonly nowMs?: number
}

/** Tables that show one version, and can therefore show an older one. */
const versioned: ReadonlySet<MetadataTableName> = new Set([
  'manifests',
  'files',
  'data_files',
  'delete_files',
  'entries',
  'partitions',
])

/**
 * One of a table's metadata tables.
 * @throws FloeError invalid-input when a version is asked of a table that shows all of them, not-found for unknown ones
 */
export function metadataTable(request: MetadataTableRequest): MetadataTable {
  const { metadata, name, selector, nowMs } = request
  if (!versioned.has(name) && selector.kind !== 'current') {
    throw new FloeError(
      'invalid-input',
      `the metadata table "${name}" shows every version of its table at once`,
      {
        hint: `versions can be asked of ${[...versioned].join(', ')}`,
      },
    )
  }
  if (isSnapshotTable(name)) return snapshotTable(name, metadata)
  if (name.startsWith('all_')) return manifestBased(name.slice('all_'.length), metadata, undefined)
  const snapshot = resolveSnapshot(metadata, selector, nowMs === undefined ? {} : { nowMs })
  return manifestBased(name, metadata, snapshot === undefined ? 'none' : snapshot)
}

function isSnapshotTable(name: string): name is SnapshotTableName {
  return Object.hasOwn(snapshotTables, name)
}

function snapshotTable(name: SnapshotTableName, metadata: TableMetadata): MetadataTable {
  const { columns, rows } = snapshotTables[name]
  return {
    schema: schemaOf(columns),
    snapshot: undefined,
    // eslint-disable-next-line typescript/require-await -- one batch that needs no waiting
    rows: async function* once() {
      yield rows(metadata)
    },
  }
}

/** @param version  `undefined` for every snapshot of the table, `none` for a table without data */
function manifestBased(
  name: string,
  metadata: TableMetadata,
  version: Snapshot | 'none' | undefined,
): MetadataTable {
  const snapshots = version === undefined ? metadata.snapshots : version === 'none' ? [] : [version]
  const snapshot = version === undefined || version === 'none' ? undefined : version
  const source: Source = { metadata, snapshots }
  if (name === 'manifests') {
    return {
      schema: schemaOf(manifestColumns),
      snapshot,
      rows: (reader) => manifestRows(source, withCache(reader)),
    }
  }
  if (name === 'partitions') {
    const { columns } = new PartitionTotals(metadata)
    return {
      schema: schemaOf(columns),
      snapshot,
      rows: (reader) => partitionRows(source, withCache(reader)),
    }
  }
  const files = new FileRows(metadata)
  if (name === 'entries') {
    return {
      schema: schemaOf(files.entryColumns),
      snapshot,
      rows: (reader, wanted) =>
        entryRows(source, anyManifest, withCache(reader), (entry) => files.entryRow(entry, wanted)),
    }
  }
  const kind = name === 'data_files' ? 'data' : name === 'delete_files' ? 'deletes' : undefined
  const ofKind = ({ content }: ManifestFile): boolean => kind === undefined || content === kind
  return {
    schema: schemaOf(files.fileColumns),
    snapshot,
    rows: (reader, wanted) =>
      entryRows(source, ofKind, withCache(reader), (entry) =>
        entry.status === 'deleted' ? undefined : files.fileRow(entry, wanted),
      ),
  }
}

type Source = { readonly metadata: TableMetadata; readonly snapshots: readonly Snapshot[] }

function anyManifest(): boolean {
  return true
}

function withCache({ store, cache = new ManifestCache() }: MetadataReader): ManifestReader {
  return { store, cache }
}

// Each manifest once, though many snapshots share it.
async function* manifestsOf({ snapshots }: Source, reader: ManifestReader): AsyncGenerator<ManifestFile> {
  const seen = new Set<string>()
  for (const snapshot of snapshots) {
    for (const manifest of await loadManifests(snapshot, reader)) {
      if (seen.has(manifest.manifestPath)) continue
      seen.add(manifest.manifestPath)
      yield manifest
    }
  }
}

async function* manifestRows(source: Source, reader: ManifestReader): AsyncGenerator<readonly JsonObject[]> {
  const rows: JsonObject[] = []
  for await (const manifest of manifestsOf(source, reader)) rows.push(manifestRow(manifest, source.metadata))
  yield rows
}

// One manifest in memory at a time.
async function* entryRows(
  source: Source,
  wants: (manifest: ManifestFile) => boolean,
  reader: ManifestReader,
  toRow: (entry: ManifestEntry) => JsonObject | undefined,
): AsyncGenerator<readonly JsonObject[]> {
  for await (const manifest of manifestsOf(source, reader)) {
    if (!wants(manifest)) continue
    const entries = await loadEntries(manifest, reader)
    yield entries.map(toRow).filter((row) => row !== undefined)
  }
}

async function* partitionRows(source: Source, reader: ManifestReader): AsyncGenerator<readonly JsonObject[]> {
  const totals = new PartitionTotals(source.metadata)
  for await (const manifest of manifestsOf(source, reader)) {
    for (const entry of await loadEntries(manifest, reader)) if (entry.status !== 'deleted') totals.add(entry)
  }
  yield totals.rows()
}
