import { describe, expect, it } from 'vitest'
import { dataFileLocation, metadataFileLocation } from './data-location.ts'
import { parseWriteSettings } from './write-settings.ts'

describe('parseWriteSettings', () => {
  it("has Iceberg's defaults, but pages end by their bytes alone", () => {
    expect(parseWriteSettings({})).toEqual({
      targetFileBytes: 536_870_912,
      rowGroupBytes: 134_217_728,
      rowGroupRowsMax: Number.MAX_SAFE_INTEGER,
      bloomFilters: undefined,
      pageBytes: 1_048_576,
      pageRowsMax: Number.MAX_SAFE_INTEGER,
      dictionaryBytesMax: 2_097_152,
      codec: 'zstd',
      level: undefined,
      metrics: { default: { kind: 'truncate', length: 16 }, columns: {} },
      dataPath: undefined,
      metadataPath: undefined,
      objectStorage: false,
      objectStoragePartitionedPaths: true,
      manifestTargetBytes: 8_388_608,
      commitRetriesMax: 4,
      commitRetryDelayMsMin: 100,
      commitRetryDelayMsMax: 60_000,
      commitStatusChecksMax: 3,
      ignored: [],
    })
  })

  it('reads what is set', () => {
    const settings = parseWriteSettings({
      'write.format.default': 'PARQUET',
      'write.target-file-size-bytes': '1000',
      'write.parquet.compression-codec': 'GZIP',
      'write.parquet.compression-level': '9',
      'write.parquet.dict-size-bytes': '0',
      'write.metadata.metrics.default': 'counts',
      'write.metadata.metrics.column.a.b': 'full',
      'write.object-storage.enabled': 'TRUE',
      'commit.retry.num-retries': '0',
    })
    expect(settings).toMatchObject({
      targetFileBytes: 1000,
      codec: 'gzip',
      level: 9,
      dictionaryBytesMax: 0,
      metrics: { default: { kind: 'counts' }, columns: { 'a.b': { kind: 'full' } } },
      objectStorage: true,
      commitRetriesMax: 0,
      ignored: [],
    })
  })

  it('names what is set without effect, and nothing of others', () => {
    const properties = {
      'write.wap.enabled': 'true',
      'write.distribution-mode': 'hash',
      'commit.x': '1',
      comment: 'c',
      'read.split.target-size': '1',
    }
    expect(parseWriteSettings(properties).ignored).toEqual([
      'commit.x',
      'write.distribution-mode',
      'write.wap.enabled',
    ])
  })

  it('takes no level for a codec that has none', () => {
    expect(
      parseWriteSettings({
        'write.parquet.compression-codec': 'snappy',
        'write.parquet.compression-level': '99',
      }).level,
    ).toBeUndefined()
  })

  it.each([
    ['write.target-file-size-bytes', '-1'],
    ['write.target-file-size-bytes', '0'],
    ['write.target-file-size-bytes', ''],
    ['write.target-file-size-bytes', '512MB'],
    ['write.target-file-size-bytes', '1e6'],
    ['write.parquet.page-size-bytes', '99999999999999999999'],
    ['write.parquet.compression-level', '23'],
    ['commit.retry.num-retries', '-1'],
    ['write.metadata.metrics.default', 'some'],
    ['write.metadata.metrics.column.a', 'truncate(0)'],
  ])('refuses %s = %j with a hint', (name, value) => {
    expect(() => parseWriteSettings({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'invalid-input', hint: expect.any(String) }),
    )
  })

  it.each([
    ['write.format.default', 'orc'],
    ['write.parquet.compression-codec', 'deflate'],
  ])('cannot do %s = %s', (name, value) => {
    expect(() => parseWriteSettings({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'unsupported', hint: expect.any(String) }),
    )
  })
})

