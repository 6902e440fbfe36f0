import type { JsonObject } from './json.ts'
import type { PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'
import type { Snapshot, SnapshotRef } from './snapshot.ts'
import type { SortOrder } from './sort-order.ts'

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
  readonly snapshotLog: readonly { readonly timestampMs: number; readonly snapshotId: bigint }[]
  readonly metadataLog: readonly { readonly timestampMs: number; readonly metadataFile: string }[]
  readonly refs: Readonly<Record<string, SnapshotRef>>
  readonly nextRowId?: bigint
  readonly statistics: readonly JsonObject[]
  readonly partitionStatistics: readonly JsonObject[]
  readonly encryptionKeys: readonly JsonObject[]
  readonly extra?: JsonObject
}
