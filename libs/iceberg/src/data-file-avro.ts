import { mappedType, recordType, skippedType, type RecordFieldType } from './avro-combined.ts'
import type { AvroField, AvroSchema } from './avro-schema.ts'
import type { TapType } from './avro-tap.ts'
import {
  avroAny,
  avroBytes,
  avroColumnMap,
  avroList,
  avroLong,
  avroNumber,
  avroOptional,
  avroString,
} from './avro-value.ts'
import type { DataFile } from './data-file.ts'
import { FloeError } from './error.ts'
import { blockSizeBytes, blockSizeFieldId, partitionFieldId } from './manifest-schema.ts'
import type { ManifestHeader } from './manifest.ts'
import { partitionAvro } from './partition-avro.ts'

export type DecodeContext = {
  readonly header: ManifestHeader
  readonly metricColumns: ReadonlySet<number> | undefined
}

type FileDraft = { -readonly [K in keyof DataFile]?: DataFile[K] | undefined }

/** The `data_file` struct of manifest entries, as a writer laid it out. */
export function dataFileAvro(schema: AvroSchema, context: DecodeContext): TapType<DataFile> {
  if (schema.kind !== 'record') throw corrupt('data_file is not a record')
  const fields = schema.fields.map((field, at) => fieldType(field, at, context))
  const { specId } = context.header.spec
  return mappedType<FileDraft, DataFile>(
    recordType<FileDraft>(fields),
    (record) => toDataFile(record, specId),
    (file) => file,
  )
}

function toDataFile(record: FileDraft, specId: number): DataFile {
  const { filePath, fileFormat, recordCount, fileSizeInBytes } = record
  if (
    filePath === undefined ||
    fileFormat === undefined ||
    recordCount === undefined ||
    fileSizeInBytes === undefined
  ) {
    throw corrupt('a data file lacks its path, format, record count or size')
  }
  const file: FileDraft = {
    // v1 has no content member: all of it is data.
    content: record.content ?? 'data',
    filePath,
    fileFormat,
    specId,
    partition: record.partition ?? [],
    recordCount,
    fileSizeInBytes,
  }
  addMetrics(file, record)
  addDetails(file, record)
  return file as DataFile
}

// Member by member, so that each store has one place and one shape: this runs for every file of a table.
function addMetrics(file: FileDraft, record: FileDraft): void {
  if (record.columnSizes !== undefined) file.columnSizes = record.columnSizes
  if (record.valueCounts !== undefined) file.valueCounts = record.valueCounts
  if (record.nullValueCounts !== undefined) file.nullValueCounts = record.nullValueCounts
  if (record.nanValueCounts !== undefined) file.nanValueCounts = record.nanValueCounts
  if (record.lowerBounds !== undefined) file.lowerBounds = record.lowerBounds
  if (record.upperBounds !== undefined) file.upperBounds = record.upperBounds
}

function addDetails(file: FileDraft, record: FileDraft): void {
  if (record.keyMetadata !== undefined) file.keyMetadata = record.keyMetadata
  if (record.splitOffsets !== undefined) file.splitOffsets = record.splitOffsets
  if (record.equalityIds !== undefined) file.equalityIds = record.equalityIds
  if (record.sortOrderId !== undefined) file.sortOrderId = record.sortOrderId
  if (record.firstRowId !== undefined) file.firstRowId = record.firstRowId
  if (record.referencedDataFile !== undefined) file.referencedDataFile = record.referencedDataFile
  if (record.contentOffset !== undefined) file.contentOffset = record.contentOffset
  if (record.contentSizeInBytes !== undefined) file.contentSizeInBytes = record.contentSizeInBytes
}

/** Ids by name, for the writers whose Avro library dropped the ids. */
const fieldNames: Readonly<Record<string, number>> = {
  content: 134,
  file_path: 100,
  file_format: 101,
  partition: partitionFieldId,
  record_count: 103,
  file_size_in_bytes: 104,
  block_size_in_bytes: blockSizeFieldId,
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

function fieldType(
  { fieldId, name, schema }: AvroField,
  at: number,
  context: DecodeContext,
): RecordFieldType {
  const id = fieldId ?? (Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined)
  if (id === partitionFieldId) return ['partition', partitionAvro(schema, context.header)]
  if (id === blockSizeFieldId) return ['blockSize', skippedType(blockSizeAvro(schema), blockSizeBytes)]
  const known = id === undefined ? undefined : (plainFields[id] ?? metricFields[id])
  if (known === undefined) return [`other${at}`, skippedType(avroAny(schema))]
  const [property, type] = known
  return [property, avroOptional<unknown>(schema, (inner) => type(inner, context.metricColumns))]
}

function blockSizeAvro(schema: AvroSchema): TapType<number | undefined> {
  return avroOptional(schema, avroNumber)
}

type FieldAvro = readonly [
  property: keyof DataFile,
  type: (schema: AvroSchema, metricColumns: ReadonlySet<number> | undefined) => TapType<unknown>,
]

const numbers = (schema: AvroSchema): TapType<readonly number[]> => avroList(schema, avroNumber)

const plainFields: Readonly<Record<number, FieldAvro>> = {
  134: ['content', contentAvro],
  100: ['filePath', avroString],
  101: ['fileFormat', formatAvro],
  103: ['recordCount', avroNumber],
  104: ['fileSizeInBytes', avroNumber],
  131: ['keyMetadata', avroBytes],
  132: ['splitOffsets', numbers],
  135: ['equalityIds', numbers],
  140: ['sortOrderId', avroNumber],
  142: ['firstRowId', avroLong],
  143: ['referencedDataFile', avroString],
  144: ['contentOffset', avroNumber],
  145: ['contentSizeInBytes', avroNumber],
}

const counts: FieldAvro[1] = (schema, columns) => avroColumnMap(schema, avroNumber, columns)
const bounds: FieldAvro[1] = (schema, columns) => avroColumnMap(schema, avroBytes, columns)

const metricFields: Readonly<Record<number, FieldAvro>> = {
  108: ['columnSizes', counts],
  109: ['valueCounts', counts],
  110: ['nullValueCounts', counts],
  137: ['nanValueCounts', counts],
  125: ['lowerBounds', bounds],
  128: ['upperBounds', bounds],
}

const contents: readonly DataFile['content'][] = ['data', 'position-deletes', 'equality-deletes']

function contentAvro(schema: AvroSchema): TapType<DataFile['content']> {
  return mappedType(
    avroNumber(schema),
    (code) => {
      const content = contents[code]
      if (content === undefined) throw corrupt('a file has a content that is not known')
      return content
    },
    (content) => contents.indexOf(content),
  )
}

const formats: Readonly<Record<string, DataFile['fileFormat']>> = {
  PARQUET: 'parquet',
  AVRO: 'avro',
  ORC: 'orc',
  PUFFIN: 'puffin',
}

function formatAvro(schema: AvroSchema): TapType<DataFile['fileFormat']> {
  return mappedType(
    avroString(schema),
    (text) => {
      const name = text.toUpperCase()
      const format = Object.hasOwn(formats, name) ? formats[name] : undefined
      if (format === undefined) throw new FloeError('unsupported', `a file has format ${text}`)
      return format
    },
    (format) => format.toUpperCase(),
  )
}

function corrupt(what: string): FloeError {
  return new FloeError('corrupt-data', `not a manifest: ${what}`)
}
