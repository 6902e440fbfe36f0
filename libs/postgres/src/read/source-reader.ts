import type { ColumnBatch } from '@floe/parquet'
import { FloeError } from '@floe/iceberg/values'
import type { Chunk, ReadMethod } from '../plan/chunk.ts'
import type { ColumnPlan } from '../plan/column-plan.ts'
import type { SourceConnection } from '../source/connect-source.ts'
import { sourceError } from '../source/source-error.ts'

export type ReadStats = {
  readonly rows: number
  /** Bytes received, message headers included; of the text values for `cursor`. */
  readonly wireBytes: number
  /** Time without bytes to decode. */
  readonly waitMs: number
  readonly decodeMs: number
  /** Values that a policy changed, as `column: case -> action`. */
  readonly touched: Readonly<Record<string, number>>
}

export type BatchHandler = (batch: ColumnBatch) => void | Promise<void>

export type SourceReaderOptions = {
  readonly url: string
  /** From `exportSnapshot`, whose session must stay open. */
  readonly snapshotId: string
  readonly columns: readonly ColumnPlan[]
  readonly method: ReadMethod
  readonly batchRowsMax: number
  /** Bytes on the wire of one batch; at least one row is in it. Capped at 1 GiB. */
  readonly batchBytesMax: number
  /** Of the dictionaries of all text columns; unlimited when absent. */
  readonly dictionaryBytesMax?: number
  readonly signal?: AbortSignal
  /** Milliseconds, monotonic. */
  readonly clock: { now(): number }
}

/** One session that reads chunks into column batches. */
export interface SourceReader {
  /**
   * Pulls chunks until none is left; a batch spans chunks. While the promise of `onBatch` is pending nothing is read
   * (back-pressure), and once it resolves the batch's buffers are used again: copy what must live longer.
   * A reader that has failed cannot read on.
   */
  read(nextChunk: () => Chunk | undefined, onBatch: BatchHandler): Promise<ReadStats>
  /** So far. */
  timings(): Pick<ReadStats, 'wireBytes' | 'waitMs' | 'decodeMs'>
  /** Bytes of the buffers of the batch, as they have grown. */
  heldBytes(): number
  close(): Promise<void>
}

/** Every reader must be REPEATABLE READ: at READ COMMITTED each query would see its own instant. */
export async function beginOnSnapshot(client: SourceConnection, snapshotId: string): Promise<void> {
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await client.query(`SET TRANSACTION SNAPSHOT '${snapshotId.replaceAll("'", "''")}'`)
  } catch (error) {
    throw sourceError(`taking up snapshot ${snapshotId}`, error)
  }
}

export function cancelledError(cause: unknown): FloeError {
  return new FloeError('cancelled', 'reading was stopped', { cause })
}
