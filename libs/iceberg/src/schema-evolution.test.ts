import { describe, expect, it } from 'vitest'
import { createNameMapping, parseNameMapping, stringifyNameMapping } from './name-mapping.ts'
import { parsePartitionExpression } from './partition-expression.ts'
import { addColumn, dropColumn, makeOptional, renameColumn, widenColumn } from './schema-evolution.ts'
import { findFieldByName, highestFieldId, parseSchema, schemaToJson } from './schema.ts'
import { canPromote } from './type-promotion.ts'
import { parseType, type PrimitiveType } from './type.ts'

const schema = parseSchema({
  'schema-id': 2,
  'identifier-field-ids': [1],
  fields: [
    { id: 1, name: 'id', required: true, type: 'int', doc: 'key' },
    { id: 2, name: 'day', required: true, type: 'date', 'x-kept': true },
    {
      id: 3,
      name: 'items',
      required: false,
      type: {
        type: 'list',
        'element-id': 4,
        element: {
          type: 'struct',
          fields: [
            { id: 5, name: 'price', required: true, type: 'decimal(9, 2)' },
            { id: 6, name: 'n', required: true, type: 'int' },
          ],
        },
        'element-required': true,
      },
    },
    {
      id: 7,
      name: 'scores',
      required: false,
      type: {
        type: 'map',
        'key-id': 8,
        key: 'string',
        'value-id': 9,
        value: 'float',
        'value-required': false,
      },
    },
  ],
})
const v2 = { formatVersion: 2, lastColumnId: 20 } as const
const v3 = { formatVersion: 3, lastColumnId: 20 } as const

describe('adding columns', () => {
  it('takes ids after the last one ever given out, for nested types too', () => {
    const added = addColumn(
      schema,
      {
        name: 'm',
        type: parseType({ type: 'list', 'element-id': 1, element: 'string', 'element-required': true }),
      },
      v2,
    )
    expect(added).toMatchObject({ fieldId: 21, lastColumnId: 22 })
    expect(highestFieldId(added.schema)).toBe(22)
    expect(added.schema.fields.at(-1)).toEqual({
      id: 21,
      name: 'm',
      required: false,
      type: { kind: 'list', elementId: 22, element: { kind: 'string' }, elementRequired: true },
    })
    expect(highestFieldId(schema)).toBe(9)
  })

  it('reaches the struct inside a list', () => {
    const { schema: wider } = addColumn(
      schema,
      { name: 'note', type: { kind: 'string' } },
      { ...v2, parent: 'items' },
    )
    expect(findFieldByName(wider, 'items.element.note')).toMatchObject({ id: 21, required: false })
    expect(findFieldByName(wider, 'items.price')?.id).toBe(5)
  })

  it('gives old rows an initial default and new rows the same, from v3 on', () => {
    const column = { name: 'flag', type: { kind: 'int' }, required: true, initialDefault: 7 } as const
    expect(addColumn(schema, column, v3).schema.fields.at(-1)).toMatchObject({
      required: true,
      initialDefault: 7,
      writeDefault: 7,
    })
    expect(() => addColumn(schema, column, v2)).toThrow(/default, and the table is v2/)
    expect(() => addColumn(schema, { ...column, initialDefault: 'x' }, v3)).toThrow(/not a int/)
  })

  it.each([
    [
      'a required column without default',
      { name: 'q', type: { kind: 'int' }, required: true },
      /no value for the rows/,
    ],
    ['a name that exists', { name: 'id', type: { kind: 'int' } }, /"id" exists/],
    ['an empty name', { name: '', type: { kind: 'int' } }, /needs a name/],
  ] as const)('refuses %s', (_name, column, message) => {
    expect(() => addColumn(schema, column, v3)).toThrow(message)
  })

  it('refuses a parent that is missing or holds no fields', () => {
    const column = { name: 'q', type: { kind: 'int' } } as const
    expect(() => addColumn(schema, column, { ...v3, parent: 'nope' })).toThrow(/"nope" is not in the schema/)
    expect(() => addColumn(schema, column, { ...v3, parent: 'scores' })).toThrow(/takes no columns/)
  })
})

