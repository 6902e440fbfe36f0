import type { ErrorData } from '@floe/iceberg'
import type { LoadStats } from './load-task.ts'
import type { SchemaChange } from './reconcile-schema.ts'
import type { LoadMode } from './load-target.ts'

/** What a load would do to one table (`--dry-run`). */
export type TablePlan = {
  readonly status: 'planned'
  readonly table: string
  readonly source: string
  readonly mode: LoadMode
  readonly method: 'copy' | 'cursor'
  readonly methodReason: string
  readonly chunks: number
  readonly sourceBytes: number
  readonly estimatedRows: number
  readonly estimatedSeconds: number
  readonly columns: readonly { readonly name: string; readonly type: string; readonly required: boolean }[]
  readonly partitionedBy: string
  readonly schemaChanges: readonly SchemaChange[]
}

export type TableLoad = {
  readonly status: 'loaded'
  readonly table: string
  readonly source: string
  readonly mode: LoadMode
  readonly method: 'copy' | 'cursor'
  readonly methodReason: string
  readonly workers: number
  readonly rows: number
  readonly seconds: number
  readonly rowsPerSecond: number
  /** Bytes read from PostgreSQL per second, in units of 1,000,000. */
  readonly megabytesPerSecond: number
  readonly files: number
  readonly dataBytes: number
  readonly snapshotId: bigint
  readonly token: string
  readonly attempts: number
  readonly schemaChanges: readonly SchemaChange[]
  readonly stats: LoadStats
  readonly warnings: readonly string[]
}

export type TableFailure = {
  readonly status: 'failed'
  readonly table: string
  readonly source: string
  readonly error: Omit<ErrorData, 'stack'>
}

export type LoadReport = {
  readonly tables: readonly (TablePlan | TableLoad | TableFailure)[]
  readonly seconds: number
  /** CPU seconds of this process, all threads. */
  readonly cpuSeconds: number
}

export type LoadProgress =
  | {
      readonly kind: 'table-started'
      readonly table: string
      readonly estimatedRows: number
      readonly chunks: number
    }
  | {
      readonly kind: 'table-progress'
      readonly table: string
      readonly rows: number
      readonly estimatedRows: number
      readonly encodedBytes: number
      readonly seconds: number
    }
  | { readonly kind: 'table-finished'; readonly result: TableLoad | TableFailure }
