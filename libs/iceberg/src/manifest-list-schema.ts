import type { NestedField, StructType, Type } from './type.ts'

export const summaryFieldIds = {
  contains_null: 509,
  contains_nan: 518,
  lower_bound: 510,
  upper_bound: 511,
} as const

const summaryType: StructType = {
  kind: 'struct',
  fields: [
    { id: summaryFieldIds.contains_null, name: 'contains_null', type: { kind: 'boolean' }, required: true },
    { id: summaryFieldIds.contains_nan, name: 'contains_nan', type: { kind: 'boolean' }, required: false },
    { id: summaryFieldIds.lower_bound, name: 'lower_bound', type: { kind: 'binary' }, required: false },
    { id: summaryFieldIds.upper_bound, name: 'upper_bound', type: { kind: 'binary' }, required: false },
  ],
}

/** Struct of a manifest list entry as the writers of a format version lay it out. v1 counts are optional. */
export function manifestFileType(version: 1 | 2 | 3): StructType {
  const counted = version > 1
  const fields: readonly (NestedField | undefined)[] = [
    field(500, 'manifest_path', { kind: 'string' }, true),
    field(501, 'manifest_length', { kind: 'long' }, true),
    field(502, 'partition_spec_id', { kind: 'int' }, true),
    counted ? field(517, 'content', { kind: 'int' }, true) : undefined,
    counted ? field(515, 'sequence_number', { kind: 'long' }, true) : undefined,
    counted ? field(516, 'min_sequence_number', { kind: 'long' }, true) : undefined,
    field(503, 'added_snapshot_id', { kind: 'long' }, true),
    field(504, 'added_files_count', { kind: 'int' }, counted),
    field(505, 'existing_files_count', { kind: 'int' }, counted),
    field(506, 'deleted_files_count', { kind: 'int' }, counted),
    field(512, 'added_rows_count', { kind: 'long' }, counted),
    field(513, 'existing_rows_count', { kind: 'long' }, counted),
    field(514, 'deleted_rows_count', { kind: 'long' }, counted),
    field(
      507,
      'partitions',
      { kind: 'list', elementId: 508, element: summaryType, elementRequired: true },
      false,
    ),
    field(519, 'key_metadata', { kind: 'binary' }, false),
    version === 3 ? field(520, 'first_row_id', { kind: 'long' }, false) : undefined,
  ]
  return { kind: 'struct', fields: fields.filter((item) => item !== undefined) }
}

function field(id: number, name: string, type: Type, required: boolean): NestedField {
  return { id, name, type, required }
}
