export type ObservedSnapshot = {
  readonly id: bigint
  readonly parentId: bigint | undefined
  readonly sequenceNumber: bigint
  readonly token: string | undefined
}

export type ObservedMetadataFile = {
  readonly location: string
  readonly timestampMs: number
  /** The files before it, oldest first; `undefined` when the file is gone or cannot be read. */
  readonly log: readonly string[] | undefined
  readonly table: string | undefined
}

/** What a table turned out to be after the last restart. */
export type ObservedTable = {
  readonly uuid: string
  readonly name: string
  /** Of the create that made it. */
  readonly createToken: string | undefined
  readonly propertyTokens: readonly string[]
  /** In the order of the metadata. */
  readonly snapshots: readonly ObservedSnapshot[]
  readonly currentSnapshotId: bigint | undefined
  /** What the branch `main` points at. */
  readonly mainSnapshotId: bigint | undefined
  readonly lastSequenceNumber: bigint
  readonly snapshotLog: readonly bigint[]
  /** Those of the metadata log and then the newest one. */
  readonly metadataFiles: readonly ObservedMetadataFile[]
  /** Manifest lists that snapshots name and that are not there. */
  readonly missingFiles: readonly string[]
}
