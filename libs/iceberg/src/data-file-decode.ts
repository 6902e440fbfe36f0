import type { AvroCursor } from './avro-cursor.ts'
import type { AvroField, AvroRecord, AvroSchema } from './avro-schema.ts'
import { avroName } from './avro-type.ts'
import {
  avroBytes,
  avroIntMap,
  avroList,
  avroLong,
  avroNumber,
  avroOptional,
  avroSkipper,
  avroString,
  type AvroReader,
} from './avro-value.ts'
import type { DataFile } from './data-file.ts'
import { FloeError } from './error.ts'
import { partitionFieldId } from './manifest-schema.ts'
import type { ManifestHeader } from './manifest.ts'
import { partitionValueReader } from './partition-avro.ts'
import { partitionFieldType, type Partition, type PartitionField } from './partition-spec.ts'
import type { PrimitiveValue } from './type.ts'

export type DecodeContext = {
  readonly header: ManifestHeader
  readonly metricColumns: ReadonlySet<number> | undefined
}

type FileDraft = { -readonly [K in keyof DataFile]?: DataFile[K] }
type FieldReader = (cursor: AvroCursor, draft: FileDraft) => void

/** Reader of the `data_file` struct of manifest entries. */
export function dataFileReader(schema: AvroSchema, context: DecodeContext): AvroReader<DataFile> {
  if (schema.kind !== 'record') throw corrupt('data_file is not a record')
  const readers = schema.fields.map((field) => fieldReader(field, context))
  const { specId } = context.header.spec
  return (cursor) => {
    // v1 has no content member: all of it is data.
    const draft: FileDraft = { content: 'data', specId }
    for (const read of readers) read(cursor, draft)
    return checkFile(draft)
  }
}

function checkFile(draft: FileDraft): DataFile {
  const { filePath, fileFormat, partition, recordCount, fileSizeInBytes } = draft
  if (
    filePath === undefined ||
    fileFormat === undefined ||
    recordCount === undefined ||
    fileSizeInBytes === undefined
  ) {
    throw corrupt('a data file lacks its path, format, record count or size')
  }
  if (partition === undefined) draft.partition = []
  return draft as DataFile
}

/** Ids by name, for the writers whose Avro library dropped the ids. */
const fieldNames: Readonly<Record<string, number>> = {
  content: 134,
  file_path: 100,
  file_format: 101,
  partition: partitionFieldId,
  record_count: 103,
  file_size_in_bytes: 104,
  column_sizes: 108,
  value_counts: 109,
  null_value_counts: 110,
  nan_value_counts: 137,
  lower_bounds: 125,
  upper_bounds: 128,
  key_metadata: 131,
  split_offsets: 132,
  equality_ids: 135,
  sort_order_id: 140,
  first_row_id: 142,
  referenced_data_file: 143,
  content_offset: 144,
  content_size_in_bytes: 145,
}

function fieldReader({ fieldId, name, schema }: AvroField, context: DecodeContext): FieldReader {
  const id = fieldId ?? fieldNames[name]
  if (id === partitionFieldId) return into('partition', partitionReader(schema, context))
  return (
    (id === undefined ? undefined : plainReaders[id]?.(schema)) ??
    (id === undefined ? undefined : metricReaders[id]?.(schema, context.metricColumns)) ??
    avroSkipper(schema)
  )
}

function into<K extends keyof DataFile>(key: K, read: AvroReader<DataFile[K] | undefined>): FieldReader {
  return (cursor, draft) => {
    const value = read(cursor)
    if (value !== undefined) draft[key] = value as FileDraft[K]
  }
}

