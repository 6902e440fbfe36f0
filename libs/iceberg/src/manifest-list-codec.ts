import { openAvroFile, writeAvroFile, type AvroWriteOptions } from './avro-container.ts'
import type { AvroCodecs } from './avro-codec.ts'
import type { AvroCursor } from './avro-cursor.ts'
import type { AvroField, AvroSchema } from './avro-schema.ts'
import type { AvroSink } from './avro-sink.ts'
import { structToAvro } from './avro-type.ts'
import {
  avroBoolean,
  avroBytes,
  avroList,
  avroLong,
  avroNumber,
  avroOptional,
  avroSkipper,
  avroString,
  type AvroReader,
} from './avro-value.ts'
import { FloeError } from './error.ts'
import { stringifyJson } from './json.ts'
import { manifestFileType, summaryFieldIds } from './manifest-list-schema.ts'
import type { FieldSummary, ManifestFile } from './manifest-list.ts'

export type ManifestListHeader = {
  readonly formatVersion: 1 | 2 | 3
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | undefined
  readonly sequenceNumber: bigint
  /** v3: the snapshot's first row id. Manifests must have theirs already, see `assignFirstRowIds`. */
  readonly firstRowId?: bigint
}

/**
 * Bytes of a manifest list (spec "Manifest Lists") in the layout of a format version.
 * @throws FloeError invalid-input when a manifest lacks what the version requires
 */
export function encodeManifestList(
  files: readonly ManifestFile[],
  header: ManifestListHeader,
  options: AvroWriteOptions = {},
): Uint8Array {
  const type = manifestFileType(header.formatVersion)
  const writers = type.fields.map((field) => fileFieldWriter(field.id, field.required, field.name))
  const write = (sink: AvroSink, at: number): void => {
    const file = files[at] as ManifestFile
    checkFile(header, file)
    for (const writeField of writers) writeField(sink, file)
  }
  const avroSchema = stringifyJson(structToAvro(type, 'manifest_file'))
  return writeAvroFile({ 'avro.schema': avroSchema, ...headerMembers(header) }, files.length, write, options)
}

function headerMembers(header: ManifestListHeader): Readonly<Record<string, string>> {
  return {
    'format-version': String(header.formatVersion),
    'snapshot-id': String(header.snapshotId),
    'parent-snapshot-id': header.parentSnapshotId === undefined ? 'null' : String(header.parentSnapshotId),
    ...(header.formatVersion === 1 ? {} : { 'sequence-number': String(header.sequenceNumber) }),
    ...(header.firstRowId === undefined ? {} : { 'first-row-id': String(header.firstRowId) }),
  }
}

function checkFile({ formatVersion }: ManifestListHeader, file: ManifestFile): void {
  if (formatVersion === 1 && file.content !== 'data') {
    throw new FloeError('invalid-input', 'a v1 table cannot hold delete manifests')
  }
  if (formatVersion === 3 && (file.firstRowId === undefined) !== (file.content === 'deletes')) {
    throw new FloeError(
      'invalid-input',
      `${file.manifestPath}: in v3 data manifests need first_row_id, others have none`,
    )
  }
}

type FileWriter = (sink: AvroSink, file: ManifestFile) => void

function fileFieldWriter(id: number, required: boolean, name: string): FileWriter {
  const field = fields[id]
  if (field === undefined) throw new FloeError('internal', `manifest list field ${id} is not known`)
  return (sink, file) => {
    const value = field.get(file)
    if (value === undefined && required) {
      throw new FloeError(
        'invalid-input',
        `${file.manifestPath}: ${name} is not known, the format version requires it`,
      )
    }
    if (!required) sink.writeLong(value === undefined ? 0 : 1)
    if (value !== undefined) writeValue(sink, value)
  }
}

function writeValue(sink: AvroSink, value: ManifestFile[keyof ManifestFile]): void {
  if (typeof value === 'string') sink.writeString(value)
  else if (value instanceof Uint8Array) sink.writeBytes(value)
  else if (typeof value === 'object') writeSummaries(sink, value)
  else if (value !== undefined) sink.writeLong(value)
}

function writeSummaries(sink: AvroSink, summaries: readonly FieldSummary[]): void {
  if (summaries.length > 0) sink.writeLong(summaries.length)
  for (const { containsNull, containsNan, lowerBound, upperBound } of summaries) {
    sink.writeBoolean(containsNull)
    sink.writeLong(containsNan === undefined ? 0 : 1)
    if (containsNan !== undefined) sink.writeBoolean(containsNan)
    for (const bound of [lowerBound, upperBound]) {
      sink.writeLong(bound === undefined ? 0 : 1)
      if (bound !== undefined) sink.writeBytes(bound)
    }
  }
  sink.writeLong(0)
}

/** Reads a manifest list of any format version and writer, by field id. Throws `corrupt-data` or `unsupported`. */
export function decodeManifestList(
  bytes: Uint8Array,
  options: { readonly codecs?: AvroCodecs } = {},
): readonly ManifestFile[] {
  const file = openAvroFile(bytes, options.codecs)
  const readers = file.schema.fields.map(fileFieldReader)
  const manifests: ManifestFile[] = []
  for (const block of file.blocks()) while (!block.done) manifests.push(readFile(block, readers))
  return manifests
}

