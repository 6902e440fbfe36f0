export { defaultLimits, load } from './load.ts'
export type { LoadRequest, LoadRunComponents } from './load.ts'
export type { LoadComponents } from './load-components.ts'
export type {
  IncrementReport,
  LoadProgress,
  LoadReport,
  ResumeReport,
  TableFailure,
  TableLoad,
  TablePlan,
} from './load-report.ts'
export type { ReadMethod } from '@floe/postgres'
export type { LoadMode } from './load-target.ts'
export type { LoadLimits, LoadPhases, LoadStats } from './load-task.ts'
export type { CursorRequest, IncrementRule } from './plan-increment.ts'
export { removeOrphans } from './remove-orphans.ts'
export type { OrphanReport, OrphanRequest } from './remove-orphans.ts'
export type { SchemaChange } from './reconcile-schema.ts'
export type { TableSelection, TableSettings, TableTypePolicies } from './table-selection.ts'
