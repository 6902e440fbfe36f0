import { writeAvroFile, type AvroWriteOptions } from './avro-container.ts'
import type { AvroSink } from './avro-sink.ts'
import { structToAvro } from './avro-type.ts'
import type { DataFile } from './data-file.ts'
import { FloeError } from './error.ts'
import { stringifyJson } from './json.ts'
import {
  blockSizeBytes,
  blockSizeFieldId,
  entryFieldIds,
  manifestEntryType,
  partitionFieldId,
} from './manifest-schema.ts'
import type { ManifestEntry, ManifestHeader } from './manifest.ts'
import { writePartitionValue } from './partition-avro.ts'
import { partitionSpecToJson, partitionType, type Partition } from './partition-spec.ts'
import { schemaToJson } from './schema.ts'
import type { NestedField, PrimitiveType, StructType, Type } from './type.ts'

const statuses = { existing: 0, added: 1, deleted: 2 } as const
const contents = { data: 0, 'position-deletes': 1, 'equality-deletes': 2 } as const

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
  const partition = partitionType(header.spec, header.schema)
  const type = manifestEntryType(header.formatVersion, partition)
  const writeEntry = entryWriter(type, partition)
  const write = (sink: AvroSink, at: number): void => {
    const entry = entries[at] as ManifestEntry
    checkEntry(header, entry)
    writeEntry(sink, entry)
  }
  return writeAvroFile(headerMembers(header, type), entries.length, write, options)
}

/** Header members, all text. `partition-spec` is the array of fields alone, as Java reads it. */
function headerMembers(header: ManifestHeader, type: StructType): Readonly<Record<string, string>> {
  return {
    'avro.schema': stringifyJson(structToAvro(type, 'manifest_entry')),
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

type EntryWriter = (sink: AvroSink, entry: ManifestEntry) => void
type FileWriter = (sink: AvroSink, file: DataFile) => void

function entryWriter(type: StructType, partition: StructType): EntryWriter {
  const writers = type.fields.map((field): EntryWriter => {
    switch (field.id) {
      case entryFieldIds.status:
        return (sink, entry) => sink.writeLong(statuses[entry.status])
      case entryFieldIds.snapshotId:
        return (sink, entry) => writeOptionalLong(sink, entry.snapshotId)
      case entryFieldIds.sequenceNumber:
        return (sink, entry) => writeOptionalLong(sink, entry.sequenceNumber)
      case entryFieldIds.fileSequenceNumber:
        return (sink, entry) => writeOptionalLong(sink, entry.fileSequenceNumber)
      default: {
        const writeFile = dataFileWriter(field.type as StructType, partition)
        return (sink, entry) => writeFile(sink, entry.dataFile)
      }
    }
  })
  return (sink, entry) => {
    for (const write of writers) write(sink, entry)
  }
}

function writeOptionalLong(sink: AvroSink, value: bigint | undefined): void {
  sink.writeLong(value === undefined ? 0 : 1)
  if (value !== undefined) sink.writeLong(value)
}

function dataFileWriter(type: StructType, partition: StructType): FileWriter {
  const writers = type.fields.map((field): FileWriter => {
    if (field.id === partitionFieldId) {
      const write = partitionWriter(partition)
      return (sink, file) => write(sink, file.partition)
    }
    const write = valueWriter(field.type)
    const get = dataFileGetters[field.id]
    if (get === undefined) throw new FloeError('internal', `no getter for data file field ${field.id}`)
    if (field.required) return (sink, file) => write(sink, get(file))
    return (sink, file) => {
      const value = get(file)
      sink.writeLong(value === undefined ? 0 : 1)
      if (value !== undefined) write(sink, value)
    }
  })
  return (sink, file) => {
    for (const write of writers) write(sink, file)
  }
}

function partitionWriter(partition: StructType): (sink: AvroSink, values: Partition) => void {
  const types = partition.fields.map((field: NestedField) => field.type as PrimitiveType)
  return (sink, values) => {
    types.forEach((type, at) => {
      const value = values[at] ?? null
      // Avro's null alone stands for the values of a type that is not known.
      if (type.kind !== 'unknown') sink.writeLong(value === null ? 0 : 1)
      if (value !== null) writePartitionValue(sink, type, value)
    })
  }
}

const dataFileGetters: Readonly<Record<number, (file: DataFile) => unknown>> = {
  134: (file) => contents[file.content],
  100: (file) => file.filePath,
  101: (file) => file.fileFormat.toUpperCase(),
  103: (file) => file.recordCount,
  104: (file) => file.fileSizeInBytes,
  [blockSizeFieldId]: () => blockSizeBytes,
  108: (file) => file.columnSizes,
  109: (file) => file.valueCounts,
  110: (file) => file.nullValueCounts,
  137: (file) => file.nanValueCounts,
  125: (file) => file.lowerBounds,
  128: (file) => file.upperBounds,
  131: (file) => file.keyMetadata,
  132: (file) => file.splitOffsets,
  135: (file) => file.equalityIds,
  140: (file) => file.sortOrderId,
  142: (file) => file.firstRowId,
  143: (file) => file.referencedDataFile,
  144: (file) => file.contentOffset,
  145: (file) => file.contentSizeInBytes,
}

type ValueWriter = (sink: AvroSink, value: unknown) => void

/** Writer of the types that data files have. */
function valueWriter(type: Type): ValueWriter {
  switch (type.kind) {
    case 'map': {
      const writeItem = valueWriter(type.value)
      return (sink, value) => {
        const map = value as ReadonlyMap<number, unknown>
        if (map.size > 0) sink.writeLong(map.size)
        for (const [key, item] of map) {
          sink.writeLong(key)
          writeItem(sink, item)
        }
        sink.writeLong(0)
      }
    }
    case 'list': {
      const writeItem = valueWriter(type.element)
      return (sink, value) => {
        const items = value as readonly unknown[]
        if (items.length > 0) sink.writeLong(items.length)
        for (const item of items) writeItem(sink, item)
        sink.writeLong(0)
      }
    }
    case 'string':
      return (sink, value) => sink.writeString(value as string)
    case 'binary':
      return (sink, value) => sink.writeBytes(value as Uint8Array)
    default:
      return (sink, value) => sink.writeLong(value as number | bigint)
  }
}