type FileDraft = { -readonly [K in keyof ManifestFile]?: ManifestFile[K] }
type FieldReader = (cursor: AvroCursor, draft: FileDraft) => void

function readFile(cursor: AvroCursor, readers: readonly FieldReader[]): ManifestFile {
  // What v1 has not: spec "Manifest Lists", all of it is data and sequence numbers are 0.
  const draft: FileDraft = { content: 'data', sequenceNumber: 0n, minSequenceNumber: 0n, partitionSpecId: 0 }
  for (const read of readers) read(cursor, draft)
  const { manifestPath, manifestLength, addedSnapshotId } = draft
  if (manifestPath === undefined || manifestLength === undefined || addedSnapshotId === undefined) {
    throw new FloeError(
      'corrupt-data',
      'not a manifest list: a manifest lacks its path, length or snapshot id',
    )
  }
  return draft as ManifestFile
}

function fileFieldReader({ fieldId, name, schema }: AvroField): FieldReader {
  const field = fields[fieldId ?? fieldNames[name] ?? -1]
  return field === undefined ? avroSkipper(schema) : field.reader(schema)
}

type FileField = {
  readonly get: (file: ManifestFile) => ManifestFile[keyof ManifestFile] | undefined
  readonly reader: (schema: AvroSchema) => FieldReader
}

function fileField<K extends keyof ManifestFile>(
  key: K,
  reader: (schema: AvroSchema) => AvroReader<NonNullable<ManifestFile[K]>>,
): FileField {
  return {
    get: (file) => file[key],
    reader: (schema) => {
      const read = avroOptional(schema, reader)
      return (cursor, draft) => {
        const value = read(cursor)
        if (value !== undefined) draft[key] = value as FileDraft[K]
      }
    },
  }
}

const contentCodes = { data: 0, deletes: 1 } as const

const contentField: FileField = {
  get: (file) => contentCodes[file.content] as unknown as ManifestFile['partitionSpecId'],
  reader: (schema) => {
    const read = avroOptional(schema, avroNumber)
    return (cursor, draft) => {
      draft.content = read(cursor) === contentCodes.deletes ? 'deletes' : 'data'
    }
  },
}

const fields: Readonly<Record<number, FileField>> = {
  500: fileField('manifestPath', avroString),
  501: fileField('manifestLength', avroNumber),
  502: fileField('partitionSpecId', avroNumber),
  503: fileField('addedSnapshotId', avroLong),
  504: fileField('addedFilesCount', avroNumber),
  505: fileField('existingFilesCount', avroNumber),
  506: fileField('deletedFilesCount', avroNumber),
  507: fileField('partitions', (schema) => avroList(schema, summaryReader)),
  512: fileField('addedRowsCount', avroNumber),
  513: fileField('existingRowsCount', avroNumber),
  514: fileField('deletedRowsCount', avroNumber),
  515: fileField('sequenceNumber', avroLong),
  516: fileField('minSequenceNumber', avroLong),
  517: contentField,
  519: fileField('keyMetadata', avroBytes),
  520: fileField('firstRowId', avroLong),
}

/** Ids by name, also by those of old writers, for files whose Avro library dropped the ids. */
const fieldNames: Readonly<Record<string, number>> = {
  ...Object.fromEntries(manifestFileType(3).fields.map((field) => [field.name, field.id])),
  added_data_files_count: 504,
  existing_data_files_count: 505,
  deleted_data_files_count: 506,
}

type SummaryDraft = { -readonly [K in keyof FieldSummary]?: FieldSummary[K] }

function summaryReader(schema: AvroSchema): AvroReader<FieldSummary> {
  if (schema.kind !== 'record')
    throw new FloeError('corrupt-data', 'not a manifest list: a field summary is no record')
  const readers = schema.fields.map(summaryFieldReader)
  return (cursor) => {
    const draft: SummaryDraft = {}
    for (const read of readers) read(cursor, draft)
    // Unknown must not read as "no nulls": that would prune files that match.
    return { ...draft, containsNull: draft.containsNull ?? true }
  }
}

function summaryFieldReader({
  fieldId,
  name,
  schema,
}: AvroField): (cursor: AvroCursor, draft: SummaryDraft) => void {
  const id = fieldId ?? summaryFieldIds[name as keyof typeof summaryFieldIds]
  switch (id) {
    case summaryFieldIds.contains_null:
      return summaryInto('containsNull', avroOptional(schema, avroBoolean))
    case summaryFieldIds.contains_nan:
      return summaryInto('containsNan', avroOptional(schema, avroBoolean))
    case summaryFieldIds.lower_bound:
      return summaryInto('lowerBound', avroOptional(schema, avroBytes))
    case summaryFieldIds.upper_bound:
      return summaryInto('upperBound', avroOptional(schema, avroBytes))
    default:
      return avroSkipper(schema)
  }
}

function summaryInto<K extends keyof FieldSummary>(
  key: K,
  read: AvroReader<FieldSummary[K] | undefined>,
): (cursor: AvroCursor, draft: SummaryDraft) => void {
  return (cursor, draft) => {
    const value = read(cursor)
    if (value !== undefined) draft[key] = value as SummaryDraft[K]
  }
}
