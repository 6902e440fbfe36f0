import { unsortedOrder } from '@floe/iceberg/values'
import type { DataFile, PartitionSpec, Schema, SortOrder } from '@floe/iceberg'
import { batchBytes, concatBatches, selectRows } from '@floe/parquet'
import type { ColumnBatch, LeafColumn } from '@floe/parquet'
import type { DataLocation } from './data-location.ts'
import { FileRoller } from './file-roller.ts'
import type { FileRollerComponents, FileRollerStats } from './file-roller.ts'
import { partitionKey, partitionRows } from './partition-rows.ts'
import type { PartitionRows } from './partition-rows.ts'
import { sortRows } from './sort-rows.ts'
import type { WriteSettings } from './write-settings.ts'

const MiB = 1024 * 1024

/** Rows waiting in memory for their partition's next row group, all partitions together. */
export const bufferedBytesMaxDefault: number = 96 * MiB
/** The same for sorted files, whose rows are joined and sorted at once: the largest sorted run. */
const sortedBytesMaxDefault = 64 * MiB
/** Data files being written at once by one worker; beyond it the one written longest ago is finished. */
export const openFilesMaxDefault = 24
const rowGroupRowsMaxDefault = 262_144

export type FanOutSettings = {
  /** The table's schema, which partition values are made for. */
  readonly schema: Schema
  /** The columns of the batches, with the source's types: each the table's type or one that promotes to it. */
  readonly fileSchema: Schema
  readonly spec: PartitionSpec
  readonly location: DataLocation
  readonly write: WriteSettings
  /** Rows that leave together are sorted and make files of their own; unsorted when absent or without fields. */
  readonly sortOrder?: SortOrder
  /** Rows of a row group of sorted files; default 262,144. */
  readonly rowGroupRowsMax?: number
  readonly bufferedBytesMax?: number
  readonly openFilesMax?: number
}

type OpenPartition = {
  readonly key: string
  readonly roller: FileRoller
  pending: ColumnBatch[]
  pendingBytes: number
}

/**
 * Writes batches into the files of their partitions. A bulk read is not sorted by partition, so rows wait in memory
 * and leave, largest partition first, when they pass the budget: row groups stay as large as memory allows.
 */
export class PartitionFanOut {
  readonly #settings: FanOutSettings
  readonly #components: FileRollerComponents
  readonly #partitions = new Map<string, OpenPartition>()
  #bufferedBytes = 0

  constructor(settings: FanOutSettings, components: FileRollerComponents) {
    this.#settings = settings
    this.#components = components
  }

