export { commitSnapshot } from './commit-snapshot.ts'
export type {
  CommitComponents,
  CommittedSnapshot,
  CommitTarget,
  SnapshotCommit,
  TableState,
} from './snapshot-commit.ts'
export { dataFileLocation, metadataFileLocation } from './data-location.ts'
export type { DataLocation } from './data-location.ts'
export { FileRoller } from './file-roller.ts'
export type { FileRollerComponents, FileRollerSettings, FileRollerStats } from './file-roller.ts'
export { bufferedBytesMaxDefault, openFilesMaxDefault, PartitionFanOut } from './partition-fan-out.ts'
export type { FanOutSettings } from './partition-fan-out.ts'
export { partitionKey, partitionRows } from './partition-rows.ts'
export { commitTokenProperty, findCommitted } from './snapshot-change.ts'
export type { SnapshotChange } from './snapshot-change.ts'
export { parseWriteSettings } from './write-settings.ts'
export type { WriteSettings } from './write-settings.ts'
