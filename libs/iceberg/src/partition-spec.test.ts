import { describe, expect, it } from 'vitest'
import { parsePartitionExpression } from './partition-expression.ts'
import { partitionPath, transformToHuman } from './partition-path.ts'
import {
  parsePartitionSpec,
  partitionSpecsCompatible,
  partitionSpecToJson,
  partitionType,
} from './partition-spec.ts'
import { parseSchema } from './schema.ts'
import { parseSortOrder, sortOrderToJson } from './sort-order.ts'
import { parseTransform } from './transform.ts'
import { typeToString } from './type.ts'

const names = {
  id: 'long',
  ts: 'timestamptz',
  name: 'string',
  category: 'string',
  price: 'decimal(9, 2)',
  'odd name': 'date',
  blob: 'binary',
}
const schema = parseSchema({
  fields: Object.entries(names).map(([name, type], at) => ({ id: at + 1, name, required: false, type })),
})

describe('partition specs', () => {
  it('reads the object form and the v1 array, whose fields are numbered from 1000', () => {
    const array = [
      { name: 'ts_day', transform: 'day', 'source-id': 2 },
      { name: 'id_bucket', transform: 'bucket[16]', 'source-id': 1 },
    ]
    const spec = parsePartitionSpec(array, 4)
    expect(spec.fields.map((field) => field.fieldId)).toEqual([1000, 1001])
    expect(parsePartitionSpec(partitionSpecToJson(spec))).toEqual(spec)
    expect(spec.specId).toBe(4)
  })

  it('keeps multi-argument, source-less and unknown transforms through a rewrite', () => {
    const json = {
      'spec-id': 1,
      fields: [
        { 'source-ids': [1, 2], 'field-id': 1000, name: 'z', transform: 'zorder[2]' },
        { 'field-id': 1007, name: 'gone', transform: 'void' },
        { 'source-id': 3, 'field-id': 1003, name: 't', transform: 'truncate[4]' },
      ],
    }
    expect(partitionSpecToJson(parsePartitionSpec(json))).toEqual(json)
    expect(
      parsePartitionSpec({ fields: [{ 'source-ids': [3], name: 'a', transform: 'identity' }] }).fields[0]
        ?.sourceIds,
    ).toEqual([3])
  })

  it('types partition values by transform and source; a lost source gives unknown', () => {
    const spec = parsePartitionExpression('day(ts), bucket(16, id), truncate(4, name), category', schema)
    const lost = {
      ...spec,
      fields: [
        ...spec.fields,
        { sourceIds: [99], fieldId: 1004, name: 'x', transform: parseTransform('identity') },
      ],
    }
    expect(partitionType(lost, schema).fields.map((field) => [field.id, typeToString(field.type)])).toEqual([
      [1000, 'date'],
      [1001, 'int'],
      [1002, 'string'],
      [1003, 'string'],
      [1004, 'unknown'],
    ])
  })

  it('is compatible with a spec of the same fields under other ids only', () => {
    const spec = parsePartitionExpression('day(ts), category', schema)
    const renumbered = {
      specId: 9,
      fields: spec.fields.map((field) => ({ ...field, fieldId: field.fieldId + 5 })),
    }
    expect(partitionSpecsCompatible(spec, renumbered)).toBe(true)
    expect(partitionSpecsCompatible(spec, parsePartitionExpression('hour(ts), category', schema))).toBe(false)
    expect(partitionSpecsCompatible(spec, parsePartitionExpression('day(ts)', schema))).toBe(false)
  })
})

describe('partition words', () => {
  it('reads both argument orders, plural names and quoted columns', () => {
    const spec = parsePartitionExpression(
      'days(ts), BUCKET(id, 16), truncate(4, name), year("odd name"), `category`',
      schema,
    )
    expect(partitionSpecToJson(spec)['fields']).toEqual([
      { 'source-id': 2, 'field-id': 1000, name: 'ts_day', transform: 'day' },
      { 'source-id': 1, 'field-id': 1001, name: 'id_bucket', transform: 'bucket[16]' },
      { 'source-id': 3, 'field-id': 1002, name: 'name_trunc', transform: 'truncate[4]' },
      { 'source-id': 6, 'field-id': 1003, name: 'odd name_year', transform: 'year' },
      { 'source-id': 4, 'field-id': 1004, name: 'category', transform: 'identity' },
    ])
    expect(parsePartitionExpression('  ', schema).fields).toEqual([])
  })

  it.each([
    ['day(nope)', /"nope" is not in the schema/],
    ['day(name)', /day does not take a string/],
    ['truncate(4, ts)', /truncate does not take a timestamptz/],
    ['bucket(0, id)', /wrong arguments/],
    ['bucket(id)', /wrong arguments/],
    ['week(ts)', /unknown partition transform "week"/],
    ['day(ts), hour(ts)', /day of the same column/],
    ['category, category', /another partition field/],
    ['id,,name', /empty item/],
    ['day(ts', /open quote or parenthesis/],
  ])('refuses %s and says why', (text, message) => {
    expect(() => parsePartitionExpression(text, schema)).toThrow(message)
  })
})

describe('partition paths', () => {
  it('writes human values, url-encoded as Java does', () => {
    const spec = parsePartitionExpression('day(ts), bucket(16, id), truncate(9, name), category', schema)
    expect(partitionPath(spec, schema, [19723, 3, "a b/c*~'", null])).toBe(
      'ts_day=2024-01-01/id_bucket=3/name_trunc=a+b%2Fc*%7E%27/category=null',
    )
    expect(() => partitionPath(spec, schema, [1])).toThrow(/1 values, spec 0 has 4/)
  })

  it.each([
    ['year', 'date', -1, '1969'],
    ['month', 'date', -1, '1969-12'],
    ['hour', 'timestamp', -1, '1969-12-31-23'],
    ['hour', 'timestamp', 17, '1970-01-01-17'],
    ['identity', 'timestamptz', 1_000_000n, '1970-01-01T00:00:01Z'],
    ['identity', 'timestamp', 60_000_001n, '1970-01-01T00:01:00.000001'],
    ['identity', 'timestamp', 120_000_000n, '1970-01-01T00:02'],
    ['identity', 'timestamp_ns', 1_500n, '1970-01-01T00:00:00.000001500'],
    ['identity', 'time', 500_000n, '00:00:00.500'],
    ['identity', 'decimal(9, 2)', -5n, '-0.05'],
    ['identity', 'binary', Uint8Array.of(1, 2, 255), 'AQL/'],
    ['identity', 'boolean', true, 'true'],
  ] as const)('shows %s of %s as %4$s', (transform, type, value, human) => {
    const parsed = parseSchema({ fields: [{ id: 1, name: 'c', required: false, type }] }).fields[0]?.type
    expect(transformToHuman(parseTransform(transform), parsed as never, value)).toBe(human)
  })
})

describe('sort orders', () => {
  it('reads and writes its JSON form', () => {
    const json = {
      'order-id': 2,
      fields: [
        { transform: 'bucket[4]', 'source-id': 1, direction: 'desc', 'null-order': 'nulls-last' },
        { transform: 'identity', 'source-ids': [1, 2], direction: 'asc', 'null-order': 'nulls-first' },
      ],
    }
    expect(sortOrderToJson(parseSortOrder(json))).toEqual(json)
    expect(() =>
      parseSortOrder({
        'order-id': 1,
        fields: [{ transform: 'day', direction: 'up', 'null-order': 'nulls-first' }],
      }),
    ).toThrow(/"up"/)
  })
})
