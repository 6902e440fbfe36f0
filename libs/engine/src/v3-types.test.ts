import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { NestedField } from '@floe/iceberg'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, positionDeleteFields, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const version3 = { properties: { 'format-version': '3' } }

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

describe('types of format version 3', () => {
  it('are read: nanoseconds, variants as data, geometries as text, and columns that hold nothing', async () => {
    const table = { namespace: ['v3'], name: 'types' }
    const fields = [
      field(1, 'id', 'int'),
      field(2, 'ns', 'timestamp_ns'),
      field(3, 'instant', 'timestamptz_ns'),
      field(4, 'doc', 'variant'),
      field(5, 'place', { kind: 'geometry' }),
      field(6, 'nothing', 'unknown'),
    ]
    await lake.createTable(table, fields, version3)
    const stored = fields.slice(0, 5)
    const ns = "TIMESTAMP_NS '2026-01-02 03:04:05.123456789'"
    await lake.commit(table, [
      {
        rows: `SELECT 1::INT AS id, ${ns} AS ns, ${ns} AS instant, {'a': 5, 'b': ['x']}::VARIANT AS doc, 'POINT(1 2)'::GEOMETRY AS place`,
        fields: stored,
      },
      {
        rows: `SELECT 2::INT AS id, TIMESTAMP_NS '2026-01-03 03:04:05.123456789' AS ns, NULL::TIMESTAMP_NS AS instant, NULL::VARIANT AS doc, ST_AsWKB('POINT(3 4)'::GEOMETRY) AS place`,
        fields: stored,
      },
    ])
    const { rows, result } = await readAll(engine, 'SELECT * FROM v3.types ORDER BY id')
    expect(rows).toEqual([
      [
        1,
        '2026-01-02T03:04:05.123456789',
        '2026-01-02T03:04:05.123456789',
        { a: 5, b: ['x'] },
        'POINT (1 2)',
        null,
      ],
      [2, '2026-01-03T03:04:05.123456789', null, null, 'POINT (3 4)', null],
    ])
    expect(result.columns.map(({ type }) => type).slice(3, 5)).toEqual(['VARIANT', 'VARCHAR'])
    expect(await rowsOf(engine, "SELECT id FROM v3.types WHERE ns > '2026-01-02 12:00:00'")).toEqual([[2]])
    expect(
      await rowsOf(engine, 'SELECT id FROM v3.types WHERE place IS NOT NULL AND nothing IS NULL ORDER BY 1'),
    ).toEqual([[1], [2]])
    expect(await rowsOf(engine, 'SELECT doc.a::INT FROM v3.types WHERE id = 1')).toEqual([[5]])
  })

  it('have defaults inside of structs, lists and maps too', async () => {
    const table = { namespace: ['v3'], name: 'defaults' }
    const added = (id: number): NestedField => ({ ...field(id, 'y', 'string'), initialDefault: "it's" })
    const nested = (
      inside: readonly NestedField[],
      element: readonly NestedField[],
    ): readonly NestedField[] => [
      field(1, 'id', 'int'),
      field(2, 's', { kind: 'struct', fields: inside }),
      field(3, 'l', {
        kind: 'list',
        elementId: 5,
        elementRequired: false,
        element: { kind: 'struct', fields: element },
      }),
    ]
    const [x, elementX] = [field(4, 'x', 'int'), field(6, 'x', 'int')]
    await lake.createTable(table, nested([x], [elementX]), version3)
    await lake.commit(table, [{ rows: 'SELECT 1::INT AS id, {x: 7::INT} AS s, [{x: 8::INT}] AS l' }])
    await lake.evolve(table, nested([x, added(7)], [elementX, added(8)]))
    expect(await rowsOf(engine, 'SELECT s, l FROM v3.defaults')).toEqual([
      [{ x: 7, y: "it's" }, [{ x: 8, y: "it's" }]],
    ])
  })
})

describe('row lineage', () => {
  it('gives every row its id and the number of the commit that changed it last', async () => {
    const table = { namespace: ['v3'], name: 'lineage' }
    await lake.createTable(table, [field(1, 'id', 'int')], version3)
    const { files } = await lake.commit(table, [
      { rows: 'SELECT range::INT AS id FROM range(3)' },
      { rows: 'SELECT 10::INT AS id' },
    ])
    await lake.commit(table, [
      {
        rows: `SELECT '${files[0]?.filePath}' AS file_path, 1::BIGINT AS pos`,
        fields: positionDeleteFields,
        content: 'position-deletes',
      },
    ])
    const { rows, result } = await readAll(
      engine,
      'SELECT *, _row_id, t._last_updated_sequence_number FROM v3.lineage t ORDER BY id',
    )
    expect(result.columns.map(({ name }) => name)).toEqual(['id', '_row_id', '_last_updated_sequence_number'])
    expect(rows).toEqual([
      [0, 0, 1],
      [2, 2, 1],
      [10, 3, 1],
    ])
    expect(await rowsOf(engine, 'SELECT id FROM v3.lineage WHERE _row_id = 3')).toEqual([[10]])
    const plain = await readAll(engine, 'SELECT * FROM v3.lineage LIMIT 1')
    expect(plain.result.columns.map(({ name }) => name)).toEqual(['id'])
  })

  it('is taken from the file where a row was carried over with its id', async () => {
    const table = { namespace: ['v3'], name: 'carried' }
    const fields = [field(1, 'id', 'int')]
    await lake.createTable(table, fields, version3)
    const lineage = [
      field(2147483540, '_row_id', 'long'),
      field(2147483539, '_last_updated_sequence_number', 'long'),
    ]
    await lake.commit(table, [
      {
        rows: `SELECT id::INT AS id, rid::BIGINT AS _row_id, seq::BIGINT AS _last_updated_sequence_number
               FROM (VALUES (1, 77, 5), (2, NULL, NULL)) AS v(id, rid, seq)`,
        fields: [...fields, ...lineage],
      },
    ])
    expect(
      await rowsOf(engine, 'SELECT id, _row_id, _last_updated_sequence_number FROM v3.carried ORDER BY id'),
    ).toEqual([
      [1, 77, 5],
      [2, 1, 1],
    ])
  })

  it('is no column of tables of older versions, nor in the way of a column of that name', async () => {
    const old = { namespace: ['v3'], name: 'old' }
    await lake.createTable(old, [field(1, 'id', 'int')])
    await expect(engine.query('SELECT _row_id FROM v3.old')).rejects.toMatchObject({ code: 'invalid-input' })
    const own = { namespace: ['v3'], name: 'own' }
    await lake.createTable(own, [field(1, '_row_id', 'string')], version3)
    await lake.commit(own, [{ rows: "SELECT 'mine' AS _row_id" }])
    expect(await rowsOf(engine, 'SELECT _row_id FROM v3.own')).toEqual([['mine']])
  })
})
