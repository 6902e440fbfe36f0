import type { DataFile, Partition, PartitionSpec, Schema } from '@floe/iceberg'
import { batchBytes, createParquetEncoder, selectRows } from '@floe/parquet'
import type { ColumnBatch, EncoderSettings, ParquetEncoder } from '@floe/parquet'
import type { ObjectStore, Upload } from '@floe/storage'
import { dataFileLocation } from './data-location.ts'
import type { DataLocation } from './data-location.ts'
import type { WriteSettings } from './write-settings.ts'

export type FileRollerSettings = {
  readonly schema: Schema
  readonly fileSchema: Schema
  readonly spec: PartitionSpec
  readonly partition: Partition
  readonly location: DataLocation
  readonly write: WriteSettings
  /** The order that the caller's rows have within each file. */
  readonly sortOrderId?: number | undefined
}

export type FileRollerComponents = {
  readonly store: ObjectStore
  /** The next file's name, without its folder: unique in the table for ever. */
  readonly nextFileName: () => string
  /** Called before a file's first byte is written, so that it can be removed whatever happens afterwards. */
  readonly onFileOpened?: (location: string) => void
  readonly signal?: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: { now(): number }
}

export type FileRollerStats = { encodeMs: number; uploadMs: number; encodedBytes: number }

type OpenFile = { readonly location: string; readonly encoder: ParquetEncoder; readonly upload: Upload }

/**
 * Writes batches of one partition into data files: one row group per batch, a new file once the compressed bytes
 * reach the target size (Iceberg counts bytes on disk, not in memory).
 */
export class FileRoller {
  readonly stats: FileRollerStats = { encodeMs: 0, uploadMs: 0, encodedBytes: 0 }
  readonly #settings: FileRollerSettings
  readonly #components: FileRollerComponents
  readonly #files: DataFile[] = []
  #open: OpenFile | undefined

  constructor(settings: FileRollerSettings, components: FileRollerComponents) {
    this.#settings = settings
    this.#components = components
  }

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  async write(batch: ColumnBatch): Promise<void> {
    for (const rowGroup of rowGroupsOf(batch, this.#settings.write)) await this.#writeRowGroup(rowGroup)
  }

  async #writeRowGroup(batch: ColumnBatch): Promise<void> {
    const { clock } = this.#components
    const open = (this.#open ??= await this.#openFile())
    const started = clock.now()
    const chunks = open.encoder.encodeRowGroup(batch)
    this.stats.encodeMs += clock.now() - started
    await this.#upload(open.upload, chunks)
    if (open.encoder.bytesWritten >= this.#settings.write.targetFileBytes) await this.closeFile()
  }

  /** Finishes the open file, if any; the next batch begins another. */
  async closeFile(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    const { chunks, metrics } = open.encoder.finish()
    await this.#upload(open.upload, chunks)
    await open.upload.complete()
    this.#open = undefined
    const { spec, partition, sortOrderId } = this.#settings
    this.#files.push({
      content: 'data',
      filePath: open.location,
      fileFormat: 'parquet',
      specId: spec.specId,
      partition,
      ...metrics,
      ...(sortOrderId === undefined ? {} : { sortOrderId }),
    })
  }

  /** Closes the last file and gives every file written since the last call. */
  async finish(): Promise<readonly DataFile[]> {
    await this.closeFile()
    return this.#files.splice(0)
  }

  /** Drops the open file; files that are complete stay for the caller to remove. */
  async abort(): Promise<void> {
    await this.#open?.upload.abort()
    this.#open = undefined
  }

  async #openFile(): Promise<OpenFile> {
    const { store, nextFileName, onFileOpened, signal } = this.#components
    const { schema, fileSchema, spec, partition, location: base, write } = this.#settings
    const location = dataFileLocation(base, { spec, schema, partition }, nextFileName())
    onFileOpened?.(location)
    const upload = await store.openUpload(location, signal === undefined ? {} : { signal })
    return { location, upload, encoder: createParquetEncoder(encoderSettings(fileSchema, write)) }
  }

  async #upload(upload: Upload, chunks: readonly Uint8Array[]): Promise<void> {
    const { clock } = this.#components
    const started = clock.now()
    for (const chunk of chunks) {
      this.stats.encodedBytes += chunk.length
      await upload.write(chunk)
    }
    this.stats.uploadMs += clock.now() - started
  }
}

/** The batch itself, or equal parts of it that are within the limits of a row group. */
function rowGroupsOf(
  batch: ColumnBatch,
  { rowGroupBytes, rowGroupRowsMax }: WriteSettings,
): readonly ColumnBatch[] {
  const { rowCount } = batch
  if (rowCount === 0) return []
  const count = Math.ceil(Math.max(batchBytes(batch) / rowGroupBytes, rowCount / rowGroupRowsMax))
  if (count <= 1) return [batch]
  const rows = Math.ceil(rowCount / Math.min(count, rowCount))
  return Array.from({ length: Math.ceil(rowCount / rows) }, (_, index) => {
    const start = index * rows
    return selectRows(
      batch,
      Int32Array.from({ length: Math.min(rows, rowCount - start) }, (_unused, row) => start + row),
    )
  })
}

function encoderSettings(schema: Schema, write: WriteSettings): EncoderSettings {
  return {
    schema,
    codec: write.codec,
    pageBytes: write.pageBytes,
    pageRowsMax: write.pageRowsMax,
    dictionaryBytesMax: write.dictionaryBytesMax,
    metrics: { default: write.metrics.default, columns: write.metrics.columns },
    ...(write.bloomFilters === undefined ? {} : { bloomFilters: write.bloomFilters }),
    ...(write.level === undefined ? {} : { level: write.level }),
  }
}
