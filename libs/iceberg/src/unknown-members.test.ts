import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  jsonEqual,
  parseJson,
  parseTableMetadata,
  parseViewMetadata,
  serializeTableMetadata,
  serializeViewMetadata,
  stringifyJson,
  type JsonObject,
  type JsonValue,
} from './index.ts'

const schema: JsonObject = {
  type: 'struct',
  'schema-id': 3,
  'identifier-field-ids': [1],
  fields: [
    { id: 1, name: 'id', required: true, type: 'long', doc: 'key' },
    {
      id: 2,
      name: 'places',
      required: false,
      type: {
        type: 'map',
        'key-id': 3,
        key: { type: 'struct', fields: [{ id: 4, name: 'k', required: true, type: 'string' }] },
        'value-id': 5,
        value: { type: 'list', 'element-id': 6, element: 'date', 'element-required': false },
        'value-required': true,
      },
    },
    {
      id: 7,
      name: 'inner',
      required: false,
      type: { type: 'struct', fields: [{ id: 8, name: 'x', required: false, type: 'decimal(9, 2)' }] },
    },
  ],
}

const snapshot: JsonObject = {
  'snapshot-id': 9_007_199_254_740_993n,
  'parent-snapshot-id': 5,
  'timestamp-ms': 2000,
  'manifest-list': 's3://b/2.avro',
  summary: { operation: 'append', 'added-records': '1' },
  'schema-id': 3,
}

const fields: JsonValue = [{ 'source-id': 1, 'field-id': 1000, name: 'id_bucket', transform: 'bucket[4]' }]

const common: JsonObject = {
  'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  location: 's3://bucket/table',
  'last-updated-ms': 3000,
  'last-column-id': 8,
  'current-schema-id': 3,
  schemas: [schema],
  'default-spec-id': 1,
  'partition-specs': [
    { 'spec-id': 0, fields: [] },
    { 'spec-id': 1, fields },
  ],
  'last-partition-id': 1000,
  'default-sort-order-id': 1,
  'sort-orders': [
    { 'order-id': 0, fields: [] },
    {
      'order-id': 1,
      fields: [{ transform: 'identity', 'source-id': 1, direction: 'desc', 'null-order': 'nulls-last' }],
    },
  ],
  properties: { owner: 'me' },
  'current-snapshot-id': 9_007_199_254_740_993n,
  refs: {
    main: { 'snapshot-id': 9_007_199_254_740_993n, type: 'branch' },
    old: { 'snapshot-id': 9_007_199_254_740_993n, type: 'tag', 'max-ref-age-ms': 10 },
  },
  statistics: [
    {
      'snapshot-id': 5,
      'statistics-path': 's3://b/s.puffin',
      'file-size-in-bytes': 10,
      'file-footer-size-in-bytes': 5,
      'blob-metadata': [{ type: 't', 'snapshot-id': 5, 'sequence-number': 1, fields: [1], properties: {} }],
    },
  ],
  'partition-statistics': [{ 'snapshot-id': 5, 'statistics-path': 's3://b/p', 'file-size-in-bytes': 10 }],
  'snapshot-log': [{ 'timestamp-ms': 2000, 'snapshot-id': 9_007_199_254_740_993n }],
  'metadata-log': [{ 'timestamp-ms': 1000, 'metadata-file': 's3://b/1.metadata.json' }],
}

const tables: readonly JsonObject[] = [
  { ...common, 'format-version': 1, schema, 'partition-spec': fields, snapshots: [snapshot] },
  {
    ...common,
    'format-version': 2,
    'last-sequence-number': 7,
    snapshots: [{ ...snapshot, 'sequence-number': 7 }],
  },
  {
    ...common,
    'format-version': 3,
    'last-sequence-number': 7,
    'next-row-id': 4,
    snapshots: [{ ...snapshot, 'sequence-number': 7, 'first-row-id': 0, 'added-rows': 4, 'key-id': 'k' }],
    'encryption-keys': [{ 'key-id': 'k', 'encrypted-key-metadata': 'YQ==', properties: { a: 'b' } }],
  },
]

