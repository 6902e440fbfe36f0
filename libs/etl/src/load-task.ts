import type { MessagePort } from 'node:worker_threads'
import { taskAt } from '@floe/compute'
import type { TaskReference } from '@floe/compute'
import type { DataFile, PartitionSpec, Schema, SortOrder } from '@floe/iceberg'
import type { Chunk, ColumnPlan } from '@floe/postgres'
import type { StoreSettings } from '@floe/storage'

/** What one worker of a load gets: plain data, since it crosses a thread. Rows never do. */
export type LoadTaskInput = {
  readonly source: {
    readonly url: string
    readonly snapshotId: string
    readonly columns: readonly ColumnPlan[]
    readonly method: 'copy' | 'cursor'
  }
  readonly chunks: readonly Chunk[]
  /** Two shared integers: the index of the next chunk that nobody has taken, and whether a checkpoint was begun. */
  readonly chunkCounter: SharedArrayBuffer
  /** What is finished is kept for a load that goes on after this one was killed; nothing is when absent. */
  readonly checkpoints?: TaskCheckpoints
  readonly target: {
    readonly schema: Schema
    readonly fileSchema: Schema
    readonly spec: PartitionSpec
    readonly sortOrder: SortOrder
    readonly tableLocation: string
    readonly properties: Readonly<Record<string, string>>
    /** The keys of all rows read are written too, as equality deletes that take their older rows away. */
    readonly deletes?: { readonly spec: PartitionSpec; readonly keyFieldIds: readonly number[] }
  }
  readonly store: StoreSettings
  /** Takes the location of each file before it is opened; moved to the worker. */
  readonly openedFiles: MessagePort
  /** Begins the name of every file of this worker: `<load token>-<worker>`. */
  readonly fileNamePrefix: string
  readonly limits: LoadLimits
}

export type TaskCheckpoints = {
  /** The load's state. */
  readonly folder: string
  /** Begins the names of this worker's checkpoints. */
  readonly namePrefix: string
  readonly formatVersion: 1 | 2 | 3
  /** Made together with the first checkpoint. */
  readonly firstPlan?: { readonly location: string; readonly bytes: Uint8Array }
  /** Also what a worker has read when no chunk is left: its rows may wait long for their commit. */
  readonly atEnd: boolean
}

export type LoadLimits = {
  /** Rows and column bytes of one batch, which becomes one row group. */
  readonly batchRowsMax: number
  readonly batchBytesMax: number
  /** Of the dictionaries of all text columns of a batch; unlimited when absent. */
  readonly dictionaryBytesMax?: number
  /** Rows that wait for their partition, and files written at once; the writer's own when absent. */
  readonly bufferedBytesMax?: number
  readonly openFilesMax?: number
}

/** Where the time of a worker goes. Phases add up within one worker; workers overlap each other. */
export type LoadPhases = {
  /** Waiting for the source. */
  readonly waitMs: number
  readonly decodeMs: number
  readonly encodeMs: number
  /** Waiting for the store to take more. */
  readonly uploadMs: number
}

export type LoadStats = LoadPhases & {
  readonly rows: number
  readonly wireBytes: number
  readonly encodedBytes: number
  /** The most that workers have held of rows and uploads, each at its own time. */
  readonly heldBytesMax: number
  /** Values changed by a policy, by column and case. */
  readonly touched: Readonly<Record<string, number>>
}

/** What a worker has done since it began; `chunksTaken` is of all workers. */
export type LoadTaskProgress = LoadPhases & {
  readonly rows: number
  readonly wireBytes: number
  readonly encodedBytes: number
  readonly chunksTaken: number
}

export type LoadTaskResult = {
  readonly dataFiles: readonly DataFile[]
  readonly deleteFiles: readonly DataFile[]
  readonly stats: LoadStats
}

export const loadTask: TaskReference<LoadTaskInput, LoadTaskResult, LoadTaskProgress> = taskAt(
  new URL('./load.task.ts', import.meta.url),
)

export const emptyStats: LoadStats = {
  rows: 0,
  wireBytes: 0,
  encodedBytes: 0,
  heldBytesMax: 0,
  waitMs: 0,
  decodeMs: 0,
  encodeMs: 0,
  uploadMs: 0,
  touched: {},
}

export function addStats(left: LoadStats, right: LoadStats): LoadStats {
  const touched: Record<string, number> = { ...left.touched }
  for (const [name, count] of Object.entries(right.touched)) touched[name] = (touched[name] ?? 0) + count
  return {
    rows: left.rows + right.rows,
    wireBytes: left.wireBytes + right.wireBytes,
    encodedBytes: left.encodedBytes + right.encodedBytes,
    heldBytesMax: left.heldBytesMax + right.heldBytesMax,
    waitMs: left.waitMs + right.waitMs,
    decodeMs: left.decodeMs + right.decodeMs,
    encodeMs: left.encodeMs + right.encodeMs,
    uploadMs: left.uploadMs + right.uploadMs,
    touched,
  }
}
