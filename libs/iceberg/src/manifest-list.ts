/** Spec "Manifest Lists", `field_summary`. */
export type FieldSummary = {
  readonly containsNull: boolean
  readonly containsNan?: boolean
  readonly lowerBound?: Uint8Array
  readonly upperBound?: Uint8Array
}

/** One entry of a manifest list. Counts are `undefined` when a v1 writer left them out. */
export type ManifestFile = {
  readonly manifestPath: string
  readonly manifestLength: number
  readonly partitionSpecId: number
  readonly content: 'data' | 'deletes'
  readonly sequenceNumber: bigint
  readonly minSequenceNumber: bigint
  readonly addedSnapshotId: bigint
  readonly addedFilesCount?: number
  readonly existingFilesCount?: number
  readonly deletedFilesCount?: number
  readonly addedRowsCount?: number
  readonly existingRowsCount?: number
  readonly deletedRowsCount?: number
  readonly partitions?: readonly FieldSummary[]
  readonly keyMetadata?: Uint8Array
  readonly firstRowId?: bigint
}
