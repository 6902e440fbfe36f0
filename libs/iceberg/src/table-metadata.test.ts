import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  currentSchema,
  currentSnapshot,
  defaultSpec,
  FloeError,
  jsonEqual,
  newTableMetadata,
  parseJson,
  parseTableMetadata,
  serializeTableMetadata,
  snapshotAsOf,
  snapshotByRef,
  stringifyJson,
  tableMetadataToJson,
  type JsonObject,
  type JsonValue,
} from './index.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/pyiceberg/${name}/table.metadata.json`, import.meta.url), 'utf8')

const bigId = 9_007_199_254_740_993n

const minimal: JsonObject = {
  'format-version': 2,
  'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  location: 's3://bucket/table',
  'last-sequence-number': 2,
  'last-updated-ms': 1_700_000_000_000,
  'last-column-id': 2,
  'current-schema-id': 0,
  schemas: [
    {
      type: 'struct',
      'schema-id': 0,
      fields: [
        { id: 1, name: 'id', required: true, type: 'long' },
        { id: 2, name: 'tag', required: false, type: 'string' },
      ],
    },
  ],
  'default-spec-id': 0,
  'partition-specs': [{ 'spec-id': 0, fields: [] }],
  'last-partition-id': 999,
  'default-sort-order-id': 0,
  'sort-orders': [{ 'order-id': 0, fields: [] }],
  properties: {},
  'current-snapshot-id': bigId,
  refs: { main: { 'snapshot-id': bigId, type: 'branch' } },
  snapshots: [
    {
      'sequence-number': 1,
      'snapshot-id': 5,
      'timestamp-ms': 1000,
      'manifest-list': 's3://b/1.avro',
      summary: { operation: 'append' },
    },
    {
      'sequence-number': 2,
      'snapshot-id': bigId,
      'parent-snapshot-id': 5,
      'timestamp-ms': 2000,
      'manifest-list': 's3://b/2.avro',
      summary: { operation: 'append' },
      'schema-id': 0,
    },
  ],
  statistics: [],
  'partition-statistics': [],
  'snapshot-log': [
    { 'timestamp-ms': 1000, 'snapshot-id': 5 },
    { 'timestamp-ms': 2000, 'snapshot-id': bigId },
  ],
  'metadata-log': [],
}

