import type { ErrorData } from '@floe/iceberg'
import type { LoadPhases, LoadStats } from './load-task.ts'
import type { SchemaChange } from './reconcile-schema.ts'
import type { LoadMode } from './load-target.ts'
import type { IncrementRule } from './plan-increment.ts'

/** How an incremental load finds new rows, and keeps those that it had from coming twice. */
export type IncrementReport = {
  readonly cursor: string
  readonly rule: IncrementRule
  /** No earlier load has left a position. */
  readonly isFirst: boolean
}

/** What became of an earlier load that was killed, and what would become of this one. */
export type ResumeReport =
  /** No load of the table was killed; this one could be resumed. */
  | { readonly outcome: 'not-needed' }
  | {
      readonly outcome: 'resumed'
      /** Finished before, and not read again. */
      readonly chunks: number
      readonly rows: number
      readonly files: number
      /** Finished before, and read again since the source has changed in them. */
      readonly changedChunks: number
    }
  | { readonly outcome: 'anew'; readonly reason: string }
  /** Chunks of this load could not be told to be unchanged after it. */
  | { readonly outcome: 'impossible'; readonly reason: string }

/** What a load would do to one table (`--dry-run`). */
export type TablePlan = {
  readonly status: 'planned'
  readonly table: string
  readonly source: string
  readonly mode: LoadMode
  readonly method: 'copy' | 'cursor'
  readonly methodReason: string
  readonly chunks: number
  readonly commits: number
  readonly sourceBytes: number
  readonly estimatedRows: number
  readonly estimatedSeconds: number
  readonly columns: readonly { readonly name: string; readonly type: string; readonly required: boolean }[]
  readonly partitionedBy: string
  readonly schemaChanges: readonly SchemaChange[]
  readonly increment?: IncrementReport
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
  /** Files with the keys of replaced rows. */
  readonly deleteFiles: number
  readonly dataBytes: number
  /** The table's current one: of this load, unless there was nothing new. */
  readonly snapshotId: bigint
  readonly commits: number
  /** Marks the last commit. */
  readonly token: string
  readonly attempts: number
  readonly schemaChanges: readonly SchemaChange[]
  readonly increment?: IncrementReport
  readonly resume: ResumeReport
  /** Of what was read: rows of a load that was resumed are in `rows` alone. */
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
  | { readonly kind: 'table-resume'; readonly table: string; readonly resume: ResumeReport }
  | {
      readonly kind: 'table-progress'
      readonly table: string
      readonly rows: number
      readonly estimatedRows: number
      /** Received from the source, and written as Parquet. */
      readonly wireBytes: number
      readonly encodedBytes: number
      readonly seconds: number
      /** 0 to 1; absent while nothing tells how much there is. */
      readonly doneShare?: number
      readonly secondsLeft?: number
      /** Of all workers together. */
      readonly phases: LoadPhases
    }
  | { readonly kind: 'table-finished'; readonly result: TableLoad | TableFailure }
