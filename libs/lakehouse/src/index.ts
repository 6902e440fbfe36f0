export { answerToJson, jsonOf, snapshotsOf } from './json-value.ts'
export { defaultWorkers, Lakehouse } from './lakehouse.ts'
export type { Readiness } from './readiness.ts'
export type { Asker } from './asker.ts'
export type { LakehouseObservers, LoadOptions, QueryOptions } from './lakehouse.ts'
export type { AccessSettings } from './access-settings.ts'
export { configFileName, readSettings } from './settings.ts'
export type { LakehouseSettings, ProviderSettings, SettingFlags, SettingName } from './settings.ts'
export { loadMetrics } from './load-metrics.ts'
export { runReport } from './run-report.ts'
export { listAllNamespaces, listAllTables } from './table-directory.ts'
export { inspectTable } from './inspect-table.ts'
export type { TableInspection } from './inspect-table.ts'
export { pipelineFileName, readPipeline } from './pipeline-file.ts'
export type { Pipeline } from './pipeline-file.ts'
export { parseNamespace, parseTableName } from './table-name.ts'
export type { AccessAdmin, NamedRestriction, TokenInfo } from '@floe/catalog-server'
export { auditActions, maskActions, privileges } from '@floe/catalog'
export type {
  AuditAction,
  AuditEntry,
  AuditFilter,
  CatalogManagement,
  DroppedRelation,
  ExpiryReport,
  Protectable,
} from '@floe/catalog'
export type { Grant, Grantee, MaskAction, Privilege, Securable } from '@floe/catalog'
export type { Answer } from '@floe/agent'
export type { LoadedTable, TableIdentifier } from '@floe/catalog'
export type { CatalogSignal } from '@floe/catalog/sql'
export type { QueryResult, QueryStage } from '@floe/engine'
export type {
  IncrementReport,
  LoadMode,
  LoadProgress,
  LoadReport,
  ResumeReport,
  TableFailure,
  TableLoad,
  TablePlan,
  TableSettings,
} from '@floe/etl'
