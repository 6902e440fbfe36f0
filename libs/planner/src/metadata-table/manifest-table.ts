import { decodeSingleValue, findFieldById, transformResultType, transformToHuman } from '@floe/iceberg'
import type {
  FieldSummary,
  JsonObject,
  JsonValue,
  ManifestFile,
  PartitionField,
  PrimitiveType,
  TableMetadata,
} from '@floe/iceberg'

import { binary, boolean, int, listOf, long, string, structOf } from './column-types.ts'
import type { Columns } from './column-types.ts'
import { escapedBytes } from './unified-partition.ts'

export const manifestColumns: Columns = {
  content: int,
  path: string,
  length: long,
  partition_spec_id: int,
  added_snapshot_id: long,
  added_data_files_count: int,
  existing_data_files_count: int,
  deleted_data_files_count: int,
  added_delete_files_count: int,
  existing_delete_files_count: int,
  deleted_delete_files_count: int,
  partition_summaries: listOf(
    structOf({ contains_null: boolean, contains_nan: boolean, lower_bound: string, upper_bound: string }),
  ),
  added_rows_count: long,
  existing_rows_count: long,
  deleted_rows_count: long,
  sequence_number: long,
  min_sequence_number: long,
  key_metadata: binary,
}

export function manifestRow(manifest: ManifestFile, metadata: TableMetadata): JsonObject {
  const isData = manifest.content === 'data'
  const [added, existing, deleted] = [
    manifest.addedFilesCount ?? null,
    manifest.existingFilesCount ?? null,
    manifest.deletedFilesCount ?? null,
  ]
  return {
    content: isData ? 0 : 1,
    path: manifest.manifestPath,
    length: manifest.manifestLength,
    partition_spec_id: manifest.partitionSpecId,
    added_snapshot_id: manifest.addedSnapshotId,
    added_data_files_count: isData ? added : 0,
    existing_data_files_count: isData ? existing : 0,
    deleted_data_files_count: isData ? deleted : 0,
    added_delete_files_count: isData ? 0 : added,
    existing_delete_files_count: isData ? 0 : existing,
    deleted_delete_files_count: isData ? 0 : deleted,
    partition_summaries: summaries(manifest, metadata),
    added_rows_count: manifest.addedRowsCount ?? null,
    existing_rows_count: manifest.existingRowsCount ?? null,
    deleted_rows_count: manifest.deletedRowsCount ?? null,
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    key_metadata: manifest.keyMetadata === undefined ? null : escapedBytes(manifest.keyMetadata),
  }
}

function summaries({ partitions, partitionSpecId }: ManifestFile, metadata: TableMetadata): JsonValue {
  if (partitions === undefined) return null
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === partitionSpecId)
  return partitions.map((summary, at) => summaryToJson(summary, spec?.fields[at], metadata))
}

function summaryToJson(
  { containsNull, containsNan, lowerBound, upperBound }: FieldSummary,
  field: PartitionField | undefined,
  metadata: TableMetadata,
): JsonObject {
  const source = field === undefined ? undefined : sourceType(field, metadata)
  const show = (bytes: Uint8Array | undefined): string | null => {
    if (field === undefined || source === undefined || bytes === undefined) return null
    try {
      const value = decodeSingleValue(transformResultType(field.transform, source), bytes)
      return transformToHuman(field.transform, source, value)
    } catch {
      // A bound that another writer encoded in its own way shows as null.
      return null
    }
  }
  return {
    contains_null: containsNull,
    contains_nan: containsNan ?? null,
    lower_bound: show(lowerBound),
    upper_bound: show(upperBound),
  }
}

function sourceType({ sourceIds }: PartitionField, { schemas }: TableMetadata): PrimitiveType | undefined {
  const found = schemas.flatMap((schema) => findFieldById(schema, sourceIds[0] ?? -1) ?? []).at(-1)?.type
  return found === undefined || found.kind === 'struct' || found.kind === 'list' || found.kind === 'map'
    ? undefined
    : found
}
