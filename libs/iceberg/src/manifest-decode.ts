import { openAvroFile } from './avro-container.ts'
import type { AvroCodecs } from './avro-codec.ts'
import type { AvroCursor } from './avro-cursor.ts'
import type { AvroField, AvroRecord, AvroSchema } from './avro-schema.ts'
import { avroLong, avroNumber, avroOptional, avroSkipper } from './avro-value.ts'
import { dataFileReader, type DecodeContext } from './data-file-decode.ts'
import { FloeError } from './error.ts'
import { parseJson } from './json.ts'
import { entryFieldIds } from './manifest-schema.ts'
import type { ManifestEntry, ManifestHeader } from './manifest.ts'
import { parsePartitionSpec } from './partition-spec.ts'
import { parseSchema, type Schema } from './schema.ts'

export type DecodeManifestOptions = {
  readonly codecs?: AvroCodecs
  /** Columns whose metrics are kept; the others are passed over, which is twice as fast. All when absent. */
  readonly metricColumns?: ReadonlySet<number>
}

export type DecodedManifest = { readonly header: ManifestHeader; readonly entries: readonly ManifestEntry[] }

/**
 * Reads a manifest file of any format version and writer, by field id. Entries are as stored: `inheritEntries` fills
 * in what they take from the manifest list.
 * @throws FloeError corrupt-data, or unsupported for a codec that is not known
 */
export function decodeManifest(bytes: Uint8Array, options: DecodeManifestOptions = {}): DecodedManifest {
  const file = openAvroFile(bytes, options.codecs)
  const header = readHeader(file.metadata)
  const readEntry = entryReader(file.schema, { header, metricColumns: options.metricColumns })
  const entries: ManifestEntry[] = []
  for (const block of file.blocks()) while (!block.done) entries.push(readEntry(block))
  return { header, entries }
}

function readHeader(metadata: Readonly<Record<string, string>>): ManifestHeader {
  const { schema, content } = metadata
  const spec = metadata['partition-spec']
  if (schema === undefined || spec === undefined)
    throw corrupt('its header has no schema or no partition-spec')
  try {
    const specId = Number(metadata['partition-spec-id'] ?? 0)
    return {
      schema: withHeaderId(parseSchema(parseJson(schema)), metadata['schema-id']),
      spec: { ...parsePartitionSpec(parseJson(spec), specId), specId },
      formatVersion: readVersion(metadata['format-version']),
      content: content?.toLowerCase() === 'deletes' ? 'deletes' : 'data',
    }
  } catch (error) {
    if (error instanceof FloeError && error.code === 'unsupported') throw error
    throw corrupt('its header cannot be read', error)
  }
}

/** The id inside the schema came later than the header member. */
function withHeaderId(schema: Schema, id: string | undefined): Schema {
  return schema.schemaId === 0 && id !== undefined && /^\d+$/.test(id)
    ? { ...schema, schemaId: Number(id) }
    : schema
}

function readVersion(text = '1'): 1 | 2 | 3 {
  const version = Number(text)
  if (version === 1 || version === 2 || version === 3) return version
  throw new FloeError('unsupported', `the manifest has format version ${text}; 1, 2 and 3 can be read`)
}

const statuses = ['existing', 'added', 'deleted'] as const

type EntryDraft = { -readonly [K in keyof ManifestEntry]?: ManifestEntry[K] }
type EntryReader = (cursor: AvroCursor, draft: EntryDraft) => void

function entryReader(schema: AvroRecord, context: DecodeContext): (cursor: AvroCursor) => ManifestEntry {
  const readers = schema.fields.map((field) => entryFieldReader(field, context))
  return (cursor) => {
    const draft: EntryDraft = {}
    for (const read of readers) read(cursor, draft)
    if (draft.status === undefined || draft.dataFile === undefined)
      throw corrupt('an entry has no status or no data file')
    return draft as ManifestEntry
  }
}

/** Ids by name, for the writers whose Avro library dropped the ids. */
const entryNames: Readonly<Record<string, number>> = {
  status: entryFieldIds.status,
  snapshot_id: entryFieldIds.snapshotId,
  sequence_number: entryFieldIds.sequenceNumber,
  file_sequence_number: entryFieldIds.fileSequenceNumber,
  data_file: entryFieldIds.dataFile,
}

function entryFieldReader({ fieldId, name, schema }: AvroField, context: DecodeContext): EntryReader {
  switch (fieldId ?? entryNames[name]) {
    case entryFieldIds.status: {
      const read = avroNumber(schema)
      return (cursor, draft) => {
        const status = statuses[read(cursor)]
        if (status === undefined) throw corrupt('an entry has a status that is not known')
        draft.status = status
      }
    }
    case entryFieldIds.snapshotId:
      return longInto('snapshotId', schema)
    case entryFieldIds.sequenceNumber:
      return longInto('sequenceNumber', schema)
    case entryFieldIds.fileSequenceNumber:
      return longInto('fileSequenceNumber', schema)
    case entryFieldIds.dataFile: {
      const read = dataFileReader(schema, context)
      return (cursor, draft) => {
        draft.dataFile = read(cursor)
      }
    }
    default:
      return avroSkipper(schema)
  }
}

function longInto(
  key: 'snapshotId' | 'sequenceNumber' | 'fileSequenceNumber',
  schema: AvroSchema,
): EntryReader {
  const read = avroOptional(schema, avroLong)
  return (cursor, draft) => {
    const value = read(cursor)
    if (value !== undefined) draft[key] = value
  }
}

function corrupt(what: string, cause?: unknown): FloeError {
  return new FloeError('corrupt-data', `not a manifest: ${what}`, cause === undefined ? {} : { cause })
}
