import { openAvroFile, writeAvroFile, type AvroWriteOptions } from './avro-container.ts'
import type { AvroCodecs } from './avro-codec.ts'
import { mappedType, recordType, skippedType, type RecordFieldType } from './avro-combined.ts'
import { decodeAll, type AvroSink } from './avro-record-codec.ts'
import { parseAvroSchema, type AvroField, type AvroRecord, type AvroSchema } from './avro-schema.ts'
import type { TapType } from './avro-tap.ts'
import { structToAvro } from './avro-type.ts'
import {
  avroAny,
  avroBoolean,
  avroBytes,
  avroList,
  avroLong,
  avroNumber,
  avroOptional,
  avroString,
} from './avro-value.ts'
import { FloeError } from './error.ts'
import { stringifyJson } from './json.ts'
import { manifestFileType, summaryFieldIds } from './manifest-list-schema.ts'
import type { FieldSummary, ManifestFile } from './manifest-list.ts'
import type { NestedField } from './type.ts'

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
  const struct = manifestFileType(header.formatVersion)
  const avroSchema = structToAvro(struct, 'manifest_file')
  const type = manifestFileAvro(parseAvroSchema(avroSchema))
  const required = struct.fields.filter((field) => field.required)
  const write = (sink: AvroSink, at: number): void => {
    const file = files[at] as ManifestFile
    checkFile(header, file)
    for (const field of required) checkPresent(file, field)
    sink.write(type, file)
  }
  const members = { 'avro.schema': stringifyJson(avroSchema), ...headerMembers(header) }
  return writeAvroFile(members, files.length, write, options)
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

function checkPresent(file: ManifestFile, { id, name }: NestedField): void {
  const property = fields[id]?.[0]
  if (property !== undefined && file[property] !== undefined) return
  throw new FloeError(
    'invalid-input',
    `${file.manifestPath}: ${name} is not known, the format version requires it`,
  )
}

/** Reads a manifest list of any format version and writer, by field id. Throws `corrupt-data` or `unsupported`. */
export function decodeManifestList(
  bytes: Uint8Array,
  options: { readonly codecs?: AvroCodecs } = {},
): readonly ManifestFile[] {
  const file = openAvroFile(bytes, options.codecs)
  const type = manifestFileAvro(file.readSchema())
  const manifests: ManifestFile[] = []
  for (const block of file.blocks()) decodeAll(type, block.bytes, manifests)
  return manifests
}

type FileDraft = { -readonly [K in keyof ManifestFile]?: ManifestFile[K] | undefined }

function manifestFileAvro(schema: AvroRecord): TapType<ManifestFile> {
  const types = schema.fields.map(fieldType)
  return mappedType<FileDraft, ManifestFile>(recordType<FileDraft>(types), toManifestFile, (file) => file)
}

function toManifestFile(record: FileDraft): ManifestFile {
  const { manifestPath, manifestLength, addedSnapshotId } = record
  if (manifestPath === undefined || manifestLength === undefined || addedSnapshotId === undefined) {
    throw new FloeError(
      'corrupt-data',
      'not a manifest list: a manifest lacks its path, length or snapshot id',
    )
  }
  return {
    // What v1 has not: spec "Manifest Lists", all of it is data and sequence numbers are 0.
    content: 'data',
    sequenceNumber: 0n,
    minSequenceNumber: 0n,
    partitionSpecId: 0,
    ...presentMembers(record),
  } as ManifestFile
}

/** Members of our own alone: records hold those that were passed over too. */
function presentMembers(record: FileDraft): FileDraft {
  const present = Object.entries(record).filter(
    ([name, value]) => value !== undefined && !name.startsWith(otherField),
  )
  return Object.fromEntries(present)
}

const otherField = 'other'

function fieldType({ fieldId, name, schema }: AvroField, at: number): RecordFieldType {
  const id = fieldId ?? (Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined)
  const field = id === undefined ? undefined : fields[id]
  if (field === undefined) return [`${otherField}${at}`, skippedType(avroAny(schema))]
  const [property, type] = field
  return [property, avroOptional<unknown>(schema, type)]
}

function contentAvro(schema: AvroSchema): TapType<ManifestFile['content']> {
  return mappedType<number, ManifestFile['content']>(
    avroNumber(schema),
    (code) => (code === deletesCode ? 'deletes' : 'data'),
    (content) => (content === 'deletes' ? deletesCode : 0),
  )
}

const deletesCode = 1

type FieldAvro = readonly [property: keyof ManifestFile, type: (schema: AvroSchema) => TapType<unknown>]

const fields: Readonly<Record<number, FieldAvro>> = {
  500: ['manifestPath', avroString],
  501: ['manifestLength', avroNumber],
  502: ['partitionSpecId', avroNumber],
  503: ['addedSnapshotId', avroLong],
  504: ['addedFilesCount', avroNumber],
  505: ['existingFilesCount', avroNumber],
  506: ['deletedFilesCount', avroNumber],
  507: ['partitions', (schema) => avroList(schema, summaryAvro)],
  512: ['addedRowsCount', avroNumber],
  513: ['existingRowsCount', avroNumber],
  514: ['deletedRowsCount', avroNumber],
  515: ['sequenceNumber', avroLong],
  516: ['minSequenceNumber', avroLong],
  517: ['content', contentAvro],
  519: ['keyMetadata', avroBytes],
  520: ['firstRowId', avroLong],
}

/** Ids by name, also by those of old writers, for files whose Avro library dropped the ids. */
const fieldNames: Readonly<Record<string, number>> = {
  ...Object.fromEntries(manifestFileType(3).fields.map((field) => [field.name, field.id])),
  added_data_files_count: 504,
  existing_data_files_count: 505,
  deleted_data_files_count: 506,
}

type SummaryDraft = { -readonly [K in keyof FieldSummary]?: FieldSummary[K] | undefined }

function summaryAvro(schema: AvroSchema): TapType<FieldSummary> {
  if (schema.kind !== 'record')
    throw new FloeError('corrupt-data', 'not a manifest list: a field summary is no record')
  const record = recordType<SummaryDraft>(schema.fields.map(summaryFieldType))
  return mappedType<SummaryDraft, FieldSummary>(record, toSummary, (summary) => summary)
}

function toSummary({ containsNull, containsNan, lowerBound, upperBound }: SummaryDraft): FieldSummary {
  return {
    // Unknown must not read as "no nulls": that would prune files that match.
    containsNull: containsNull ?? true,
    ...(containsNan === undefined ? {} : { containsNan }),
    ...(lowerBound === undefined ? {} : { lowerBound }),
    ...(upperBound === undefined ? {} : { upperBound }),
  }
}

function summaryFieldType({ fieldId, name, schema }: AvroField, at: number): RecordFieldType {
  const id = fieldId ?? summaryFieldIds[name as keyof typeof summaryFieldIds]
  switch (id) {
    case summaryFieldIds.contains_null:
      return ['containsNull', avroOptional(schema, avroBoolean)]
    case summaryFieldIds.contains_nan:
      return ['containsNan', avroOptional(schema, avroBoolean)]
    case summaryFieldIds.lower_bound:
      return ['lowerBound', avroOptional(schema, avroBytes)]
    case summaryFieldIds.upper_bound:
      return ['upperBound', avroOptional(schema, avroBytes)]
    default:
      return [`other${at}`, skippedType(avroAny(schema))]
  }
}
