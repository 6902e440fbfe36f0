export { openEngine } from './engine.ts'
export type { Engine, EngineComponents, EngineSettings, QueryOptions } from './engine.ts'
export type { QueryResult, ResultColumn, SnapshotReference } from './query-result.ts'
