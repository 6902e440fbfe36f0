import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openAvroFile } from './avro-container.ts'
import {
  decodeManifest,
  decodeManifestList,
  encodeManifest,
  encodeManifestList,
  inheritEntries,
  jsonEqual,
  manifestFileFor,
  parseJson,
  parseTableMetadata,
  tableMetadataToJson,
  type JsonObject,
  type JsonValue,
  type ManifestEntry,
  type ManifestFile,
} from './index.ts'

const cases = ['partitioned-v1', 'partitioned-v2', 'partitioned-v3']

type Expected = { readonly file: JsonObject; readonly entries: readonly JsonObject[] }

const read = (name: string, file: string): Buffer =>
  readFileSync(new URL(`../fixtures/java/${name}/${file}`, import.meta.url))
const expectedOf = (name: string): readonly Expected[] =>
  JSON.parse(read(name, 'expected.json').toString()) as Expected[]
const listOf = (name: string): readonly ManifestFile[] => decodeManifestList(read(name, 'manifest-list.avro'))
const hex = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : Buffer.from(bytes).toString('hex')

describe.each(cases)('files of the Java implementation: %s', (name) => {
  it('give what Java itself reads from them', () => {
    const expected = expectedOf(name)
    const files = listOf(name)
    expect(files.map(describeFile)).toEqual(expected.map((manifest) => manifest.file))
    files.forEach((file, at) => {
      const { entries } = decodeManifest(read(name, `manifest-${at}.avro`))
      expect(inheritEntries(entries, file).map(describeEntry)).toEqual(expected[at]?.entries)
    })
  })

  it('are summarised as Java summarises them, and survive a rewrite', () => {
    listOf(name).forEach((file, at) => {
      const { header, entries } = decodeManifest(read(name, `manifest-${at}.avro`))
      const inherited = inheritEntries(entries, file)
      const { firstRowId, sequenceNumber } = file
      const summary = manifestFileFor(file.manifestPath, file.manifestLength, header, inherited, {
        snapshotId: file.addedSnapshotId,
        sequenceNumber,
        ...(firstRowId === undefined ? {} : { firstRowId }),
      })
      expect(summary).toEqual(file)
      expect(inheritEntries(decodeManifest(encodeManifest(header, inherited)).entries, file)).toEqual(
        inherited,
      )
    })
  })

  it('have the Avro schemas and header members that Floe writes', () => {
    const files = listOf(name)
    const original = openAvroFile(read(name, 'manifest-0.avro')).metadata
    const { header } = decodeManifest(read(name, 'manifest-0.avro'))
    const own = openAvroFile(encodeManifest(header, [])).metadata
    expect(schemaOf(own)).toEqual(schemaOf(original))
    for (const key of ['partition-spec', 'schema']) {
      expect(jsonEqual(parseJson(own[key] ?? ''), parseJson(original[key] ?? '')), key).toBe(true)
    }
    const list = openAvroFile(read(name, 'manifest-list.avro')).metadata
    const ownList = openAvroFile(
      encodeManifestList(files, {
        formatVersion: header.formatVersion,
        snapshotId: BigInt(list['snapshot-id'] ?? 0),
        parentSnapshotId: BigInt(list['parent-snapshot-id'] ?? 0),
        sequenceNumber: BigInt(list['sequence-number'] ?? 0),
        ...(list['first-row-id'] === undefined ? {} : { firstRowId: BigInt(list['first-row-id']) }),
      }),
    ).metadata
    expect(byId(schemaOf(ownList))).toEqual(byId(schemaOf(list)))
    for (const key of [
      'snapshot-id',
      'parent-snapshot-id',
      'sequence-number',
      'first-row-id',
      'format-version',
    ]) {
      expect(ownList[key], key).toBe(list[key])
    }
  })

  it('have metadata that comes back member by member', () => {
    const json = parseJson(read(name, 'table.metadata.json').toString())
    expect(tableMetadataToJson(parseTableMetadata(json))).toEqual(json)
  })
})

/** Without docs, which say nothing to readers. */
function schemaOf(metadata: Readonly<Record<string, string>>): JsonValue {
  return withoutDocs(parseJson(metadata['avro.schema'] ?? ''))
}

function withoutDocs(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutDocs)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value as JsonObject)
      .filter(([key]) => key !== 'doc')
      .map(([key, item]) => [key, withoutDocs(item)]),
  )
}

/** Fields by id: the order in v1 lists is another in Java, and no reader minds. */
function byId(schema: JsonValue): Readonly<Record<string, JsonValue>> {
  const fields = (schema as JsonObject)['fields'] as readonly JsonObject[]
  return Object.fromEntries(fields.map((field) => [String(Number(field['field-id'])), field]))
}

function describeFile(file: ManifestFile): JsonObject {
  return {
    content: file.content === 'data' ? 0 : 1,
    spec: file.partitionSpecId,
    sequenceNumber: Number(file.sequenceNumber),
    minSequenceNumber: Number(file.minSequenceNumber),
    addedSnapshotId: String(file.addedSnapshotId),
    added: file.addedFilesCount ?? null,
    existing: file.existingFilesCount ?? null,
    deleted: file.deletedFilesCount ?? null,
    addedRows: file.addedRowsCount ?? null,
    firstRowId: file.firstRowId === undefined ? null : String(file.firstRowId),
    partitions: (file.partitions ?? []).map(({ containsNull, containsNan, lowerBound, upperBound }) => ({
      null: containsNull,
      nan: containsNan ?? null,
      lower: hex(lowerBound),
      upper: hex(upperBound),
    })),
  }
}

function describeEntry({ dataFile, ...entry }: ManifestEntry): JsonObject {
  return {
    status: { existing: 0, added: 1, deleted: 2 }[entry.status],
    snapshotId: String(entry.snapshotId),
    sequenceNumber: Number(entry.sequenceNumber),
    fileSequenceNumber: Number(entry.fileSequenceNumber),
    content: { data: 0, 'position-deletes': 1, 'equality-deletes': 2 }[dataFile.content],
    path: dataFile.filePath,
    format: dataFile.fileFormat.toUpperCase(),
    records: dataFile.recordCount,
    bytes: dataFile.fileSizeInBytes,
    firstRowId: dataFile.firstRowId === undefined ? null : String(dataFile.firstRowId),
    reference: dataFile.referencedDataFile ?? null,
    offset: dataFile.contentOffset ?? null,
    equalityIds: dataFile.equalityIds ?? null,
    partition: dataFile.partition.map((value) =>
      value === null ? null : value instanceof Uint8Array ? hex(value) : String(value),
    ),
    lower: Object.fromEntries(
      [...(dataFile.lowerBounds ?? [])].map(([id, bound]) => [String(id), hex(bound)]),
    ),
  }
}
