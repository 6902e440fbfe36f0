import type { NestedField, StructType, Type } from './type.ts'

/** Fields of a manifest entry (spec "Manifests"), by id. */
export const entryFieldIds = {
  status: 0,
  snapshotId: 1,
  dataFile: 2,
  sequenceNumber: 3,
  fileSequenceNumber: 4,
} as const

/** The id of the partition struct inside a data file. */
export const partitionFieldId = 102

/** v1 readers need the member that the spec deprecates; Java writes 64 MiB in it. */
export const blockSizeFieldId = 105
export const blockSizeBytes: number = 64 * 1024 * 1024

const countsByColumn = (keyId: number, valueId: number): Type => mapByColumn(keyId, valueId, 'long')
const boundsByColumn = (keyId: number, valueId: number): Type => mapByColumn(keyId, valueId, 'binary')

function mapByColumn(keyId: number, valueId: number, value: 'long' | 'binary'): Type {
  return { kind: 'map', keyId, key: { kind: 'int' }, valueId, value: { kind: value }, valueRequired: true }
}

function required(id: number, name: string, type: Type): NestedField {
  return { id, name, type, required: true }
}

function optional(id: number, name: string, type: Type): NestedField {
  return { id, name, type, required: false }
}

function listOf(elementId: number, element: 'int' | 'long'): Type {
  return { kind: 'list', elementId, element: { kind: element }, elementRequired: true }
}

const metricFields: readonly NestedField[] = [
  optional(108, 'column_sizes', countsByColumn(117, 118)),
  optional(109, 'value_counts', countsByColumn(119, 120)),
  optional(110, 'null_value_counts', countsByColumn(121, 122)),
  optional(137, 'nan_value_counts', countsByColumn(138, 139)),
  optional(125, 'lower_bounds', boundsByColumn(126, 127)),
  optional(128, 'upper_bounds', boundsByColumn(129, 130)),
  optional(131, 'key_metadata', { kind: 'binary' }),
  optional(132, 'split_offsets', listOf(133, 'long')),
]

function dataFileFields(version: 1 | 2 | 3, partition: StructType): readonly NestedField[] {
  return [
    ...(version === 1 ? [] : [required(134, 'content', { kind: 'int' })]),
    required(100, 'file_path', { kind: 'string' }),
    required(101, 'file_format', { kind: 'string' }),
    required(partitionFieldId, 'partition', partition),
    required(103, 'record_count', { kind: 'long' }),
    required(104, 'file_size_in_bytes', { kind: 'long' }),
    ...(version === 1 ? [required(blockSizeFieldId, 'block_size_in_bytes', { kind: 'long' })] : []),
    ...metricFields,
    ...(version === 1 ? [] : [optional(135, 'equality_ids', listOf(136, 'int'))]),
    optional(140, 'sort_order_id', { kind: 'int' }),
    ...(version === 3 ? [optional(142, 'first_row_id', { kind: 'long' })] : []),
    ...(version === 1 ? [] : [optional(143, 'referenced_data_file', { kind: 'string' })]),
    ...(version === 3
      ? [
          optional(144, 'content_offset', { kind: 'long' }),
          optional(145, 'content_size_in_bytes', { kind: 'long' }),
        ]
      : []),
  ]
}

/** Struct of a manifest entry as the writers of a format version lay it out. */
export function manifestEntryType(version: 1 | 2 | 3, partition: StructType): StructType {
  return {
    kind: 'struct',
    fields: [
      required(entryFieldIds.status, 'status', { kind: 'int' }),
      optional(entryFieldIds.snapshotId, 'snapshot_id', { kind: 'long' }),
      ...(version === 1
        ? []
        : [
            optional(entryFieldIds.sequenceNumber, 'sequence_number', { kind: 'long' }),
            optional(entryFieldIds.fileSequenceNumber, 'file_sequence_number', { kind: 'long' }),
          ]),
      required(entryFieldIds.dataFile, 'data_file', {
        kind: 'struct',
        fields: dataFileFields(version, partition),
      }),
    ],
  }
}