describe('changing columns', () => {
  it('renames by id at any depth, and keeps everything else', () => {
    const renamed = renameColumn(renameColumn(schema, 5, 'cost'), 2, 'date')
    expect(findFieldByName(renamed, 'items.cost')?.id).toBe(5)
    const text = JSON.stringify(schemaToJson(schema)).replace('"price"', '"cost"').replace('"day"', '"date"')
    expect(JSON.stringify(schemaToJson(renamed))).toBe(text)
    expect(renameColumn(schema, 1, 'id')).toBe(schema)
  })

  it('refuses a name of a sibling, unknown ids, and parts of lists', () => {
    expect(() => renameColumn(schema, 5, 'n')).toThrow(/"n" exists/)
    expect(() => renameColumn(schema, 99, 'n')).toThrow(/field id 99/)
    expect(() => renameColumn(schema, 4, 'entry')).toThrow(/part of a list or map/)
  })

  it('widens columns, also inside lists and maps', () => {
    expect(findFieldByName(widenColumn(schema, 1, { kind: 'long' }, v2), 'id')).toMatchObject({
      type: { kind: 'long' },
      doc: 'key',
    })
    expect(findFieldByName(widenColumn(schema, 9, { kind: 'double' }, v2), 'scores.value')?.type).toEqual({
      kind: 'double',
    })
    expect(
      findFieldByName(widenColumn(schema, 5, { kind: 'decimal', precision: 20, scale: 2 }, v2), 'items.price')
        ?.type,
    ).toMatchObject({ precision: 20 })
    expect(() => widenColumn(schema, 1, { kind: 'string' }, v3)).toThrow(/from int to string/)
    expect(() => widenColumn(schema, 3, { kind: 'string' }, v3)).toThrow(/from list/)
  })

  it('does not turn a date into a timestamp under a bucket or identity partition', () => {
    const to = { kind: 'timestamp' } as const
    expect(
      findFieldByName(
        widenColumn(schema, 2, to, {
          formatVersion: 3,
          partitionSpecs: [parsePartitionExpression('year(day)', schema)],
        }),
        'day',
      )?.type,
    ).toEqual(to)
    for (const words of ['bucket(4, day)', 'day']) {
      const partitionSpecs = [parsePartitionExpression(words, schema)]
      expect(() => widenColumn(schema, 2, to, { formatVersion: 3, partitionSpecs })).toThrow(
        /partitions by its dates/,
      )
    }
    expect(() => widenColumn(schema, 2, to, { formatVersion: 2 })).toThrow(/from date to timestamp/)
  })

  it('makes columns optional, but not identifier fields', () => {
    expect(findFieldByName(makeOptional(schema, 2), 'day')?.required).toBe(false)
    expect(findFieldByName(makeOptional(schema, 5), 'items.price')?.required).toBe(false)
    expect(() => makeOptional(schema, 1)).toThrow(/identifies rows/)
  })

  it('drops fields with what is inside, but not what the table needs', () => {
    expect(dropColumn(schema, 3).fields.map((field) => field.name)).toEqual(['id', 'day', 'scores'])
    expect(findFieldByName(dropColumn(schema, 5), 'items.price')).toBeUndefined()
    expect(() => dropColumn(schema, 1)).toThrow(/an identifier field/)
    expect(() =>
      dropColumn(schema, 2, { partitionSpecs: [parsePartitionExpression('year(day)', schema)] }),
    ).toThrow(/source of partition spec 0/)
    expect(() => dropColumn(schema, 4)).toThrow(/part of a list or map/)
  })
})

describe('promotion', () => {
  it.each([
    ['int', 'long', 1],
    ['float', 'double', 1],
    ['decimal(9, 2)', 'decimal(18, 2)', 1],
    ['date', 'timestamp', 3],
    ['date', 'timestamp_ns', 3],
    ['unknown', 'string', 3],
  ] as const)('from %s to %s is allowed from v%i', (from, to, since) => {
    const [source, target] = [parseType(from) as PrimitiveType, parseType(to) as PrimitiveType]
    expect(([1, 2, 3] as const).filter((version) => canPromote(source, target, version))).toEqual(
      [1, 2, 3].filter((version) => version >= since),
    )
  })

  it.each([
    ['long', 'int'],
    ['int', 'double'],
    ['decimal(9, 2)', 'decimal(18, 3)'],
    ['decimal(9, 2)', 'decimal(8, 2)'],
    ['date', 'timestamptz'],
    ['string', 'binary'],
    ['timestamp', 'timestamp_ns'],
  ])('from %s to %s is never allowed', (from, to) => {
    expect(canPromote(parseType(from) as PrimitiveType, parseType(to) as PrimitiveType, 3)).toBe(false)
  })
})

describe('name mapping', () => {
  it('maps every field by its name, elements, keys and values included', () => {
    const mapping = createNameMapping(schema)
    expect(mapping[3]).toEqual({
      fieldId: 7,
      names: ['scores'],
      fields: [
        { fieldId: 8, names: ['key'], fields: [] },
        { fieldId: 9, names: ['value'], fields: [] },
      ],
    })
    expect(parseNameMapping(stringifyNameMapping(mapping))).toEqual(mapping)
  })

  it('reads aliases, fields without id, and missing children', () => {
    const text =
      '[{"field-id":1,"names":["id","record_id"]},{"names":["gone"]},{"field-id":2,"names":[],"fields":[{"field-id":3,"names":["x"]}]}]'
    expect(stringifyNameMapping(parseNameMapping(text))).toBe(text)
  })

  it('refuses a name that is mapped twice on one level', () => {
    expect(() => parseNameMapping('[{"field-id":1,"names":["a"]},{"field-id":2,"names":["b","a"]}]')).toThrow(
      /"a" twice/,
    )
    expect(() => parseNameMapping('{"names":[]}')).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })
})
