import { readFileSync } from 'node:fs'
import avro from 'avsc'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryValue } from './arbitrary-value.ts'
import { openAvroFile, writeAvroFile } from './avro-container.ts'
import {
  assignFirstRowIds,
  decodeManifest,
  decodeManifestList,
  encodeManifest,
  encodeManifestList,
  FloeError,
  inheritEntries,
  manifestFileFor,
  parseJson,
  type DataFile,
  type JsonObject,
  type ManifestEntry,
  type ManifestFile,
  type ManifestHeader,
  type NestedField,
  type PrimitiveType,
} from './index.ts'

const hex = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : Buffer.from(bytes).toString('hex')

function errorOf(run: () => unknown): FloeError {
  try {
    run()
  } catch (error) {
    if (error instanceof FloeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const partitionTypes: readonly PrimitiveType[] = [
  { kind: 'boolean' },
  { kind: 'int' },
  { kind: 'long' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'decimal', precision: 38, scale: 4 },
  { kind: 'decimal', precision: 9, scale: 2 },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'timestamptz' },
  { kind: 'string' },
  { kind: 'uuid' },
  { kind: 'uuid' },
  { kind: 'fixed', length: 3 },
  { kind: 'binary' },
]

function headerOf(formatVersion: 1 | 2 | 3, content: 'data' | 'deletes' = 'data'): ManifestHeader {
  const fields = partitionTypes.map((type, at): NestedField => ({
    id: at + 1,
    name: `c ${at}`,
    type,
    required: false,
  }))
  return {
    schema: { schemaId: 3, fields },
    spec: {
      specId: 5,
      fields: fields.map(({ id, name }) => ({
        sourceIds: [id],
        fieldId: 1010 + id,
        name,
        transform: { kind: 'identity' },
      })),
    },
    formatVersion,
    content,
  }
}

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const bytes = fc.uint8Array({ maxLength: 20 })

const columnMap = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<number, T>> =>
  fc.array(fc.tuple(fc.nat(), value), { maxLength: 5 }).map((pairs) => new Map(pairs))

const fileArbitrary: fc.Arbitrary<DataFile> = fc.record(
  {
    content: fc.constant('data' as const),
    filePath: fc.string({ unit: 'binary', minLength: 1 }),
    fileFormat: fc.constantFrom('parquet' as const, 'orc' as const, 'avro' as const),
    specId: fc.constant(5),
    partition: fc.tuple(...partitionTypes.map((type) => fc.option(arbitraryValue(type)))),
    recordCount: count,
    fileSizeInBytes: count,
    columnSizes: columnMap(count),
    valueCounts: columnMap(count),
    nullValueCounts: columnMap(count),
    nanValueCounts: columnMap(count),
    lowerBounds: columnMap(bytes),
    upperBounds: columnMap(bytes),
    keyMetadata: bytes,
    splitOffsets: fc.array(count),
    sortOrderId: fc.nat(),
    firstRowId: long,
    referencedDataFile: fc.string(),
    contentOffset: count,
    contentSizeInBytes: count,
  },
  {
    requiredKeys: [
      'content',
      'filePath',
      'fileFormat',
      'specId',
      'partition',
      'recordCount',
      'fileSizeInBytes',
    ],
  },
)

const entryArbitrary: fc.Arbitrary<ManifestEntry> = fc.oneof(
  fc.record(
    {
      status: fc.constant('added' as const),
      snapshotId: long,
      sequenceNumber: long,
      dataFile: fileArbitrary,
    },
    { requiredKeys: ['status', 'dataFile'] },
  ),
  fc.record({
    status: fc.constantFrom('existing' as const, 'deleted' as const),
    snapshotId: long,
    sequenceNumber: long,
    fileSequenceNumber: long,
    dataFile: fileArbitrary,
  }),
)

const plainFile: DataFile = {
  content: 'data',
  filePath: 's3://b/f.parquet',
  fileFormat: 'parquet',
  specId: 0,
  partition: [],
  recordCount: 10,
  fileSizeInBytes: 100,
}
const plainHeader: ManifestHeader = {
  schema: { schemaId: 0, fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }] },
  spec: { specId: 0, fields: [] },
  formatVersion: 2,
  content: 'data',
}
const added = (change: Partial<DataFile> = {}): ManifestEntry => ({
  status: 'added',
  snapshotId: 7n,
  dataFile: { ...plainFile, ...change },
})