const plainReaders: Readonly<Record<number, (schema: AvroSchema) => FieldReader>> = {
  134: (schema) => into('content', mapped(avroOptional(schema, avroNumber), contentOf)),
  100: (schema) => into('filePath', avroOptional(schema, avroString)),
  101: (schema) => into('fileFormat', mapped(avroOptional(schema, avroString), formatOf)),
  103: (schema) => into('recordCount', avroOptional(schema, avroNumber)),
  104: (schema) => into('fileSizeInBytes', avroOptional(schema, avroNumber)),
  131: (schema) => into('keyMetadata', avroOptional(schema, avroBytes)),
  132: (schema) =>
    into(
      'splitOffsets',
      avroOptional(schema, (inner) => avroList(inner, avroNumber)),
    ),
  135: (schema) =>
    into(
      'equalityIds',
      avroOptional(schema, (inner) => avroList(inner, avroNumber)),
    ),
  140: (schema) => into('sortOrderId', avroOptional(schema, avroNumber)),
  142: (schema) => into('firstRowId', avroOptional(schema, avroLong)),
  143: (schema) => into('referencedDataFile', avroOptional(schema, avroString)),
  144: (schema) => into('contentOffset', avroOptional(schema, avroNumber)),
  145: (schema) => into('contentSizeInBytes', avroOptional(schema, avroNumber)),
}

type MetricReader = (schema: AvroSchema, columns: ReadonlySet<number> | undefined) => FieldReader

const countsInto =
  (key: 'columnSizes' | 'valueCounts' | 'nullValueCounts' | 'nanValueCounts'): MetricReader =>
  (schema, columns) =>
    into(
      key,
      avroOptional(schema, (inner) => avroIntMap(inner, avroNumber, columns)),
    )

const boundsInto =
  (key: 'lowerBounds' | 'upperBounds'): MetricReader =>
  (schema, columns) =>
    into(
      key,
      avroOptional(schema, (inner) => avroIntMap(inner, avroBytes, columns)),
    )

const metricReaders: Readonly<Record<number, MetricReader>> = {
  108: countsInto('columnSizes'),
  109: countsInto('valueCounts'),
  110: countsInto('nullValueCounts'),
  137: countsInto('nanValueCounts'),
  125: boundsInto('lowerBounds'),
  128: boundsInto('upperBounds'),
}

function mapped<A, B>(read: AvroReader<A | undefined>, map: (value: A) => B): AvroReader<B | undefined> {
  return (cursor) => {
    const value = read(cursor)
    return value === undefined ? undefined : map(value)
  }
}

function contentOf(code: number): DataFile['content'] {
  const content = (['data', 'position-deletes', 'equality-deletes'] as const)[code]
  if (content === undefined) throw corrupt('a file has a content that is not known')
  return content
}

const formats: ReadonlySet<string> = new Set<DataFile['fileFormat']>(['parquet', 'avro', 'orc', 'puffin'])

function formatOf(text: string): DataFile['fileFormat'] {
  const format = text.toLowerCase()
  if (formats.has(format)) return format as DataFile['fileFormat']
  throw new FloeError('unsupported', `a file has format ${format}`)
}

/** Values in the order of the spec's fields, found by id; null for fields that the writer did not have. */
function partitionReader(schema: AvroSchema, { header }: DecodeContext): AvroReader<Partition> {
  if (schema.kind !== 'record') throw corrupt('partition is not a record')
  const { fields } = header.spec
  const readers = schema.fields.map((field) => {
    const position = fields.findIndex((candidate) => isField(candidate, field))
    const target = fields[position]
    if (target === undefined) return { position, read: avroSkipper(field.schema) }
    const type = partitionFieldType(target, header.schema)
    return { position, read: avroOptional(field.schema, (inner) => partitionValueReader(inner, type)) }
  })
  return (cursor) => {
    const values: (PrimitiveValue | null)[] = Array.from({ length: fields.length }, () => null)
    for (const { position, read } of readers) {
      const value = read(cursor)
      if (position >= 0 && value !== undefined) values[position] = value
    }
    return values
  }
}

function isField(candidate: PartitionField, { fieldId, name }: AvroRecord['fields'][number]): boolean {
  if (fieldId !== undefined) return candidate.fieldId === fieldId
  return candidate.name === name || avroName(candidate.name) === name
}

function corrupt(what: string): FloeError {
  return new FloeError('corrupt-data', `not a manifest: ${what}`)
}
