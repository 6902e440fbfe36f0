export type { ConnectOptions, SourceConnection } from './source/connect-source.ts'
export { connectSource } from './source/connect-source.ts'
export type { SourceColumn, SourceLeaf, SourceTable, SourceTableKind } from './source/source-table.ts'
export { findSourceTables } from './source/source-table.ts'
export type { CompositeField, SourceType } from './source/source-type.ts'
export type { SnapshotOptions, SourceSnapshot } from './source/source-snapshot.ts'
export { exportSnapshot, onSnapshot } from './source/source-snapshot.ts'
export type { CursorBounds, CursorColumn } from './source/cursor-column.ts'
export {
  cursorRange,
  divideCursorRange,
  findCursorColumn,
  hasUnorderedRows,
  readCursorBounds,
  readCursorSteps,
  rowsOutsideOrder,
} from './source/cursor-column.ts'
export { findSystemIdentifier, rowsWrittenSince, xidDistanceMax } from './source/row-version.ts'
export type { LeafIdentity, SourceIdentity } from './source/source-identity.ts'
export { identifyLeaves, identifyServer } from './source/source-identity.ts'
export { quoteIdentifier, quoteRelation } from './source/relation-name.ts'
export type {
  DimensionsPolicy,
  ResolvedPolicy,
  TypeChoice,
  TypePolicies,
  TypePolicy,
  ValuePolicy,
} from './plan/type-policy.ts'
export type { NestedWire, ScalarWire, Wire } from './plan/wire-type.ts'
export type { ColumnPlan } from './plan/column-plan.ts'
export { planColumns } from './plan/column-plan.ts'
export type { BlockRange, Chunk, ChunkOptions, ChunkPlan, ReadMethod } from './plan/chunk.ts'
export { blocksRelation, planChunks } from './plan/chunk.ts'
export { countUnchanged } from './plan/unchanged-rows.ts'
export type { UnchangedRows } from './plan/unchanged-rows.ts'
export { estimateRows } from './plan/estimate-rows.ts'
export type { BatchHandler, ReadStats, SourceReader, SourceReaderOptions } from './read/source-reader.ts'
export { openSourceReader } from './read/open-source-reader.ts'
export { drainCopy } from './read/drain-copy.ts'
