import { writeAvroFile, type AvroWriteOptions } from './avro-container.ts'
import type { AvroSink } from './avro-record-codec.ts'
import { parseAvroSchema } from './avro-schema.ts'
import { structToAvro } from './avro-type.ts'
import { FloeError } from './error.ts'
import { stringifyJson, type JsonObject } from './json.ts'
import { manifestEntryAvro } from './manifest-entry-avro.ts'
import { manifestEntryType } from './manifest-schema.ts'
import type { ManifestEntry, ManifestHeader } from './manifest.ts'
import { partitionSpecToJson, partitionType } from './partition-spec.ts'
import { schemaToJson } from './schema.ts'

/**
 * Bytes of a manifest file (spec "Manifests") in the layout of the header's format version. Fields that a version has
 * not are left out; in v1 that must not lose delete files.
 * @throws FloeError invalid-input when an entry does not fit the header
 */
export function encodeManifest(
  header: ManifestHeader,
  entries: readonly ManifestEntry[],
  options: AvroWriteOptions = {},
): Uint8Array {
  const struct = manifestEntryType(header.formatVersion, partitionType(header.spec, header.schema))
  const avroSchema = structToAvro(struct, 'manifest_entry')
  const type = manifestEntryAvro(parseAvroSchema(avroSchema), { header, metricColumns: undefined })
  const write = (sink: AvroSink, at: number): void => {
    const entry = entries[at] as ManifestEntry
    checkEntry(header, entry)
    sink.write(type, entry)
  }
  return writeAvroFile(headerMembers(header, avroSchema), entries.length, write, options)
}

/** Header members, all text. `partition-spec` is the array of fields alone, as Java reads it. */
function headerMembers(header: ManifestHeader, avroSchema: JsonObject): Readonly<Record<string, string>> {
  return {
    'avro.schema': stringifyJson(avroSchema),
    schema: stringifyJson(schemaToJson(header.schema)),
    'schema-id': String(header.schema.schemaId),
    'partition-spec': stringifyJson(partitionSpecToJson(header.spec)['fields'] ?? []),
    'partition-spec-id': String(header.spec.specId),
    'format-version': String(header.formatVersion),
    // v1 knows no deletes, so its manifests do not say what they hold.
    ...(header.formatVersion === 1 ? {} : { content: header.content }),
  }
}

function checkEntry({ content, formatVersion, spec }: ManifestHeader, entry: ManifestEntry): void {
  const { dataFile } = entry
  checkSequenceNumbers(formatVersion, entry)
  const deletes = dataFile.content !== 'data'
  if (deletes !== (content === 'deletes')) {
    throw new FloeError(
      'invalid-input',
      `${dataFile.filePath} holds ${dataFile.content}, the manifest is for ${content}`,
    )
  }
  if (deletes && formatVersion === 1)
    throw new FloeError('invalid-input', 'a v1 table cannot hold delete files')
  if (dataFile.specId !== spec.specId || dataFile.partition.length !== spec.fields.length) {
    throw new FloeError(
      'invalid-input',
      `${dataFile.filePath} was made with spec ${dataFile.specId} and ${dataFile.partition.length} partition values, the manifest has spec ${spec.specId} with ${spec.fields.length}`,
    )
  }
}

/** Spec "Sequence Number Inheritance": only added files may take the manifest's numbers. */
function checkSequenceNumbers(formatVersion: 1 | 2 | 3, entry: ManifestEntry): void {
  if (formatVersion === 1 || entry.status === 'added') return
  const { snapshotId, sequenceNumber, fileSequenceNumber } = entry
  if (snapshotId !== undefined && sequenceNumber !== undefined && fileSequenceNumber !== undefined) return
  throw new FloeError(
    'invalid-input',
    `${entry.dataFile.filePath}: the ${entry.status} entry has no snapshot id or sequence numbers`,
    {
      hint: 'call inheritEntries on entries that are read from another manifest',
    },
  )
}
