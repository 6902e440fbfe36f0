/** @module Rows to data files, without what commits them: all that a worker of a load reads of this package. */
export { FileRoller } from './file-roller.ts'
export type { FileRollerComponents } from './file-roller.ts'
export { openFilesMaxDefault, PartitionFanOut } from './partition-fan-out.ts'
export { parseWriteSettings } from './write-settings.ts'
