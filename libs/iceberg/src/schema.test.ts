import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, type JsonObject } from './json.ts'
import { leafFields } from './leaf-field.ts'
import {
  assignFreshIds,
  findFieldById,
  findFieldByName,
  findFieldName,
  highestFieldId,
  parseSchema,
  schemasEqual,
  schemaToJson,
} from './schema.ts'
import { minimumFormatVersion, parseType, typesEqual, typeToString } from './type.ts'

const nested: JsonObject = {
  type: 'struct',
  'schema-id': 3,
  'identifier-field-ids': [1],
  fields: [
    { id: 1, name: 'id', required: true, type: 'long', doc: 'key' },
    {
      id: 2,
      name: 'points',
      required: false,
      type: {
        type: 'list',
        'element-id': 5,
        element: {
          type: 'struct',
          fields: [
            { id: 6, name: 'x', required: true, type: 'double' },
            { id: 7, name: 'y', required: false, type: 'decimal(9, 2)' },
          ],
        },
        'element-required': true,
      },
    },
    {
      id: 3,
      name: 'tags',
      required: true,
      type: {
        type: 'map',
        'key-id': 8,
        key: 'string',
        'value-id': 9,
        value: 'timestamptz_ns',
        'value-required': false,
      },
    },
    { id: 4, name: 'n', required: false, type: 'int', 'initial-default': 5, 'write-default': 6 },
  ],
}
const schema = parseSchema(nested)

describe('types', () => {
  it.each([
    'decimal(9, 2)',
    'fixed[16]',
    'geometry',
    'geometry(srid:4326)',
    'geography(OGC:CRS84, vincenty)',
    'unknown',
    'timestamptz_ns',
    'variant',
    'uuid',
  ])('reads and writes %s as it is', (text) => {
    expect(typeToString(parseType(text))).toBe(text)
  })

  it('reads decimals and fixed without the canonical spaces', () => {
    expect(typeToString(parseType('decimal(38,10)'))).toBe('decimal(38, 10)')
    expect(parseType('fixed[ 3 ]')).toEqual({ kind: 'fixed', length: 3 })
  })

  it.each(['decimal(39, 2)', 'decimal(4, 5)', 'decimal(0, 0)', 'varchar', 'fixed[-1]', 'geometry(a, b)'])(
    'refuses %s',
    (text) => expect(() => parseType(text)).toThrow(expect.objectContaining({ code: 'invalid-input' })),
  )

  it('compares a default reference system with the one that is written out', () => {
    expect(typesEqual(parseType('geometry'), parseType('geometry(OGC:CRS84)'))).toBe(true)
    expect(typesEqual(parseType('decimal(9, 2)'), parseType('decimal(9, 3)'))).toBe(false)
  })

  it('asks for v3 where a nested field has a v3 type or a default', () => {
    expect(minimumFormatVersion(parseType('timestamptz'))).toBe(1)
    expect(minimumFormatVersion({ kind: 'struct', fields: schema.fields.slice(2, 3) })).toBe(3)
    expect(minimumFormatVersion({ kind: 'struct', fields: schema.fields.slice(3) })).toBe(3)
    expect(minimumFormatVersion({ kind: 'struct', fields: schema.fields.slice(0, 2) })).toBe(1)
  })
})

describe('schemas', () => {
  it('survives a round trip through JSON', () => {
    expect(schemaToJson(schema)).toEqual(nested)
    expect(schemaToJson(parseSchema(parseJson(JSON.stringify(nested))))).toEqual(nested)
  })

  it('keeps members it does not know, in the schema and in nested fields', () => {
    const json: JsonObject = {
      type: 'struct',
      'schema-id': 0,
      'x-owner': { team: ['a'] },
      fields: [
        {
          id: 1,
          name: 's',
          required: true,
          type: { type: 'struct', fields: [{ id: 2, name: 'a', required: true, type: 'int', 'x-tag': 9 }] },
        },
      ],
    }
    expect(schemaToJson(parseSchema(json))).toEqual(json)
  })

  it('reads a v1 schema without an id as schema 0', () => {
    expect(parseSchema({ type: 'struct', fields: [] }).schemaId).toBe(0)
  })

  it('refuses duplicate ids at any depth, and duplicate names', () => {
    const twice = (second: JsonObject): JsonObject => ({
      type: 'struct',
      fields: [...(nested['fields'] as JsonObject[]), second],
    })
    expect(() => parseSchema(twice({ id: 9, name: 'z', required: true, type: 'int' }))).toThrow(
      /tags\.value.*"z".*id 9/,
    )
    expect(() => parseSchema(twice({ id: 10, name: 'id', required: true, type: 'int' }))).toThrow(
      /"id" occurs twice/,
    )
  })

  it('finds fields by id and by full or short name, elements and values included', () => {
    expect(findFieldById(schema, 9)).toMatchObject({ name: 'value', required: false })
    expect(findFieldByName(schema, 'points.element.x')?.id).toBe(6)
    expect(findFieldByName(schema, 'points.x')?.id).toBe(6)
    expect(findFieldByName(schema, 'POINTS.X')).toBeUndefined()
    expect(findFieldByName(schema, 'POINTS.X', { caseSensitive: false })?.id).toBe(6)
    expect(findFieldName(schema, 6)).toBe('points.element.x')
    expect(findFieldById(schema, 99)).toBeUndefined()
  })

  it('does not guess between names that differ only in case', () => {
    const ambiguous = parseSchema({
      fields: ['a', 'A'].map((name, at) => ({ id: at + 1, name, required: true, type: 'int' })),
    })
    expect(() => findFieldByName(ambiguous, 'a', { caseSensitive: false })).toThrow(/ambiguous/)
    expect(findFieldByName(ambiguous, 'A')?.id).toBe(2)
  })

  it('counts nested ids in the highest id', () => {
    expect(highestFieldId(schema)).toBe(9)
    expect(highestFieldId({ schemaId: 0, fields: [] })).toBe(0)
  })

  it('numbers fresh ids level by level, and maps old ids and identifier fields', () => {
    let next = 0
    const { schema: fresh, freshIds } = assignFreshIds(schema, () => ++next)
    expect([...freshIds.values()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const start = 100
    let shifted = start
    const again = assignFreshIds({ ...schema, identifierFieldIds: [4] }, () => ++shifted)
    expect(again.schema.identifierFieldIds).toEqual([104])
    expect(again.freshIds.get(7)).toBe(107)
    expect(schemasEqual(fresh, { ...schema, schemaId: 77 })).toBe(true)
    expect(schemasEqual(fresh, again.schema)).toBe(false)
  })

  it('lists leaves in depth-first order with their levels', () => {
    expect(
      leafFields(schema).map((leaf) => [
        leaf.path.join('.'),
        leaf.maxDefinitionLevel,
        leaf.maxRepetitionLevel,
      ]),
    ).toEqual([
      ['id', 0, 0],
      ['points.element.x', 2, 1],
      ['points.element.y', 3, 1],
      ['tags.key', 1, 1],
      ['tags.value', 2, 1],
      ['n', 1, 0],
    ])
  })

  it('sees every difference of a field as a different schema', () => {
    const changes = [
      { name: 'q' },
      { doc: 'other' },
      { required: false },
      { type: parseType('int') },
      { id: 50 },
    ]
    fc.assert(
      fc.property(fc.constantFrom(...changes), (change) => {
        const [first, ...rest] = schema.fields
        const fields = first === undefined ? rest : [{ ...first, ...change }, ...rest]
        expect(schemasEqual(schema, { ...schema, fields })).toBe(false)
      }),
    )
  })
})