const view: JsonObject = {
  'view-uuid': 'fa6506c3-7681-40c8-86dc-e36561f83385',
  'format-version': 1,
  location: 's3://bucket/view',
  properties: { comment: 'c' },
  schemas: [schema],
  'current-version-id': 1,
  versions: [
    {
      'version-id': 1,
      'timestamp-ms': 1000,
      'schema-id': 3,
      summary: { 'engine-name': 'Spark' },
      'default-catalog': 'prod',
      'default-namespace': ['a'],
      representations: [
        { type: 'sql', sql: 'SELECT 1', dialect: 'spark' },
        { type: 'plan', tree: { root: 1 } },
      ],
    },
  ],
  'version-log': [{ 'timestamp-ms': 1000, 'version-id': 1 }],
}

/** Objects that map names to strings or to refs: each member of theirs is known by what it is, not by its name. */
const maps: ReadonlySet<string> = new Set(['properties', 'summary', 'refs'])

/** Members that v1 repeats from the lists, in the form of old readers: the lists are what counts. */
const copies: ReadonlySet<string> = new Set(['schema', 'partition-spec'])

type Place = readonly (string | number)[]

function placesIn(json: JsonValue, place: Place = []): readonly Place[] {
  if (Array.isArray(json)) return json.flatMap((item: JsonValue, at) => placesIn(item, [...place, at]))
  if (typeof json !== 'object' || json === null) return []
  const isMap = maps.has(String(place.at(-1)))
  const inside = Object.entries(json as JsonObject)
    .filter(([key]) => place.length > 0 || !copies.has(key))
    .flatMap(([key, item]) => placesIn(item, [...place, key]))
  return isMap ? inside : [place, ...inside]
}

function withMembers(json: JsonValue, [step, ...rest]: Place, extra: JsonObject): JsonValue {
  if (step === undefined) return { ...(json as JsonObject), ...extra }
  if (Array.isArray(json))
    return json.map((item: JsonValue, at) => (at === step ? withMembers(item, rest, extra) : item))
  const object = json as JsonObject
  return { ...object, [step]: withMembers(object[step] ?? null, rest, extra) }
}

/** A document with unknown members at one or several of its objects. */
function decorated(document: JsonObject): fc.Arbitrary<JsonValue> {
  const extra = fc.dictionary(
    fc.stringMatching(/^x-[a-zé]{1,8}$/),
    fc.jsonValue() as fc.Arbitrary<JsonValue>,
    { minKeys: 1, maxKeys: 3 },
  )
  const place = fc.constantFrom(...placesIn(document))
  return fc
    .array(fc.tuple(place, extra), { minLength: 1, maxLength: 4 })
    .map((all) => all.reduce((json, [at, members]) => withMembers(json, at, members), document as JsonValue))
    .map((json) => withCopies(parseJson(stringifyJson(json)) as JsonObject))
}

function withCopies(table: JsonObject): JsonObject {
  if (table['format-version'] !== 1 || table['schemas'] === undefined || table['view-uuid'] !== undefined)
    return table
  const [copy] = table['schemas'] as readonly JsonValue[]
  const spec = (table['partition-specs'] as readonly JsonObject[])[1]
  return { ...table, schema: copy ?? null, 'partition-spec': spec?.['fields'] ?? [] }
}

describe('members that this version does not know', () => {
  it.each(tables.map((table) => [table['format-version'], table] as const))(
    'survive in every object of table metadata of version %s',
    (_, table) => {
      fc.assert(
        fc.property(decorated(table), (json) => {
          const written = parseJson(serializeTableMetadata(parseTableMetadata(json)))
          if (!jsonEqual(written, json)) expect(written).toEqual(json)
        }),
      )
    },
  )

  it('survive in every object of view metadata', () => {
    fc.assert(
      fc.property(decorated(view), (json) => {
        const written = parseJson(serializeViewMetadata(parseViewMetadata(json)))
        if (!jsonEqual(written, json)) expect(written).toEqual(json)
      }),
    )
  })

  it('leave a document without them as it is', () => {
    for (const table of tables)
      expect(jsonEqual(parseJson(serializeTableMetadata(parseTableMetadata(table))), table)).toBe(true)
    expect(jsonEqual(parseJson(serializeViewMetadata(parseViewMetadata(view))), view)).toBe(true)
  })
})