describe('encodeManifest', () => {
  it('is undone by decodeManifest for every v3 entry, with either codec and any block size', () => {
    const header = headerOf(3)
    const options = fc.record({
      codec: fc.constantFrom('null', 'deflate'),
      blockBytes: fc.integer({ min: 1, max: 5000 }),
    })
    fc.assert(
      fc.property(fc.array(entryArbitrary, { maxLength: 8 }), options, (entries, writeOptions) => {
        const decoded = decodeManifest(encodeManifest(header, entries, writeOptions))
        expect(decoded.header).toEqual(header)
        expect(decoded.entries).toEqual(entries)
      }),
      { numRuns: 60 },
    )
  })

  it('is read by an independent Avro library, values and all', () => {
    const entry = added({
      partition: [],
      lowerBounds: new Map([[1, Uint8Array.of(1, 2)]]),
      splitOffsets: [4],
    })
    const file = openAvroFile(encodeManifest(plainHeader, [entry], { codec: 'null' }))
    const type = avro.Type.forSchema(JSON.parse(file.metadata['avro.schema'] ?? '') as avro.Schema, {
      wrapUnions: false,
      logicalTypes: {},
    })
    const [block] = file.blocks()
    const value = JSON.parse(JSON.stringify(type.fromBuffer(Buffer.from(block?.bytes ?? [])))) as unknown
    expect(value).toMatchObject({
      status: 1,
      snapshot_id: 7,
      sequence_number: null,
      data_file: {
        content: 0,
        file_path: 's3://b/f.parquet',
        record_count: 10,
        split_offsets: [4],
        column_sizes: null,
      },
    })
  })

  it('keeps the attributes of Iceberg in the schema of the header, and only text beside it', () => {
    const { metadata } = openAvroFile(encodeManifest(headerOf(2), []))
    expect(metadata).toMatchObject({
      'schema-id': '3',
      'partition-spec-id': '5',
      'format-version': '2',
      content: 'data',
    })
    expect((parseJson(metadata['partition-spec'] ?? '') as JsonObject[])[0]).toMatchObject({
      'field-id': 1011,
      name: 'c 0',
    })
    const schema = parseJson(metadata['avro.schema'] ?? '') as JsonObject
    const dataFile = (schema['fields'] as JsonObject[]).find((field) => field['name'] === 'data_file')
    const dataFileType = dataFile?.['type'] as JsonObject | undefined
    const fields = dataFileType?.['fields'] as JsonObject[]
    const fieldOf = (id: number): JsonObject => fields.find((field) => field['field-id'] === id) ?? {}
    expect(fieldOf(108)).toMatchObject({
      default: null,
      type: [
        'null',
        {
          type: 'array',
          logicalType: 'map',
          items: { name: 'k117_v118', fields: [{ 'field-id': 117 }, { 'field-id': 118 }] },
        },
      ],
    })
    expect(fieldOf(132)).toMatchObject({
      type: ['null', { type: 'array', items: 'long', 'element-id': 133 }],
    })
    expect(fieldOf(103)).toEqual({ name: 'record_count', type: 'long', 'field-id': 103 })
    const partition = fieldOf(102)['type'] as JsonObject
    expect(partition['name']).toBe('r102')
    const types = (partition['fields'] as JsonObject[]).map((field) => (field['type'] as unknown[])[1])
    expect(types[6]).toEqual({
      type: 'fixed',
      name: 'decimal_9_2',
      size: 4,
      logicalType: 'decimal',
      precision: 9,
      scale: 2,
    })
    expect(types[9]).toEqual({ type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true })
    expect(types.slice(11, 13)).toEqual([
      { type: 'fixed', name: 'uuid_fixed', size: 16, logicalType: 'uuid' },
      'uuid_fixed',
    ])
    expect((partition['fields'] as JsonObject[])[0]).toMatchObject({
      name: 'c_x200',
      'iceberg-field-name': 'c 0',
      'field-id': 1011,
    })
  })

  it('writes delete files in v2 with their equality ids, and none in v1', () => {
    const header: ManifestHeader = { ...plainHeader, content: 'deletes' }
    const entry = added({ content: 'equality-deletes', equalityIds: [1] })
    expect(decodeManifest(encodeManifest(header, [entry]))).toEqual({ header, entries: [entry] })
    expect(errorOf(() => encodeManifest({ ...header, formatVersion: 1 }, [entry])).code).toBe('invalid-input')
  })

  it.each<[string, ManifestEntry]>([
    [
      'an existing entry without sequence numbers',
      { status: 'existing', snapshotId: 7n, dataFile: plainFile },
    ],
    ['a file of another spec', added({ specId: 4 })],
    ['a file of the other content', added({ content: 'position-deletes' })],
    ['too many partition values', added({ partition: [1] })],
  ])('refuses %s', (_, entry) => {
    expect(errorOf(() => encodeManifest(plainHeader, [entry])).code).toBe('invalid-input')
  })
})

