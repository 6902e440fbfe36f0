import type { JsonObject, Snapshot, TableMetadata } from '@floe/iceberg'

import { boolean, int, long, mapOf, string, timestamptz } from './column-types.ts'
import type { Columns } from './column-types.ts'

/** A table made of table metadata alone: no manifest is read. */
export type SnapshotTable = {
  readonly columns: Columns
  readonly rows: (metadata: TableMetadata) => readonly JsonObject[]
}

const snapshots: SnapshotTable = {
  columns: {
    committed_at: timestamptz,
    snapshot_id: long,
    parent_id: long,
    operation: string,
    manifest_list: string,
    summary: mapOf(string, string),
  },
  rows: (metadata) =>
    metadata.snapshots.map((snapshot) => {
      const { operation = null, ...summary } = snapshot.summary ?? {}
      return {
        committed_at: isoTime(snapshot.timestampMs),
        snapshot_id: snapshot.snapshotId,
        parent_id: snapshot.parentSnapshotId ?? null,
        operation,
        manifest_list: snapshot.manifestList ?? null,
        summary,
      }
    }),
}

const history: SnapshotTable = {
  columns: {
    made_current_at: timestamptz,
    snapshot_id: long,
    parent_id: long,
    is_current_ancestor: boolean,
  },
  rows: (metadata) => {
    const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
    const ancestors = ancestorsOfCurrent(metadata, byId)
    return metadata.snapshotLog.map(({ timestampMs, snapshotId }) => ({
      made_current_at: isoTime(timestampMs),
      snapshot_id: snapshotId,
      parent_id: byId.get(snapshotId)?.parentSnapshotId ?? null,
      is_current_ancestor: ancestors.has(snapshotId),
    }))
  },
}

const refs: SnapshotTable = {
  columns: {
    name: string,
    type: string,
    snapshot_id: long,
    max_reference_age_in_ms: long,
    min_snapshots_to_keep: int,
    max_snapshot_age_in_ms: long,
  },
  rows: (metadata) =>
    Object.entries(metadata.refs).map(([name, ref]) => ({
      name,
      type: ref.type.toUpperCase(),
      snapshot_id: ref.snapshotId,
      max_reference_age_in_ms: ref.maxRefAgeMs ?? null,
      min_snapshots_to_keep: ref.minSnapshotsToKeep ?? null,
      max_snapshot_age_in_ms: ref.maxSnapshotAgeMs ?? null,
    })),
}

const metadataLogEntries: SnapshotTable = {
  columns: {
    timestamp: timestamptz,
    file: string,
    latest_snapshot_id: long,
    latest_schema_id: int,
    latest_sequence_number: long,
  },
  rows: (metadata) =>
    metadata.metadataLog.map(({ timestampMs, metadataFile }) => {
      const snapshot = newestAt(metadata, timestampMs)
      return {
        timestamp: isoTime(timestampMs),
        file: metadataFile,
        latest_snapshot_id: snapshot?.snapshotId ?? null,
        latest_schema_id: snapshot?.schemaId ?? null,
        latest_sequence_number: snapshot?.sequenceNumber ?? null,
      }
    }),
}

const properties: SnapshotTable = {
  columns: { key: string, value: string },
  rows: (metadata) => Object.entries(metadata.properties).map(([key, value]) => ({ key, value })),
}

export type SnapshotTableName = 'snapshots' | 'history' | 'refs' | 'metadata_log_entries' | 'properties'

export const snapshotTables: Readonly<Record<SnapshotTableName, SnapshotTable>> = {
  snapshots,
  history,
  refs,
  metadata_log_entries: metadataLogEntries,
  properties,
}

function ancestorsOfCurrent(
  { currentSnapshotId }: TableMetadata,
  byId: ReadonlyMap<bigint, Snapshot>,
): ReadonlySet<bigint> {
  const ancestors = new Set<bigint>()
  for (
    let id = currentSnapshotId;
    id !== undefined && !ancestors.has(id);
    id = byId.get(id)?.parentSnapshotId
  )
    ancestors.add(id)
  return ancestors
}

function newestAt({ snapshotLog, snapshots: all }: TableMetadata, timestampMs: number): Snapshot | undefined {
  const entry = snapshotLog.findLast((each) => each.timestampMs <= timestampMs)
  return all.find(({ snapshotId }) => snapshotId === entry?.snapshotId)
}

export function isoTime(timestampMs: number): string {
  return new Date(timestampMs).toISOString()
}
