import { FloeError, type Schema } from '@floe/iceberg/values'
import type { BloomFilterSettings } from './bloom-filter.ts'
import type { ColumnBatch } from './column.ts'
import { checkColumn } from './column-check.ts'
import { encodeColumnChunk, type ChunkSettings } from './column-chunk.ts'
import { magic, type Codec } from './file-format.ts'
import { collectMetrics, type FileMetrics } from './file-metrics.ts'
import { fileSchema, type FileSchema } from './file-schema.ts'
import { encodeFooter, type PlacedChunk, type PlacedRowGroup } from './footer.ts'
import { metricsDefault, type MetricsSettings } from './metrics-mode.ts'
import { Scratch } from './scratch.ts'
import { schemaJson } from './schema-json.ts'

export type EncoderSettings = {
  readonly schema: Schema
  /** Default zstd. A chunk that does not shrink is stored uncompressed whatever the codec. */
  readonly codec?: Codec
  /** On the codec's own scale; default 1 for zstd, 6 for gzip. */
  readonly level?: number
  /** Uncompressed bytes of a data page; default 1 MiB. */
  readonly pageBytes?: number
  /** Rows of a data page; default no limit but `pageBytes`. */
  readonly pageRowsMax?: number
  /** Largest dictionary of a chunk, uncompressed; 0 turns dictionaries off; default 2 MiB. */
  readonly dictionaryBytesMax?: number
  /** Columns that have a Bloom filter in every row group; none by default. */
  readonly bloomFilters?: BloomFilterSettings
  /** Default truncate(16). */
  readonly metrics?: MetricsSettings
  /** Added to the footer beside `iceberg.schema`. */
  readonly keyValueMetadata?: Readonly<Record<string, string>>
}

/** One Parquet file, row group by row group; memory does not grow with the file but by its footer. */
export interface ParquetEncoder {
  /**
   * Bytes of one row group in file order; the first call begins with the magic. The chunks share no memory with each
   * other nor with the encoder. A batch of 0 rows makes no row group.
   * @throws FloeError `invalid-input` when a column does not fit the schema or the batch
   */
  encodeRowGroup(batch: ColumnBatch): readonly Uint8Array[]
  /** Footer bytes and the file's Iceberg metrics. No further call is allowed. */
  finish(): { readonly chunks: readonly Uint8Array[]; readonly metrics: FileMetrics }
  readonly bytesWritten: number
  readonly rowCount: number
}

const pageBytesDefault = 1024 * 1024
const dictionaryBytesMaxDefault = 2 * 1024 * 1024

/** @throws FloeError `unsupported` when the schema has a type that Parquet files of Floe cannot hold (variant) */
export function createParquetEncoder(settings: EncoderSettings): ParquetEncoder {
  return new StitchingEncoder(settings)
}

/** Row groups are encoded one at a time and stitched under one footer. */
class StitchingEncoder implements ParquetEncoder {
  bytesWritten = 0
  rowCount = 0
  readonly #settings: EncoderSettings
  readonly #chunkSettings: ChunkSettings
  readonly #schema: FileSchema
  readonly #scratch = new Scratch()
  readonly #rowGroups: PlacedRowGroup[] = []
  #isFinished = false

  constructor(settings: EncoderSettings) {
    this.#settings = settings
    this.#schema = fileSchema(settings.schema)
    this.#chunkSettings = {
      codec: settings.codec ?? 'zstd',
      level: settings.level,
      pageBytes: settings.pageBytes ?? pageBytesDefault,
      pageRowsMax: settings.pageRowsMax ?? Number.MAX_SAFE_INTEGER,
      dictionaryBytesMax: settings.dictionaryBytesMax ?? dictionaryBytesMaxDefault,
      bloomFilters: settings.bloomFilters,
    }
  }

  encodeRowGroup(batch: ColumnBatch): readonly Uint8Array[] {
    this.#checkOpen()
    const out = this.#begin()
    if (batch.rowCount === 0) return out
    const chunks: PlacedChunk[] = []
    const filters: { readonly chunk: number; readonly bytes: Uint8Array }[] = []
    this.#storedColumns(batch).forEach(({ leaf, column }) => {
      const { bytes, bloomFilter, ...facts } = encodeColumnChunk(
        leaf,
        column,
        this.#chunkSettings,
        this.#scratch,
      )
      if (bloomFilter !== undefined) filters.push({ chunk: chunks.length, bytes: bloomFilter })
      chunks.push({ ...facts, offset: this.bytesWritten, byteCount: bytes.length })
      this.bytesWritten += bytes.length
      out.push(bytes)
    })
    for (const { chunk, bytes } of filters) {
      chunks[chunk] = {
        ...(chunks[chunk] as PlacedChunk),
        bloomFilter: { offset: this.bytesWritten, byteCount: bytes.length },
      }
      this.bytesWritten += bytes.length
      out.push(bytes)
    }
    this.#rowGroups.push({ rowCount: batch.rowCount, chunks })
    this.rowCount += batch.rowCount
    return out
  }

  finish(): { readonly chunks: readonly Uint8Array[]; readonly metrics: FileMetrics } {
    this.#checkOpen()
    const chunks = this.#begin()
    this.#isFinished = true
    const { schema, keyValueMetadata, metrics } = this.#settings
    const footer = encodeFooter({
      schema: this.#schema,
      rowGroups: this.#rowGroups,
      rowCount: this.rowCount,
      keyValueMetadata: { ...keyValueMetadata, 'iceberg.schema': schemaJson(schema) },
    })
    chunks.push(footer)
    this.bytesWritten += footer.length
    const collected = collectMetrics(this.#schema.leaves, this.#rowGroups, metrics ?? metricsDefault)
    return {
      chunks,
      metrics: { recordCount: this.rowCount, fileSizeInBytes: this.bytesWritten, ...collected },
    }
  }

  #begin(): Uint8Array[] {
    if (this.bytesWritten > 0) return []
    this.bytesWritten = magic.length
    return [magic.slice()]
  }

  #storedColumns(batch: ColumnBatch) {
    const { leaves, leafPositions } = this.#schema
    if (batch.columns.length !== leafPositions.length) {
      throw new FloeError(
        'invalid-input',
        `batch has ${batch.columns.length} columns, the schema has ${leafPositions.length} leaves`,
      )
    }
    return batch.columns.flatMap((column, index) => {
      const leaf = leaves[leafPositions[index] ?? -1]
      if (leaf === undefined) return []
      checkColumn(leaf, column, batch.rowCount)
      return [{ leaf, column }]
    })
  }

  #checkOpen(): void {
    if (this.#isFinished)
      throw new FloeError('invalid-input', 'the Parquet encoder is finished: start a new one')
  }
}
