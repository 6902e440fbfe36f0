import { mappedType, recordType, skippedType, type RecordFieldType } from './avro-combined.ts'
import type { AvroField, AvroRecord, AvroSchema } from './avro-schema.ts'
import type { TapType } from './avro-tap.ts'
import { avroAny, avroLong, avroNumber, avroOptional } from './avro-value.ts'
import { dataFileAvro, type DecodeContext } from './data-file-avro.ts'
import { FloeError } from './error.ts'
import { entryFieldIds } from './manifest-schema.ts'
import type { ManifestEntry } from './manifest.ts'

type EntryDraft = { -readonly [K in keyof ManifestEntry]?: ManifestEntry[K] | undefined }

/** The entries of a manifest, as a writer laid them out. */
export function manifestEntryAvro(schema: AvroRecord, context: DecodeContext): TapType<ManifestEntry> {
  const fields = schema.fields.map((field, at) => fieldType(field, at, context))
  return mappedType<EntryDraft, ManifestEntry>(recordType<EntryDraft>(fields), toEntry, (entry) => entry)
}

function toEntry({
  status,
  snapshotId,
  sequenceNumber,
  fileSequenceNumber,
  dataFile,
}: EntryDraft): ManifestEntry {
  if (status === undefined || dataFile === undefined) throw corrupt('an entry has no status or no data file')
  const entry: EntryDraft = { status, dataFile }
  if (snapshotId !== undefined) entry.snapshotId = snapshotId
  if (sequenceNumber !== undefined) entry.sequenceNumber = sequenceNumber
  if (fileSequenceNumber !== undefined) entry.fileSequenceNumber = fileSequenceNumber
  return entry as ManifestEntry
}

/** Ids by name, for the writers whose Avro library dropped the ids. */
const entryNames: Readonly<Record<string, number>> = {
  status: entryFieldIds.status,
  snapshot_id: entryFieldIds.snapshotId,
  sequence_number: entryFieldIds.sequenceNumber,
  file_sequence_number: entryFieldIds.fileSequenceNumber,
  data_file: entryFieldIds.dataFile,
}

function fieldType(
  { fieldId, name, schema }: AvroField,
  at: number,
  context: DecodeContext,
): RecordFieldType {
  switch (fieldId ?? entryNames[name]) {
    case entryFieldIds.status:
      return ['status', statusAvro(schema)]
    case entryFieldIds.snapshotId:
      return ['snapshotId', avroOptional(schema, avroLong)]
    case entryFieldIds.sequenceNumber:
      return ['sequenceNumber', avroOptional(schema, avroLong)]
    case entryFieldIds.fileSequenceNumber:
      return ['fileSequenceNumber', avroOptional(schema, avroLong)]
    case entryFieldIds.dataFile:
      return ['dataFile', dataFileAvro(schema, context)]
    default:
      return [`other${at}`, skippedType(avroAny(schema))]
  }
}

const statuses: readonly ManifestEntry['status'][] = ['existing', 'added', 'deleted']

function statusAvro(schema: AvroSchema): TapType<ManifestEntry['status']> {
  return mappedType(
    avroNumber(schema),
    (code) => {
      const status = statuses[code]
      if (status === undefined) throw corrupt('an entry has a status that is not known')
      return status
    },
    (status) => statuses.indexOf(status),
  )
}

function corrupt(what: string): FloeError {
  return new FloeError('corrupt-data', `not a manifest: ${what}`)
}
