import { taskAt } from '@floe/compute'
import type { TaskReference } from '@floe/compute'
import type { Chunk, ColumnPlan } from '@floe/postgres'
import type { NullVariant } from './load-request.ts'

export type NullStageInput = {
  readonly variant: NullVariant
  readonly source: {
    readonly url: string
    readonly snapshotId: string
    readonly columns: readonly ColumnPlan[]
  }
  readonly chunks: readonly Chunk[]
  /** Two integers: the next chunk that nobody has taken, and the workers that are ready to begin. */
  readonly shared: SharedArrayBuffer
  readonly workers: number
  /** Of a worker without a source, which makes as many. */
  readonly rows: number
  /** What it writes. */
  readonly file: string
}

/** Milliseconds of one clock for all threads; CPU is of the whole process. */
export type NullStageResult = {
  readonly rows: number
  readonly wireBytes: number
  readonly startedMs: number
  readonly endedMs: number
  readonly startedCpuSeconds: number
  readonly endedCpuSeconds: number
}

export const nullStageTask: TaskReference<NullStageInput, NullStageResult> = taskAt(
  new URL('./null-stage.task.ts', import.meta.url),
)