function errorOf(run: () => unknown): FloeError {
  try {
    run()
  } catch (error) {
    if (error instanceof FloeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('parseTableMetadata', () => {
  it.each(['partitioned-v1', 'partitioned-v2'])(
    'gives back every member of a file of PyIceberg: %s',
    (name) => {
      const original = parseJson(fixture(name)) as JsonObject
      const written = tableMetadataToJson(parseTableMetadata(original))
      for (const [key, value] of Object.entries(original)) {
        expect(withoutNulls(written[key] ?? null), key).toEqual(withoutNulls(value))
      }
    },
  )

  it('keeps ids beyond 2^53 exact through text', () => {
    const metadata = parseTableMetadata(stringifyJson(minimal))
    expect(metadata.currentSnapshotId).toBe(bigId)
    expect(jsonEqual(parseJson(serializeTableMetadata(metadata)), minimal)).toBe(true)
  })

  it('writes the text of its JSON, also when snapshots were written before in another version', () => {
    for (const name of ['partitioned-v1', 'partitioned-v2']) {
      const metadata = parseTableMetadata(fixture(name))
      for (const formatVersion of [metadata.formatVersion, 2, metadata.formatVersion] as const) {
        const upgraded = { ...metadata, formatVersion }
        const text = stringifyJson(tableMetadataToJson(upgraded))
        expect([serializeTableMetadata(upgraded), serializeTableMetadata(upgraded)]).toEqual([text, text])
      }
    }
  })

  it('keeps members that it does not know at table, snapshot, ref, schema and field level', () => {
    const unknown = fc.dictionary(
      fc.stringMatching(/^x-[a-z]{1,8}$/),
      fc.jsonValue() as fc.Arbitrary<JsonValue>,
      { minKeys: 1 },
    )
    fc.assert(
      fc.property(unknown, (extra) => {
        const stable = parseJson(stringifyJson(extra as JsonObject)) as JsonObject
        const table = decorate(minimal, stable)
        expect(jsonEqual(parseJson(serializeTableMetadata(parseTableMetadata(table))), table)).toBe(true)
      }),
    )
  })

  it.each([-1, null, undefined])('takes current-snapshot-id %s as no snapshot', (id) => {
    const { 'current-snapshot-id': _, refs: __, ...rest } = minimal
    const metadata = parseTableMetadata({
      ...rest,
      ...(id === undefined ? {} : { 'current-snapshot-id': id }),
    })
    expect(currentSnapshot(metadata)).toBeUndefined()
    expect(metadata.refs).toEqual({})
    expect(tableMetadataToJson(metadata)['current-snapshot-id']).toBe(-1)
  })

  it('makes main from the current snapshot when there are no refs', () => {
    const { refs: _, ...rest } = minimal
    expect(parseTableMetadata(rest).refs).toEqual({ main: { snapshotId: bigId, type: 'branch' } })
  })

  it('reads the single schema and spec of old v1 files and writes both forms', () => {
    const old: JsonObject = {
      'format-version': 1,
      location: 's3://bucket/old',
      'last-updated-ms': 1,
      'last-column-id': 1,
      schema: { type: 'struct', fields: [{ id: 1, name: 'day', required: false, type: 'date' }] },
      'partition-spec': [{ name: 'day', transform: 'identity', 'source-id': 1 }],
      snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1, manifests: ['a.avro'] }],
      'current-snapshot-id': 1,
    }
    const metadata = parseTableMetadata(old)
    expect(metadata.snapshots[0]).toEqual({
      snapshotId: 1n,
      sequenceNumber: 0n,
      timestampMs: 1,
      manifests: ['a.avro'],
    })
    expect(defaultSpec(metadata).fields[0]?.fieldId).toBe(1000)
    expect(metadata.lastPartitionId).toBe(1000)
    const written = tableMetadataToJson(metadata)
    expect(written['schema']).toEqual((written['schemas'] as JsonValue[])[0])
    expect(written['partition-spec']).toEqual([
      { name: 'day', transform: 'identity', 'source-id': 1, 'field-id': 1000 },
    ])
    expect(written).not.toHaveProperty('last-sequence-number')
    expect((written['snapshots'] as JsonValue[])[0]).not.toHaveProperty('sequence-number')
  })

  it.each<[string, JsonObject, RegExp]>([
    ['a schema id that points nowhere', { 'current-schema-id': 7 }, /no schema 7/],
    ['a spec id that points nowhere', { 'default-spec-id': 3 }, /no partition spec 3/],
    ['a current snapshot that is not there', { 'current-snapshot-id': 8, refs: {} }, /current-snapshot-id 8/],
    [
      'a ref that points nowhere',
      { refs: { main: { 'snapshot-id': bigId, type: 'branch' }, t: { 'snapshot-id': 6, type: 'tag' } } },
      /ref "t"/,
    ],
    ['main apart from the current snapshot', { 'current-snapshot-id': 5 }, /not the head of main/],
    ['a snapshot from the future', { 'last-sequence-number': 1 }, /sequence number 2/],
    ['a missing member', { location: null }, /location/],
  ])('refuses %s', (_, change, message) => {
    const error = errorOf(() => parseTableMetadata({ ...minimal, ...change }))
    expect(error.code).toBe('corrupt-data')
    expect(error.message).toMatch(message)
  })

  it('says unsupported for a later format version, corrupt for what is no JSON', () => {
    expect(errorOf(() => parseTableMetadata({ ...minimal, 'format-version': 4 })).code).toBe('unsupported')
    expect(errorOf(() => parseTableMetadata('{"format-version":')).code).toBe('corrupt-data')
  })
})

describe('newTableMetadata', () => {
  const schema = {
    schemaId: 9,
    fields: [
      { id: 70, name: 'at', type: { kind: 'timestamptz' }, required: true },
      {
        id: 50,
        name: 'tags',
        type: { kind: 'list', elementId: 51, element: { kind: 'string' }, elementRequired: true },
        required: false,
      },
    ],
  } as const
  const table = { schema, location: 's3://bucket/t/', uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1', nowMs: 5 }

  it('assigns fresh ids to schema, spec and order, nested ids counted', () => {
    const metadata = newTableMetadata({
      ...table,
      spec: {
        specId: 4,
        fields: [{ sourceIds: [70], fieldId: 1, name: 'at_day', transform: { kind: 'day' } }],
      },
      sortOrder: {
        orderId: 8,
        fields: [
          { sourceIds: [70], transform: { kind: 'identity' }, direction: 'asc', nullOrder: 'nulls-first' },
        ],
      },
    })
    expect(currentSchema(metadata).fields.map((field) => field.id)).toEqual([1, 2])
    expect(metadata).toMatchObject({
      lastColumnId: 3,
      lastPartitionId: 1000,
      defaultSpecId: 0,
      defaultSortOrderId: 1,
    })
    expect(defaultSpec(metadata).fields).toEqual([
      { sourceIds: [1], fieldId: 1000, name: 'at_day', transform: { kind: 'day' } },
    ])
    expect(metadata.sortOrders[0]?.fields[0]?.sourceIds).toEqual([1])
    expect(metadata.location).toBe('s3://bucket/t')
    expect(parseTableMetadata(serializeTableMetadata(metadata))).toEqual(metadata)
  })

  it('takes the format version out of the properties', () => {
    const metadata = newTableMetadata({ ...table, properties: { 'format-version': '3', owner: 'me' } })
    expect(metadata).toMatchObject({ formatVersion: 3, nextRowId: 0n, properties: { owner: 'me' } })
    expect(tableMetadataToJson(metadata)['current-snapshot-id']).toBeNull()
    expect(errorOf(() => newTableMetadata({ ...table, properties: { 'format-version': '9' } })).code).toBe(
      'invalid-input',
    )
  })

  it('refuses a spec over a column that is not there, or that the transform cannot take', () => {
    const field = { fieldId: 1, name: 'p', transform: { kind: 'day' } } as const
    for (const source of [99, 51]) {
      const spec = { specId: 0, fields: [{ ...field, sourceIds: [source] }] }
      expect(errorOf(() => newTableMetadata({ ...table, spec })).code).toBe('invalid-input')
    }
  })

  it('refuses a v3 type in a v2 table', () => {
    const nanos = {
      schemaId: 0,
      fields: [{ id: 1, name: 'at', type: { kind: 'timestamp_ns' }, required: false }],
    } as const
    expect(errorOf(() => newTableMetadata({ ...table, schema: nanos })).message).toMatch(/format version 3/)
  })
})

describe('time travel', () => {
  const log = [
    { 'timestamp-ms': 3000, 'snapshot-id': 5 },
    { 'timestamp-ms': 2500, 'snapshot-id': bigId },
  ]

  it('takes the latest entry at or before the time, in a log that is not sorted', () => {
    const metadata = parseTableMetadata({ ...minimal, 'snapshot-log': log })
    expect(snapshotAsOf(metadata, 2999).snapshotId).toBe(bigId)
    expect(snapshotAsOf(metadata, 3000).snapshotId).toBe(5n)
    expect(errorOf(() => snapshotAsOf(metadata, 2499)).code).toBe('not-found')
  })

  it('finds refs by name, and no ref in names that every object has', () => {
    const metadata = parseTableMetadata(minimal)
    expect(snapshotByRef(metadata, 'main')?.snapshotId).toBe(bigId)
    expect(errorOf(() => snapshotByRef(metadata, 'constructor')).code).toBe('not-found')
  })
})

/** `minimal` with the same unknown members at every level. */
function decorate(table: JsonObject, extra: JsonObject): JsonObject {
  const [schema] = table['schemas'] as JsonObject[]
  const members = schema?.['fields'] as JsonObject[] | undefined
  const fields = members?.map((field) => ({ ...field, ...extra }))
  return {
    ...table,
    ...extra,
    schemas: [{ ...schema, fields: fields ?? [], ...extra }],
    snapshots: (table['snapshots'] as JsonObject[]).map((snapshot) => ({ ...snapshot, ...extra })),
    refs: { main: { 'snapshot-id': bigId, type: 'branch', ...extra } },
  }
}

/** PyIceberg writes null, and empty identifier lists, where Java leaves members out. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value as JsonObject).filter(
    ([key, item]) => item !== null && key !== 'identifier-field-ids',
  )
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]))
}