describe('dataFileLocation', () => {
  const tableLocation = 's3://lake/orders'
  const schema = {
    schemaId: 0,
    fields: [{ id: 1, name: 'c', type: { kind: 'string' }, required: false }],
  } as const
  const spec = {
    specId: 0,
    fields: [{ sourceIds: [1], fieldId: 1000, name: 'c', transform: { kind: 'identity' } }],
  } as const
  const place = (
    properties: Readonly<Record<string, string>>,
    isPartitioned: boolean,
    name = 'f.parquet',
  ): string =>
    dataFileLocation(
      { tableLocation, settings: parseWriteSettings(properties) },
      isPartitioned
        ? { spec, schema, partition: ['x/y'] }
        : { spec: { specId: 0, fields: [] }, schema, partition: [] },
      name,
    )
  const hashed = { 'write.object-storage.enabled': 'true' }

  it('puts a file below data and its partition', () => {
    expect(place({}, false)).toBe('s3://lake/orders/data/f.parquet')
    expect(place({}, true)).toBe('s3://lake/orders/data/c=x%2Fy/f.parquet')
    expect(place({ 'write.data.path': 's3://other/place' }, true)).toBe('s3://other/place/c=x%2Fy/f.parquet')
  })

  // Expected hashes: TestLocationProvider of apache/iceberg.
  it.each([
    ['a', '0101/0110/1001/10110010'],
    ['b', '1110/0111/1110/00000011'],
    ['c', '0010/1101/0110/01011111'],
    ['d', '1001/0001/0100/01110011'],
  ])('spreads the name %s of an object store as Java does', (name, hash) => {
    expect(place(hashed, false, name)).toBe(`s3://lake/orders/data/${hash}/${name}`)
  })

  it('keeps the partition in the path of an object store unless told otherwise', () => {
    expect(place(hashed, true)).toMatch(
      /^s3:\/\/lake\/orders\/data\/[01]{4}\/[01]{4}\/[01]{4}\/[01]{8}\/c=x%2Fy\/f\.parquet$/,
    )
    const flat = { ...hashed, 'write.object-storage.partitioned-paths': 'false' }
    expect(place(flat, true, 'a')).toBe('s3://lake/orders/data/0101/0110/1001/10110010-a')
    expect(place(flat, false, 'a')).toBe('s3://lake/orders/data/0101/0110/1001/10110010-a')
  })

  it('puts metadata where write.metadata.path says', () => {
    expect(metadataFileLocation(tableLocation, { metadataPath: undefined }, 'm.avro')).toBe(
      's3://lake/orders/metadata/m.avro',
    )
    expect(metadataFileLocation(tableLocation, { metadataPath: 's3://m/' }, 'm.avro')).toBe('s3://m/m.avro')
  })

  it('reads Bloom filters by column, and the limits of row groups', () => {
    const prefix = 'write.parquet.bloom-filter'
    const { bloomFilters, rowGroupBytes, rowGroupRowsMax, ignored } = parseWriteSettings({
      [`${prefix}-enabled.column.id`]: 'true',
      [`${prefix}-enabled.column.a.b`]: 'TRUE',
      [`${prefix}-enabled.column.note`]: 'false',
      [`${prefix}-fpp.column.id`]: '0.1',
      [`${prefix}-max-bytes`]: '4096',
      'write.parquet.row-group-size-bytes': '1000',
      'write.parquet.row-group-limit': '10',
    })
    expect(bloomFilters).toEqual({ falsePositiveShares: { id: 0.1, 'a.b': 0.01 }, bytesMax: 4096 })
    expect([rowGroupBytes, rowGroupRowsMax, ignored]).toEqual([1000, 10, []])
    expect(parseWriteSettings({}).bloomFilters).toBeUndefined()
    const odd = { [`${prefix}-enabled.column.id`]: 'true', [`${prefix}-fpp.column.id`]: '1' }
    expect(() => parseWriteSettings(odd)).toThrow(/share between 0 and 1/)
  })

  it('names what it does not do, and only where it is asked for', () => {
    const { ignored, codec } = parseWriteSettings({
      'write.parquet.compression-codec': 'LZ4',
      'write.distribution-mode': 'range',
      'write.parquet.page-version': 'v1',
      'write.summary.partition-limit': '100',
      'commit.manifest-merge.enabled': 'true',
      'commit.manifest.min-count-to-merge': '5',
      'history.expire.max-snapshot-age-ms': '1000',
      'write.of-the-future': 'x',
    })
    expect(codec).toBe('zstd')
    expect(ignored).toEqual([
      'commit.manifest-merge.enabled',
      'commit.manifest.min-count-to-merge',
      'history.expire.max-snapshot-age-ms',
      'write.distribution-mode',
      'write.of-the-future',
      'write.parquet.compression-codec',
      'write.summary.partition-limit',
    ])
    const none = { 'write.distribution-mode': 'none', 'commit.manifest-merge.enabled': 'false' }
    expect(parseWriteSettings(none).ignored).toEqual([])
  })
})
