import { stringifyJson } from '@floe/iceberg'
import type { JsonObject, JsonValue, ManifestEntry, TableMetadata } from '@floe/iceberg'

import { int, long, timestamptz } from './column-types.ts'
import type { Columns } from './column-types.ts'
import { isoTime } from './snapshot-tables.ts'
import { unifiedPartition } from './unified-partition.ts'
import type { UnifiedPartition } from './unified-partition.ts'

type Totals = {
  readonly partition: JsonObject
  readonly specId: number
  records: number
  files: number
  bytes: number
  positionRecords: number
  positionFiles: number
  equalityRecords: number
  equalityFiles: number
  updatedMs: number | undefined
  updatedBy: bigint | undefined
}

/** Sums up the live files of each partition. Files of several specs are several rows, as they lie apart. */
export class PartitionTotals {
  readonly #partition: UnifiedPartition
  readonly #committed: ReadonlyMap<bigint, number>
  readonly #totals = new Map<string, Totals>()

  constructor(metadata: TableMetadata) {
    this.#partition = unifiedPartition(metadata)
    this.#committed = new Map(
      metadata.snapshots.map(({ snapshotId, timestampMs }) => [snapshotId, timestampMs]),
    )
  }

  get columns(): Columns {
    const { type } = this.#partition
    return {
      ...(type === undefined ? {} : { partition: type, spec_id: int }),
      record_count: long,
      file_count: int,
      total_data_file_size_in_bytes: long,
      position_delete_record_count: long,
      position_delete_file_count: int,
      equality_delete_record_count: long,
      equality_delete_file_count: int,
      last_updated_at: timestamptz,
      last_updated_snapshot_id: long,
    }
  }

  add({ dataFile, snapshotId }: ManifestEntry): void {
    const totals = this.#totalsOf(dataFile)
    const { recordCount, fileSizeInBytes } = dataFile
    if (dataFile.content === 'data') {
      totals.records += recordCount
      totals.files += 1
      totals.bytes += fileSizeInBytes
    } else if (dataFile.content === 'position-deletes') {
      totals.positionRecords += recordCount
      totals.positionFiles += 1
    } else {
      totals.equalityRecords += recordCount
      totals.equalityFiles += 1
    }
    const committed = snapshotId === undefined ? undefined : this.#committed.get(snapshotId)
    if (committed === undefined || committed < (totals.updatedMs ?? Number.NEGATIVE_INFINITY)) return
    totals.updatedMs = committed
    totals.updatedBy = snapshotId
  }

  rows(): readonly JsonObject[] {
    return [...this.#totals.values()].map(toRow)
  }

  #totalsOf(file: ManifestEntry['dataFile']): Totals {
    const partition = this.#partition.toJson(file)
    const key = stringifyJson([file.specId, partition])
    const known = this.#totals.get(key)
    if (known !== undefined) return known
    const totals: Totals = {
      partition,
      specId: file.specId,
      records: 0,
      files: 0,
      bytes: 0,
      positionRecords: 0,
      positionFiles: 0,
      equalityRecords: 0,
      equalityFiles: 0,
      updatedMs: undefined,
      updatedBy: undefined,
    }
    this.#totals.set(key, totals)
    return totals
  }
}

function toRow(totals: Totals): JsonObject {
  const updated: JsonValue = totals.updatedMs === undefined ? null : isoTime(totals.updatedMs)
  return {
    partition: totals.partition,
    spec_id: totals.specId,
    record_count: totals.records,
    file_count: totals.files,
    total_data_file_size_in_bytes: totals.bytes,
    position_delete_record_count: totals.positionRecords,
    position_delete_file_count: totals.positionFiles,
    equality_delete_record_count: totals.equalityRecords,
    equality_delete_file_count: totals.equalityFiles,
    last_updated_at: updated,
    last_updated_snapshot_id: totals.updatedBy ?? null,
  }
}
