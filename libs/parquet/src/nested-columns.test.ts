import type { Schema, Type } from '@floe/iceberg'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBatches } from './concat-batches.ts'
import { selectRows } from './select-rows.ts'
import { batchOfRows, type Row, type RowValue } from './testing/batch-of-rows.ts'
import { encodeFile, queryByDuckdb, readByArrow, readByHyparquet } from './testing/read-back.ts'
import { rowValueArbitrary } from './testing/value-arbitraries.ts'

const point: Type = {
  kind: 'struct',
  fields: [
    { id: 11, name: 'x', type: { kind: 'int' }, required: true },
    { id: 12, name: 'label', type: { kind: 'string' }, required: false },
    {
      id: 13,
      name: 'inner',
      type: {
        kind: 'struct',
        fields: [{ id: 14, name: 'flag', type: { kind: 'boolean' }, required: false }],
      },
      required: false,
    },
  ],
}
const schema: Schema = {
  schemaId: 3,
  fields: [
    { id: 1, name: 'id', type: { kind: 'int' }, required: true },
    {
      id: 2,
      name: 'tags',
      type: { kind: 'list', elementId: 20, element: { kind: 'string' }, elementRequired: false },
      required: false,
    },
    { id: 3, name: 'point', type: point, required: false },
    {
      id: 4,
      name: 'counts',
      type: {
        kind: 'map',
        keyId: 40,
        key: { kind: 'string' },
        valueId: 41,
        value: { kind: 'int' },
        valueRequired: false,
      },
      required: false,
    },
    {
      id: 5,
      name: 'grid',
      type: {
        kind: 'list',
        elementId: 50,
        element: { kind: 'list', elementId: 51, element: { kind: 'int' }, elementRequired: true },
        elementRequired: false,
      },
      required: true,
    },
    {
      id: 6,
      name: 'path',
      type: {
        kind: 'list',
        elementId: 60,
        element: { kind: 'struct', fields: [{ id: 61, name: 'y', type: { kind: 'int' }, required: false }] },
        elementRequired: false,
      },
      required: false,
    },
  ],
}

const rowsArbitrary = fc.array(
  fc.record(
    Object.fromEntries(
      schema.fields.map((field) => [field.name, rowValueArbitrary(field.type, field.required)]),
    ),
  ),
  { maxLength: 40 },
)

/** Readers show maps as objects and leave absent struct fields out: both sides in one form. */
function comparable(type: Type, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'struct':
      return type.fields.map((field) => comparable(field.type, (value as Row)[field.name]))
    case 'list':
      return (value as unknown[]).map((element) => comparable(type.element, element))
    case 'map': {
      const pairs = Array.isArray(value) ? value : Object.entries(value)
      const known = pairs.map(([key, item]) => [key, comparable(type.value, item)] as const)
      return Object.fromEntries(known)
    }
    default:
      return value
  }
}

const comparableRows = (rows: readonly Readonly<Record<string, unknown>>[]): unknown =>
  rows.map((row) => schema.fields.map((field) => comparable(field.type, row[field.name])))

async function readByDuckdbAsJson(bytes: Uint8Array): Promise<Row[]> {
  const rows = await queryByDuckdb(bytes, 'SELECT to_json(t)::VARCHAR AS row FROM read_parquet($file) t')
  return rows.map(({ row }) => JSON.parse(row as string) as Row)
}

