import type { DataFile } from './data-file.ts'
import { bytesToHex } from './hex.ts'
import { floatToJson, type JsonObject, type JsonValue } from './json.ts'
import { partitionFieldType, type PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'
import { singleValueToJson } from './single-value-json.ts'
import { decodeSingleValue, encodeSingleValue } from './single-value.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

export type ContentFileJsonOptions = {
  /** The table's current schema: clients derive the types of partition values from it. */
  readonly schema: Schema
  /** The spec that the file's partition was made with. */
  readonly spec: PartitionSpec
  /** Columns whose metrics are written (REST spec `stats-fields`); all when absent. */
  readonly statsFieldIds?: ReadonlySet<number>
}

/**
 * REST spec `ContentFile`: a data or delete file in a scan plan. Bounds are the single-value binary form as upper-case
 * hexadecimal digits, which is what Java's and Python's clients decode.
 */
export function contentFileToJson(file: DataFile, options: ContentFileJsonOptions): JsonObject {
  const { keyMetadata, splitOffsets, sortOrderId } = file
  return {
    'spec-id': file.specId,
    content: file.content,
    'file-path': file.filePath,
    'file-format': file.fileFormat,
    partition: partitionToJson(file, options),
    'file-size-in-bytes': file.fileSizeInBytes,
    'record-count': file.recordCount,
    ...(keyMetadata === undefined ? {} : { 'key-metadata': upperHex(keyMetadata) }),
    ...(splitOffsets === undefined ? {} : { 'split-offsets': splitOffsets }),
    ...(sortOrderId === undefined ? {} : { 'sort-order-id': sortOrderId }),
    ...(file.content === 'data' ? dataMembers(file, options) : deleteMembers(file)),
  }
}

function dataMembers(file: DataFile, { statsFieldIds }: ContentFileJsonOptions): JsonObject {
  const { firstRowId } = file
  return {
    ...(firstRowId === undefined ? {} : { 'first-row-id': firstRowId }),
    ...metric('column-sizes', file.columnSizes, statsFieldIds, Number),
    ...metric('value-counts', file.valueCounts, statsFieldIds, Number),
    ...metric('null-value-counts', file.nullValueCounts, statsFieldIds, Number),
    ...metric('nan-value-counts', file.nanValueCounts, statsFieldIds, Number),
    ...metric('lower-bounds', file.lowerBounds, statsFieldIds, upperHex),
    ...metric('upper-bounds', file.upperBounds, statsFieldIds, upperHex),
  }
}

function metric<Value>(
  name: string,
  values: ReadonlyMap<number, Value> | undefined,
  fieldIds: ReadonlySet<number> | undefined,
  toJson: (value: Value) => JsonValue,
): JsonObject {
  if (values === undefined) return {}
  const kept = [...values].filter(([fieldId]) => fieldIds?.has(fieldId) ?? true)
  // Spec `CountMap` and `ValueMap`: keys and values as two lists.
  return {
    [name]: { keys: kept.map(([fieldId]) => fieldId), values: kept.map(([, value]) => toJson(value)) },
  }
}

function deleteMembers(file: DataFile): JsonObject {
  const { equalityIds, referencedDataFile, contentOffset, contentSizeInBytes } = file
  if (file.content === 'equality-deletes')
    return equalityIds === undefined ? {} : { 'equality-ids': equalityIds }
  return {
    // Not in the REST spec, but Java refuses to read a deletion vector that does not name its data file.
    ...(referencedDataFile === undefined ? {} : { 'referenced-data-file': referencedDataFile }),
    ...(contentOffset === undefined ? {} : { 'content-offset': contentOffset }),
    ...(contentSizeInBytes === undefined ? {} : { 'content-size-in-bytes': contentSizeInBytes }),
  }
}

function partitionToJson(
  { partition }: DataFile,
  { spec, schema }: ContentFileJsonOptions,
): readonly JsonValue[] {
  return spec.fields.map((field, at) => {
    const value = partition[at] ?? null
    const type = partitionFieldType(field, schema)
    // Of a column that is gone the client has no type left to read a value by.
    return value === null || type.kind === 'unknown' ? null : partitionValueToJson(type, value)
  })
}

function partitionValueToJson(type: PrimitiveType, value: PrimitiveValue): JsonValue {
  if (value instanceof Uint8Array) return upperHex(value)
  // Java takes no integer for a floating column.
  if (type.kind === 'float' || type.kind === 'double') return floatToJson(Number(value))
  const isTimestamp = type.kind.startsWith('timestamp')
  // Written while the column was a date.
  if (isTimestamp && typeof value === 'number')
    return singleValueToJson(type, decodeSingleValue(type, encodeSingleValue({ kind: 'date' }, value)))
  return singleValueToJson(type, value)
}

function upperHex(bytes: Uint8Array): string {
  return bytesToHex(bytes).toUpperCase()
}
