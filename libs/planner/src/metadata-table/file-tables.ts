import type { DataFile, JsonObject, JsonValue, ManifestEntry, TableMetadata } from '@floe/iceberg'

import { binary, int, listOf, long, string, structOf } from './column-types.ts'
import type { Columns } from './column-types.ts'
import { metricColumns, MetricsView } from './readable-metrics.ts'
import { escapedBytes, unifiedPartition } from './unified-partition.ts'
import type { UnifiedPartition } from './unified-partition.ts'

/** Codes of the spec's `content` and `status`. */
const contents: readonly DataFile['content'][] = ['data', 'position-deletes', 'equality-deletes']
const statuses: readonly ManifestEntry['status'][] = ['existing', 'added', 'deleted']

/** How the files of one table show in `files` and `entries`. */
export class FileRows {
  readonly #metadata: TableMetadata
  readonly #partition: UnifiedPartition
  readonly #metrics: MetricsView

  constructor(metadata: TableMetadata) {
    this.#metadata = metadata
    this.#partition = unifiedPartition(metadata)
    const newestLast = [...metadata.schemas].sort((a, b) => this.#rank(a.schemaId) - this.#rank(b.schemaId))
    this.#metrics = new MetricsView(newestLast)
  }

  get fileColumns(): Columns {
    return { ...this.#describingColumns(), readable_metrics: string }
  }

  get entryColumns(): Columns {
    return {
      status: int,
      snapshot_id: long,
      sequence_number: long,
      file_sequence_number: long,
      data_file: structOf(this.#describingColumns()),
      readable_metrics: string,
    }
  }

  /** @param wanted  columns to make; making readable metrics for every file costs more than all the rest */
  fileRow({ dataFile }: ManifestEntry, wanted: ReadonlySet<string>): JsonObject {
    return { ...this.#describe(dataFile, wanted), ...this.#readable(dataFile, wanted) }
  }

  entryRow(entry: ManifestEntry, wanted: ReadonlySet<string>): JsonObject {
    const all = new Set(Object.keys(metricColumns))
    return {
      status: statuses.indexOf(entry.status),
      snapshot_id: entry.snapshotId ?? null,
      sequence_number: entry.sequenceNumber ?? null,
      file_sequence_number: entry.fileSequenceNumber ?? null,
      data_file: wanted.has('data_file') ? this.#describe(entry.dataFile, all) : null,
      ...this.#readable(entry.dataFile, wanted),
    }
  }

  #rank(schemaId: number): number {
    return schemaId === this.#metadata.currentSchemaId ? Number.POSITIVE_INFINITY : schemaId
  }

  #describingColumns(): Columns {
    const { type } = this.#partition
    return {
      content: int,
      file_path: string,
      file_format: string,
      spec_id: int,
      ...(type === undefined ? {} : { partition: type }),
      record_count: long,
      file_size_in_bytes: long,
      ...metricColumns,
      key_metadata: binary,
      split_offsets: listOf(long),
      equality_ids: listOf(int),
      sort_order_id: int,
      first_row_id: long,
      referenced_data_file: string,
      content_offset: long,
      content_size_in_bytes: long,
    }
  }

  #describe(file: DataFile, wanted: ReadonlySet<string>): JsonObject {
    const measured = Object.keys(metricColumns).some((column) => wanted.has(column))
    return {
      content: contents.indexOf(file.content),
      file_path: file.filePath,
      file_format: file.fileFormat.toUpperCase(),
      spec_id: file.specId,
      partition: this.#partition.toJson(file),
      record_count: file.recordCount,
      file_size_in_bytes: file.fileSizeInBytes,
      ...(measured ? this.#metrics.toJson(file) : {}),
      key_metadata: file.keyMetadata === undefined ? null : escapedBytes(file.keyMetadata),
      split_offsets: file.splitOffsets ?? null,
      equality_ids: file.equalityIds ?? null,
      sort_order_id: file.sortOrderId ?? null,
      first_row_id: file.firstRowId ?? null,
      referenced_data_file: file.referencedDataFile ?? null,
      content_offset: file.contentOffset ?? null,
      content_size_in_bytes: file.contentSizeInBytes ?? null,
    }
  }

  #readable(file: DataFile, wanted: ReadonlySet<string>): Readonly<Record<string, JsonValue>> {
    return wanted.has('readable_metrics') ? { readable_metrics: this.#metrics.readable(file) } : {}
  }
}
