import { FloeError } from './error.ts'
import type { JsonObject } from './json.ts'
import type { PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'
import { mainBranch, type Snapshot, type SnapshotRef } from './snapshot.ts'
import type { SortOrder } from './sort-order.ts'

type SnapshotLogEntry = {
  readonly timestampMs: number
  readonly snapshotId: bigint
  readonly extra?: JsonObject
}
type MetadataLogEntry = {
  readonly timestampMs: number
  readonly metadataFile: string
  readonly extra?: JsonObject
}

/** Spec "Table Metadata". `extra` keeps JSON members this version does not know, so that they survive a rewrite. */
export type TableMetadata = {
  readonly formatVersion: 1 | 2 | 3
  readonly tableUuid: string
  readonly location: string
  readonly lastSequenceNumber: bigint
  readonly lastUpdatedMs: number
  readonly lastColumnId: number
  readonly schemas: readonly Schema[]
  readonly currentSchemaId: number
  readonly partitionSpecs: readonly PartitionSpec[]
  readonly defaultSpecId: number
  readonly lastPartitionId: number
  readonly sortOrders: readonly SortOrder[]
  readonly defaultSortOrderId: number
  readonly properties: Readonly<Record<string, string>>
  /** Absent (never -1) when the table has no current snapshot. */
  readonly currentSnapshotId?: bigint
  readonly snapshots: readonly Snapshot[]
  readonly snapshotLog: readonly SnapshotLogEntry[]
  readonly metadataLog: readonly MetadataLogEntry[]
  readonly refs: Readonly<Record<string, SnapshotRef>>
  readonly nextRowId?: bigint
  readonly statistics: readonly JsonObject[]
  readonly partitionStatistics: readonly JsonObject[]
  readonly encryptionKeys: readonly JsonObject[]
  readonly extra?: JsonObject
}

export type FormatVersion = TableMetadata['formatVersion']

/** What tables are created with when nobody says otherwise, as in Java. */
export const defaultFormatVersion: FormatVersion = 2

/** Schema of rows that are written next. Throws `corrupt-data` when the id points nowhere. */
export function currentSchema(metadata: TableMetadata): Schema {
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)
  return schema ?? pointsNowhere(metadata, `current-schema-id ${metadata.currentSchemaId}`)
}

/** Spec of files that are written next. Throws `corrupt-data` when the id points nowhere. */
export function defaultSpec(metadata: TableMetadata): PartitionSpec {
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)
  return spec ?? pointsNowhere(metadata, `default-spec-id ${metadata.defaultSpecId}`)
}

/** Order of files that are written next. Throws `corrupt-data` when the id points nowhere. */
export function defaultSortOrder(metadata: TableMetadata): SortOrder {
  const order = metadata.sortOrders.find(({ orderId }) => orderId === metadata.defaultSortOrderId)
  return order ?? pointsNowhere(metadata, `default-sort-order-id ${metadata.defaultSortOrderId}`)
}

function pointsNowhere(metadata: TableMetadata, what: string): never {
  throw new FloeError(
    'corrupt-data',
    `table ${metadata.tableUuid} at ${metadata.location}: ${what} points nowhere`,
  )
}

export function snapshotById(metadata: TableMetadata, snapshotId: bigint): Snapshot | undefined {
  return metadata.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId)
}

/** Head of `main`; `undefined` for a table without data. Throws `corrupt-data` when the id points nowhere. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata.currentSnapshotId
  if (id === undefined) return undefined
  return snapshotById(metadata, id) ?? pointsNowhere(metadata, `current-snapshot-id ${id}`)
}

/** A branch or tag by name, safe for names such as `constructor`. */
export function findRef(metadata: TableMetadata, name: string): SnapshotRef | undefined {
  return Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined
}

/**
 * Head of a branch, or the snapshot of a tag; `undefined` only for `main` of a table without data.
 * @throws FloeError not-found for an unknown ref, corrupt-data when it points nowhere
 */
export function snapshotByRef(metadata: TableMetadata, name: string): Snapshot | undefined {
  const ref = findRef(metadata, name)
  if (ref !== undefined)
    return snapshotById(metadata, ref.snapshotId) ?? pointsNowhere(metadata, `ref "${name}"`)
  if (name === mainBranch) return currentSnapshot(metadata)
  throw new FloeError('not-found', `no branch or tag "${name}" in the table at ${metadata.location}`, {
    hint: `known refs: ${Object.keys(metadata.refs).join(', ') || 'none'}`,
  })
}

/**
 * The snapshot that was current on `main` at a time in milliseconds since 1970.
 * @throws FloeError not-found when the history does not reach back so far, or the snapshot has expired
 */
export function snapshotAsOf(metadata: TableMetadata, timestampMs: number): Snapshot {
  // Clock skew leaves logs unsorted by up to a minute. Of equal times the later entry is the later change.
  let best: TableMetadata['snapshotLog'][number] | undefined
  for (const entry of metadata.snapshotLog) {
    if (entry.timestampMs <= timestampMs && (best === undefined || entry.timestampMs >= best.timestampMs))
      best = entry
  }
  const snapshot = best === undefined ? undefined : snapshotById(metadata, best.snapshotId)
  if (snapshot !== undefined) return snapshot
  throw new FloeError(
    'not-found',
    `the table at ${metadata.location} has no snapshot as of ${timestampMs} ms`,
    {
      hint: 'ask for a later time: older history may have expired',
    },
  )
}
