import type { DataFile } from './data-file.ts'
import type { PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'

export type ManifestEntry = {
  readonly status: 'existing' | 'added' | 'deleted'
  /** `undefined` means: inherited from the manifest list (spec "Sequence Number Inheritance"). */
  readonly snapshotId?: bigint
  readonly sequenceNumber?: bigint
  readonly fileSequenceNumber?: bigint
  readonly dataFile: DataFile
}

/** The key-value header of a manifest file. */
export type ManifestHeader = {
  readonly schema: Schema
  readonly spec: PartitionSpec
  readonly formatVersion: 1 | 2 | 3
  readonly content: 'data' | 'deletes'
}