describe('nested columns', () => {
  it('come back from three readers whatever is null or empty', async () => {
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, rowsArbitrary, async (first, second) => {
        const rows = [...first, ...second]
        const batches = [batchOfRows(schema, first), batchOfRows(schema, second)]
        const { bytes } = encodeFile({ schema, pageBytes: 32 }, batches)
        expect(comparableRows(await readByDuckdbAsJson(bytes))).toEqual(comparableRows(rows))
        expect(comparableRows(await readByHyparquet(bytes))).toEqual(comparableRows(rows))
        expect(readByArrow(bytes).numRows).toBe(rows.length)
      }),
      { numRuns: 25 },
    )
  })

  it('keep a row that is larger than a page in one page', async () => {
    const grid = Array.from({ length: 50 }, (_, index) => Array.from({ length: 50 }, () => index))
    const rows = [1, 2, 3].map((id): Row => ({ id, grid: id === 2 ? grid : [[id]] }))
    const { bytes } = encodeFile({ schema, pageBytes: 64 }, [batchOfRows(schema, rows)])
    expect(comparableRows(await readByDuckdbAsJson(bytes))).toEqual(comparableRows(rows))
  })

  it('have the three-level shape, with field ids on every Iceberg node', async () => {
    const { bytes } = encodeFile({ schema }, [batchOfRows(schema, [])])
    const nodes = await queryByDuckdb(
      bytes,
      'SELECT name, repetition_type, converted_type, num_children, field_id FROM parquet_schema($file)',
    )
    expect(nodes).toMatchSnapshot()
  })

  it('count values in lists and maps but have no bounds there', () => {
    const rows: Row[] = [
      { id: 1, tags: ['a', null], grid: [[7]], point: { x: 5, label: 'p', inner: { flag: true } } },
      { id: 2, tags: [], grid: [] },
    ]
    const { metrics } = encodeFile({ schema }, [batchOfRows(schema, rows)])
    expect(metrics.valueCounts?.get(20)).toBe(3)
    expect(metrics.nullValueCounts?.get(20)).toBe(2)
    expect([...(metrics.lowerBounds?.keys() ?? [])]).toEqual([1, 11, 12, 14])
    expect([...(metrics.columnSizes?.keys() ?? [])]).toEqual([1, 20, 11, 12, 14, 40, 41, 51, 61])
  })

  it('leave unknown fields out of the file', async () => {
    const withUnknown: Schema = {
      schemaId: 0,
      fields: [
        { id: 1, name: 'nothing', type: { kind: 'unknown' }, required: false },
        { id: 2, name: 'v', type: { kind: 'int' }, required: true },
      ],
    }
    const { bytes } = encodeFile({ schema: withUnknown }, [batchOfRows(withUnknown, [{ v: 4 }])])
    expect(await readByHyparquet(bytes)).toEqual([{ v: 4 }])
  })
})

describe('selectRows and concatBatches', () => {
  it('give what selecting and joining the rows themselves gives', async () => {
    const withPicks = rowsArbitrary.chain((rows) =>
      fc.tuple(
        fc.constant(rows as readonly Row[]),
        rows.length === 0 ? fc.constant([]) : fc.array(fc.nat({ max: rows.length - 1 }), { maxLength: 30 }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(withPicks, { minLength: 1, maxLength: 3 }), async (parts) => {
        const selected = parts.map(([rows, picks]) =>
          selectRows(batchOfRows(schema, rows), Int32Array.from(picks)),
        )
        const joined = concatBatches(selected, schema)
        const expected = parts.flatMap(([rows, picks]) => picks.map((pick) => rows[pick] as Row))
        expect(joined.rowCount).toBe(expected.length)
        const { bytes } = encodeFile({ schema }, [joined])
        expect(comparableRows(await readByHyparquet(bytes))).toEqual(comparableRows(expected))
      }),
      { numRuns: 60 },
    )
  })

  it('know the highest level of a column that one part has no value of', async () => {
    const full: Record<string, RowValue> = {
      id: 1,
      grid: [[1]],
      point: { x: 1, label: 'a', inner: { flag: true } },
    }
    const empty: Record<string, RowValue> = { id: 2, grid: [[2]] }
    const joined = concatBatches([batchOfRows(schema, [full]), batchOfRows(schema, [empty])], schema)
    const { bytes } = encodeFile({ schema }, [joined])
    expect(comparableRows(await readByHyparquet(bytes))).toEqual(comparableRows([full, empty]))
  })
})