  async write(batch: ColumnBatch): Promise<void> {
    const { schema, fileSchema, spec } = this.#settings
    if (spec.fields.length === 0 && !this.#isSorted) return this.#partition([]).roller.write(batch)
    const owned = ownDictionaries(batch)
    for (const group of partitionRows(batch, { schema, fileSchema, spec })) this.#buffer(owned, group)
    const budget =
      this.#settings.bufferedBytesMax ?? (this.#isSorted ? sortedBytesMaxDefault : bufferedBytesMaxDefault)
    while (this.#bufferedBytes > budget) await this.#flushLargest()
  }

  /** Writes out what waits, closes every file, and gives those since the last call; more rows may come. */
  async finish(): Promise<readonly DataFile[]> {
    const files: DataFile[] = []
    // A flush moves its partition to the end of the map: the loop must not see it twice.
    const partitions = [...this.#partitions.values()]
    for (const partition of partitions) {
      await this.#flush(partition)
      files.push(...(await partition.roller.finish()))
    }
    return files
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map(({ roller }) => roller.abort()))
  }

  /** What waits and what is open. `unfinishedPartitions` have rows that are in no closed file. */
  get held(): {
    readonly bufferedBytes: number
    readonly openFiles: number
    readonly unfinishedPartitions: number
  } {
    const partitions = [...this.#partitions.values()]
    const openFiles = partitions.filter(({ roller }) => roller.isOpen).length
    const unfinished = partitions.filter(({ roller, pending }) => roller.isOpen || pending.length > 0)
    return { bufferedBytes: this.#bufferedBytes, openFiles, unfinishedPartitions: unfinished.length }
  }

  get stats(): FileRollerStats {
    const total: FileRollerStats = { encodeMs: 0, uploadMs: 0, encodedBytes: 0 }
    for (const { roller } of this.#partitions.values()) {
      total.encodeMs += roller.stats.encodeMs
      total.uploadMs += roller.stats.uploadMs
      total.encodedBytes += roller.stats.encodedBytes
    }
    return total
  }

  #partition(partition: PartitionRows['partition']): OpenPartition {
    const key = partitionKey(partition)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const { schema, fileSchema, spec, location, write, sortOrder } = this.#settings
    const sortOrderId = this.#isSorted ? sortOrder?.orderId : undefined
    const file = { schema, fileSchema, spec, partition, location, write, sortOrderId }
    const roller = new FileRoller(file, this.#components)
    const opened: OpenPartition = { key, roller, pending: [], pendingBytes: 0 }
    this.#partitions.set(key, opened)
    return opened
  }

  #buffer(batch: ColumnBatch, { partition, rows }: PartitionRows): void {
    const target = this.#partition(partition)
    const selected = selectRows(batch, rows)
    const bytes = waitingBytes(selected, batch.rowCount)
    target.pending.push(selected)
    target.pendingBytes += bytes
    this.#bufferedBytes += bytes
  }

  async #flushLargest(): Promise<void> {
    let largest: OpenPartition | undefined
    for (const partition of this.#partitions.values()) {
      if (largest === undefined || partition.pendingBytes > largest.pendingBytes) largest = partition
    }
    if (largest !== undefined) await this.#flush(largest)
  }

  async #flush(partition: OpenPartition): Promise<void> {
    if (partition.pending.length === 0) return
    await this.#closeBeyondLimit(partition)
    const batch = concatBatches(partition.pending, this.#settings.fileSchema)
    this.#bufferedBytes -= partition.pendingBytes
    partition.pending = []
    partition.pendingBytes = 0
    if (this.#isSorted) await this.#writeSorted(partition, batch)
    else await partition.roller.write(batch)
    this.#markUsed(partition)
  }

  /** One sorted run: a file is closed at its end, so that no file holds two. */
  async #writeSorted({ roller }: OpenPartition, batch: ColumnBatch): Promise<void> {
    const { sortOrder = unsortedOrder, rowGroupRowsMax = rowGroupRowsMaxDefault } = this.#settings
    const rows = sortRows(batch, this.#settings, sortOrder)
    for (let start = 0; start < rows.length; start += rowGroupRowsMax)
      await roller.write(selectRows(batch, rows.subarray(start, start + rowGroupRowsMax)))
    await roller.closeFile()
  }

  get #isSorted(): boolean {
    return (this.#settings.sortOrder?.fields.length ?? 0) > 0
  }

  // A Map keeps insertion order: putting an entry back at the end makes the first open one the oldest.
  #markUsed(partition: OpenPartition): void {
    this.#partitions.delete(partition.key)
    this.#partitions.set(partition.key, partition)
  }

  async #closeBeyondLimit(next: OpenPartition): Promise<void> {
    if (next.roller.isOpen) return
    const open = [...this.#partitions.values()].filter(({ roller }) => roller.isOpen)
    if (open.length >= (this.#settings.openFilesMax ?? openFilesMaxDefault)) await open[0]?.roller.closeFile()
  }
}

/**
 * Selected rows are copies but share the dictionary of their batch, and a reader fills its buffers again for the next
 * batch: so the dictionaries of rows that wait are copied, once a batch.
 */
function ownDictionaries(batch: ColumnBatch): ColumnBatch {
  return { ...batch, columns: batch.columns.map(ownDictionary) }
}

/** The groups of one batch share its dictionaries: each counts its part, or many partitions would look like much memory. */
function waitingBytes(selected: ColumnBatch, batchRows: number): number {
  const shared = selected.columns.reduce((sum, { values }) => sum + dictionaryBytes(values), 0)
  return batchBytes(selected) - shared + Math.ceil((shared * selected.rowCount) / batchRows)
}

function dictionaryBytes(values: LeafColumn['values']): number {
  if (values.layout !== 'dictionary') return 0
  return 4 * values.dictionaryCount + (values.offsets[values.dictionaryCount] ?? 0)
}

function ownDictionary(column: LeafColumn): LeafColumn {
  const { values } = column
  if (values.layout !== 'dictionary') return column
  const { dictionaryCount } = values
  const offsets = values.offsets.slice(0, dictionaryCount + 1)
  return {
    ...column,
    values: { ...values, offsets, data: values.data.slice(0, offsets[dictionaryCount] ?? 0) },
  }
}
