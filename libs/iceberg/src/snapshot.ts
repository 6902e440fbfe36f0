import type { JsonObject } from './json.ts'

export type SnapshotOperation = 'append' | 'replace' | 'overwrite' | 'delete'

export type Snapshot = {
  readonly snapshotId: bigint
  readonly parentSnapshotId?: bigint
  /** 0n in v1. */
  readonly sequenceNumber: bigint
  readonly timestampMs: number
  /** Absent only in v1 snapshots that list `manifests` inline. */
  readonly manifestList?: string
  readonly manifests?: readonly string[]
  /** Always holds `operation` when written by Floe; v1 snapshots may have none. */
  readonly summary?: Readonly<Record<string, string>>
  readonly schemaId?: number
  readonly firstRowId?: bigint
  readonly addedRows?: bigint
  readonly keyId?: string
  readonly extra?: JsonObject
}

export type SnapshotRef = {
  readonly snapshotId: bigint
  readonly type: 'branch' | 'tag'
  readonly minSnapshotsToKeep?: number
  readonly maxSnapshotAgeMs?: number
  readonly maxRefAgeMs?: number
  readonly extra?: JsonObject
}