describe('decodeManifest', () => {
  it.each(['partitioned-v1', 'partitioned-v2'])(
    'reads what PyIceberg reads from its own files: %s',
    (name) => {
      const expected = JSON.parse(fixture(name, 'expected.json').toString()) as ExpectedManifest[]
      const files = decodeManifestList(fixture(name, 'manifest-list.avro'))
      expect(files.map(describeFile)).toEqual(expected.map((manifest) => manifest.file))
      files.forEach((file, at) => {
        const { header, entries } = decodeManifest(fixture(name, `manifest-${at}.avro`))
        const inherited = inheritEntries(entries, file)
        expect(inherited.map(describeEntry)).toEqual(expected[at]?.entries)
        const summary = manifestFileFor(file.manifestPath, file.manifestLength, header, inherited, {
          snapshotId: file.addedSnapshotId,
          sequenceNumber: file.sequenceNumber,
        })
        expect(describeFile(summary)).toEqual(describeFile(file))
        const again = decodeManifest(encodeManifest(header, inherited)).entries
        expect(inheritEntries(again, file)).toEqual(inherited)
      })
    },
  )

  it('keeps the metrics of the wanted columns alone', () => {
    const sizes = new Map([
      [1, 10],
      [2, 20],
    ])
    const encoded = encodeManifest(plainHeader, [added({ columnSizes: sizes })])
    const { entries } = decodeManifest(encoded, { metricColumns: new Set([2]) })
    expect(entries[0]?.dataFile.columnSizes).toEqual(new Map([[2, 20]]))
  })

  it('goes by ids when the names differ, and by names when there are no ids', () => {
    const encoded = openAvroFile(encodeManifest(plainHeader, [added()], { codec: 'null' }))
    const schema = encoded.metadata['avro.schema'] ?? ''
    const [block] = encoded.blocks()
    const rewrite = (text: string): Uint8Array =>
      writeAvroFile(
        { ...encoded.metadata, 'avro.schema': text },
        1,
        (sink) => sink.writeFixed(block?.bytes ?? new Uint8Array()),
        {
          codec: 'null',
        },
      )
    const renamed = rewrite(schema.replaceAll('"record_count"', '"rows"'))
    const anonymous = rewrite(schema.replaceAll(/,"(field|element)-id":\d+/g, ''))
    for (const file of [renamed, anonymous]) expect(decodeManifest(file).entries).toEqual([added()])
  })

  it('names the codec that is missing, and takes it when handed in', () => {
    const codec = {
      compress: (block: Uint8Array) => block.toReversed(),
      decompress: (block: Uint8Array) => block.toReversed(),
    }
    const encoded = encodeManifest(plainHeader, [added()], {
      codec: 'zstandard',
      codecs: { zstandard: codec },
    })
    expect(errorOf(() => decodeManifest(encoded)).message).toMatch(/zstandard/)
    expect(decodeManifest(encoded, { codecs: { zstandard: codec } }).entries).toEqual([added()])
  })

  it('gives corrupt-data, and no endless list, for any byte that is changed in the entries', () => {
    const metrics = { columnSizes: new Map([[1, 300]]), lowerBounds: new Map([[1, Uint8Array.of(1, 2)]]) }
    const whole = encodeManifest(plainHeader, [added({ ...metrics, splitOffsets: [4, 9] })], {
      codec: 'null',
    })
    const end = whole.length - 16
    for (let at = headerLength(whole); at < end; at++) {
      for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const changed = whole.with(at, byte)
        const outcome = outcomeOf(() => decodeManifest(changed))
        expect(['read', 'corrupt-data', 'unsupported']).toContain(outcome)
      }
    }
  })

  it.each<[string, number[]]>([
    ['more items than bytes', [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    ['a block that goes back', [0x01, 0x13]],
    ['a number of more than 64 bits', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00]],
  ])('gives corrupt-data for a list with %s, read or passed over', (_, list) => {
    const { metadata } = openAvroFile(encodeManifest(plainHeader, []))
    const items = '{"name":"list","type":{"type":"array","items":"long"}'
    for (const id of ['', ',"field-id":132']) {
      const schema = `{"type":"record","name":"e","fields":[{"name":"data_file","field-id":2,"type":
        {"type":"record","name":"f","fields":[${items}${id}}]}}]}`
      const file = writeAvroFile({ ...metadata, 'avro.schema': schema }, 1, (sink) =>
        sink.writeFixed(Uint8Array.from(list)),
      )
      expect(errorOf(() => decodeManifest(file)).code).toBe('corrupt-data')
    }
  })

  it('passes over fields that it does not know, of every Avro type', () => {
    const encoded = openAvroFile(encodeManifest(plainHeader, [added()], { codec: 'null' }))
    const types = [
      '"null"',
      '"boolean"',
      '"float"',
      '"double"',
      '"string"',
      '["null","long"]',
      '{"type":"map","values":"int"}',
      '{"type":"array","items":["null","bytes"]}',
      '{"type":"enum","name":"en","symbols":["A","B"]}',
      '{"type":"fixed","name":"fi","size":2}',
      '{"type":"record","name":"re","fields":[{"name":"class","type":"int"}]}',
    ].map((type, at) => `{"name":"x${at}; throw 1","type":${type},"field-id":${9000 + at}}`)
    const values = [[], [1], [0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [2, 97], [2, 5], [1, 6, 2, 97, 4, 0]]
    const more = [...values, [4, 0, 2, 2, 7, 0], [2], [8, 9], [3]].flat()
    const schema = (encoded.metadata['avro.schema'] ?? '').replace('"fields":[', `"fields":[${types.join()},`)
    const [block] = encoded.blocks()
    const file = writeAvroFile({ ...encoded.metadata, 'avro.schema': schema }, 1, (sink) => {
      sink.writeFixed(Uint8Array.from(more))
      sink.writeFixed(block?.bytes ?? new Uint8Array())
    })
    expect(decodeManifest(file).entries).toEqual([added()])
  })

  it('gives corrupt-data, never another error, for a file that is cut off or changed', () => {
    const whole = encodeManifest(plainHeader, [added(), added()], { codec: 'null' })
    for (let length = 0; length < whole.length; length++) {
      // A cut right after the header leaves a whole file without entries.
      const cut = (): number => decodeManifest(whole.subarray(0, length)).entries.length
      const outcome = length === headerLength(whole) ? cut() : errorOf(cut).code
      expect(outcome).toBe(length === headerLength(whole) ? 0 : 'corrupt-data')
    }
  })
})

describe('inheritEntries', () => {
  const file: ManifestFile = {
    manifestPath: 'm',
    manifestLength: 1,
    partitionSpecId: 0,
    content: 'data',
    sequenceNumber: 9n,
    minSequenceNumber: 0n,
    addedSnapshotId: 44n,
    firstRowId: 1000n,
  }
  const kept: ManifestEntry = {
    status: 'existing',
    snapshotId: 1n,
    sequenceNumber: 0n,
    fileSequenceNumber: 0n,
    dataFile: plainFile,
  }

  it('gives added entries the numbers of the manifest and leaves those of existing ones', () => {
    const [first, second] = inheritEntries([{ status: 'added', dataFile: plainFile }, kept], file)
    expect(first).toMatchObject({ snapshotId: 44n, sequenceNumber: 9n, fileSequenceNumber: 9n })
    expect(second).toMatchObject({ snapshotId: 1n, sequenceNumber: 0n, fileSequenceNumber: 0n })
  })

  it('takes 0 for what v1 did not write', () => {
    const [entry] = inheritEntries([{ status: 'existing', snapshotId: 1n, dataFile: plainFile }], {
      ...file,
      sequenceNumber: 0n,
    })
    expect(entry).toMatchObject({ sequenceNumber: 0n, fileSequenceNumber: 0n })
  })

  it('counts row ids over the files without one, deleted files left out', () => {
    const entries: ManifestEntry[] = [
      added(),
      { ...kept, status: 'deleted' },
      { ...kept, dataFile: { ...plainFile, firstRowId: 5n } },
      kept,
    ]
    const ids = inheritEntries(entries, file).map((entry) => entry.dataFile.firstRowId)
    expect(ids).toEqual([1000n, undefined, 5n, 1010n])
  })

  it('drops row ids when the manifest has none', () => {
    const { firstRowId: _, ...older } = file
    expect(inheritEntries([added({ firstRowId: 5n })], older)[0]?.dataFile.firstRowId).toBeUndefined()
  })

  it('assigns manifests their first row ids by existing and added rows', () => {
    const counts = { addedRowsCount: 10, existingRowsCount: 5 }
    const { firstRowId: _, ...fresh } = { ...file, ...counts }
    const { files, nextRowId } = assignFirstRowIds(
      [fresh, { ...fresh, content: 'deletes' }, file, fresh],
      100n,
    )
    expect(files.map((item) => item.firstRowId)).toEqual([100n, undefined, 1000n, 115n])
    expect(nextRowId).toBe(130n)
  })
})

describe('manifest list', () => {
  const summary = {
    containsNull: true,
    containsNan: false,
    lowerBound: Uint8Array.of(1),
    upperBound: Uint8Array.of(2, 3),
  }
  const file: ManifestFile = {
    manifestPath: 's3://b/m.avro',
    manifestLength: 5000,
    partitionSpecId: 2,
    content: 'data',
    sequenceNumber: 2n ** 60n + 1n,
    minSequenceNumber: 0n,
    addedSnapshotId: 8_744_736_658_442_914_487n,
    addedFilesCount: 1,
    existingFilesCount: 2,
    deletedFilesCount: 3,
    addedRowsCount: 2 ** 52,
    existingRowsCount: 5,
    deletedRowsCount: 6,
    partitions: [summary, { containsNull: false }],
    keyMetadata: Uint8Array.of(9),
  }
  const header = { snapshotId: 1n, parentSnapshotId: undefined, sequenceNumber: 3n }

  it('gives back what was written in v2 and v3', () => {
    const deletes: ManifestFile = { ...file, content: 'deletes' }
    expect(decodeManifestList(encodeManifestList([file, deletes], { ...header, formatVersion: 2 }))).toEqual([
      file,
      deletes,
    ])
    const v3 = [{ ...file, firstRowId: 2n ** 62n }, deletes]
    expect(
      decodeManifestList(encodeManifestList(v3, { ...header, formatVersion: 3, firstRowId: 4n })),
    ).toEqual(v3)
  })

  it('gives 0 for the sequence numbers that v1 has not', () => {
    const { addedRowsCount: _, ...partly } = file
    const [read] = decodeManifestList(encodeManifestList([partly], { ...header, formatVersion: 1 }))
    expect(read).toEqual({ ...partly, sequenceNumber: 0n, minSequenceNumber: 0n })
  })

  it('refuses what a version cannot say', () => {
    const { addedRowsCount: _, ...partly } = file
    expect(errorOf(() => encodeManifestList([partly], { ...header, formatVersion: 2 })).message).toMatch(
      /added_rows_count/,
    )
    expect(errorOf(() => encodeManifestList([file], { ...header, formatVersion: 3 })).message).toMatch(
      /first_row_id/,
    )
    expect(
      errorOf(() => encodeManifestList([{ ...file, content: 'deletes' }], { ...header, formatVersion: 1 }))
        .code,
    ).toBe('invalid-input')
  })

  it('requires what the spec requires: no union around added_snapshot_id', () => {
    const { metadata } = openAvroFile(encodeManifestList([], { ...header, formatVersion: 2 }))
    const fields = (parseJson(metadata['avro.schema'] ?? '') as JsonObject)['fields'] as JsonObject[]
    expect(fields.find((field) => field['field-id'] === 503)?.['type']).toBe('long')
    expect(fields.find((field) => field['field-id'] === 504)?.['name']).toBe('added_files_count')
    expect(metadata).toMatchObject({
      'snapshot-id': '1',
      'parent-snapshot-id': 'null',
      'sequence-number': '3',
    })
  })

  it('reads the names of old writers', () => {
    const encoded = openAvroFile(
      encodeManifestList([file], { ...header, formatVersion: 2 }, { codec: 'null' }),
    )
    const schema = (encoded.metadata['avro.schema'] ?? '')
      .replaceAll(/,"(field|element)-id":\d+/g, '')
      .replaceAll('_files_count', '_data_files_count')
    const [block] = encoded.blocks()
    const old = writeAvroFile({ ...encoded.metadata, 'avro.schema': schema }, 1, (sink) =>
      sink.writeFixed(block?.bytes ?? new Uint8Array()),
    )
    expect(decodeManifestList(old)).toEqual([file])
  })
})

type ExpectedManifest = { readonly file: JsonObject; readonly entries: readonly JsonObject[] }

function fixture(name: string, file: string): Buffer {
  return readFileSync(new URL(`../fixtures/pyiceberg/${name}/${file}`, import.meta.url))
}

function describeFile(file: ManifestFile): JsonObject {
  return {
    path: file.manifestPath,
    content: file.content === 'data' ? 0 : 1,
    sequenceNumber: Number(file.sequenceNumber),
    minSequenceNumber: Number(file.minSequenceNumber),
    addedSnapshotId: String(file.addedSnapshotId),
    added: file.addedFilesCount ?? null,
    existing: file.existingFilesCount ?? null,
    deleted: file.deletedFilesCount ?? null,
    addedRows: file.addedRowsCount ?? null,
    partitions: (file.partitions ?? []).map(({ containsNull, containsNan, lowerBound, upperBound }) => ({
      null: containsNull,
      nan: containsNan ?? null,
      lower: hex(lowerBound),
      upper: hex(upperBound),
    })),
  }
}

function describeEntry({ status, snapshotId, sequenceNumber, dataFile }: ManifestEntry): JsonObject {
  return {
    status: { existing: 0, added: 1, deleted: 2 }[status],
    snapshotId: String(snapshotId),
    sequenceNumber: Number(sequenceNumber),
    path: dataFile.filePath,
    records: dataFile.recordCount,
    bytes: dataFile.fileSizeInBytes,
    partition: dataFile.partition.map((value) =>
      typeof value === 'bigint' ? String(value) : (value as string | number | null),
    ),
    lower: Object.fromEntries(
      [...(dataFile.lowerBounds ?? [])].map(([id, bound]) => [String(id), hex(bound)]),
    ),
    nulls: Object.fromEntries(
      [...(dataFile.nullValueCounts ?? [])].map(([id, nulls]) => [String(id), nulls]),
    ),
  }
}

function outcomeOf(run: () => unknown): string {
  try {
    run()
    return 'read'
  } catch (error) {
    return error instanceof FloeError ? error.code : String(error)
  }
}

/** The header ends with the 16 bytes that end the file too. */
function headerLength(whole: Uint8Array): number {
  return Buffer.from(whole).indexOf(whole.subarray(-16)) + 16
}
