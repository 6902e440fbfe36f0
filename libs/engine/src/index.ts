export { openEngine } from './engine.ts'
export type { Engine, EngineComponents, EngineSettings, QueryOptions } from './engine.ts'
export type { QueryProfile, QueryStage } from './query-profile.ts'
export type { QueryResult, ResultColumn, SnapshotReference } from './query-result.ts'
