import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { NestedField } from '@floe/iceberg'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

let lake: Lake
let engine: Engine
let tables = 0

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

/** A table with one file per schema, each written while its schema was current. */
async function evolvedTable(
  versions: readonly (readonly [rows: string, fields: readonly NestedField[]])[],
): Promise<string> {
  const identifier = { namespace: ['ev'], name: `t${++tables}` }
  for (const [at, [rows, fields]] of versions.entries()) {
    if (at === 0) await lake.createTable(identifier, fields, { properties: { 'format-version': '3' } })
    else await lake.evolve(identifier, fields)
    await lake.commit(identifier, [{ rows }])
  }
  return `ev.t${tables}`
}

const structField = (id: number, name: string, fields: readonly NestedField[]): NestedField =>
  field(id, name, { kind: 'struct', fields })

describe('top-level columns', () => {
  it('follow their field ids through renames, drops and names that are used again', async () => {
    const table = await evolvedTable([
      ["SELECT 1 AS a, 'one' AS b", [field(1, 'a', 'int'), field(2, 'b', 'string')]],
      ["SELECT 'two' AS a", [field(2, 'a', 'string')]],
      ["SELECT 'three' AS a, 3.5::DOUBLE AS b", [field(2, 'a', 'string'), field(3, 'b', 'double')]],
    ])
    expect(await rowsOf(engine, `SELECT * FROM ${table} ORDER BY a`)).toEqual([
      ['one', null],
      ['three', 3.5],
      ['two', null],
    ])
    const filtered = await readAll(engine, `SELECT a FROM ${table} WHERE b > 1`)
    expect(filtered.rows).toEqual([['three']])
  })

  it('are promoted when they are read, with filters on the wider type', async () => {
    const table = await evolvedTable([
      [
        'SELECT 1::INTEGER AS i, 1.5::FLOAT AS f, 1.25::DECIMAL(5, 2) AS d',
        [
          field(1, 'i', 'int'),
          field(2, 'f', 'float'),
          field(3, 'd', { kind: 'decimal', precision: 5, scale: 2 }),
        ],
      ],
      [
        'SELECT 5000000000 AS i, 2.5::DOUBLE AS f, 12345678.25::DECIMAL(10, 2) AS d',
        [
          field(1, 'i', 'long'),
          field(2, 'f', 'double'),
          field(3, 'd', { kind: 'decimal', precision: 10, scale: 2 }),
        ],
      ],
    ])
    expect(await rowsOf(engine, `SELECT * FROM ${table} ORDER BY i`)).toEqual([
      [1, 1.5, '1.25'],
      [5_000_000_000, 2.5, '12345678.25'],
    ])
    expect(
      (await readAll(engine, `SELECT i FROM ${table} WHERE i > 4000000000`)).result.pruning[0]?.report
        .filesKept,
    ).toBe(1)
    expect(await rowsOf(engine, `SELECT d FROM ${table} WHERE d = 1.25`)).toEqual([['1.25']])
  })

  it('have their initial default in files that are older', async () => {
    const added: readonly NestedField[] = [
      field(1, 'id', 'int'),
      { ...field(2, 'n', 'long'), initialDefault: 42 },
      { ...field(3, 's', 'string'), initialDefault: "it's" },
      { ...field(4, 't', 'timestamptz'), initialDefault: '2026-01-02T03:04:05.000006+00:00' },
      { ...field(5, 'b', 'binary'), initialDefault: '00ff41' },
      { ...field(6, 'd', { kind: 'decimal', precision: 9, scale: 2 }), initialDefault: '1.50' },
      { ...field(7, 'o', 'boolean'), initialDefault: true },
    ]
    const table = await evolvedTable([
      ['SELECT 1::INTEGER AS id', [field(1, 'id', 'int')]],
      [
        "SELECT 2::INTEGER AS id, 7::BIGINT AS n, 'x' AS s, NULL::TIMESTAMPTZ AS t, NULL::BLOB AS b, NULL::DECIMAL(9,2) AS d, NULL::BOOLEAN AS o",
        added,
      ],
    ])
    expect(await rowsOf(engine, `SELECT * FROM ${table} ORDER BY id`)).toEqual([
      [1, 42, "it's", '2026-01-02T03:04:05.000006+00:00', '\\x00ff41', '1.50', true],
      [2, 7, 'x', null, null, null, null],
    ])
    expect(await rowsOf(engine, `SELECT id FROM ${table} WHERE n = 42`)).toEqual([[1]])
  })
})

describe('fields inside of structs, lists and maps', () => {
  it('keep their data through a rename', async () => {
    const table = await evolvedTable([
      [
        "SELECT {x: 1::INTEGER, y: 'a'} AS s",
        [structField(1, 's', [field(2, 'x', 'int'), field(3, 'y', 'string')])],
      ],
      [
        "SELECT {z: 2::INTEGER, y: 'b'} AS s",
        [structField(1, 's', [field(2, 'z', 'int'), field(3, 'y', 'string')])],
      ],
    ])
    expect(await rowsOf(engine, `SELECT s, s.z FROM ${table} ORDER BY s.z`)).toEqual([
      [{ z: 1, y: 'a' }, 1],
      [{ z: 2, y: 'b' }, 2],
    ])
    expect(await rowsOf(engine, `SELECT s.y FROM ${table} WHERE s.z = 1`)).toEqual([['a']])
  })

  it('do not show the data of a dropped field whose name was used again', async () => {
    const table = await evolvedTable([
      [
        'SELECT {x: 1::INTEGER, y: 10::INTEGER} AS s',
        [structField(1, 's', [field(2, 'x', 'int'), field(3, 'y', 'int')])],
      ],
      [
        'SELECT {x: 2::INTEGER, y: 20::INTEGER} AS s',
        [structField(1, 's', [field(2, 'x', 'int'), field(4, 'y', 'int')])],
      ],
    ])
    expect(await rowsOf(engine, `SELECT s FROM ${table} ORDER BY s.x`)).toEqual([
      [{ x: 1, y: null }],
      [{ x: 2, y: 20 }],
    ])
  })

  it('keep their data when two of them swap names', async () => {
    const table = await evolvedTable([
      [
        'SELECT {x: 1::INTEGER, y: 2::INTEGER} AS s',
        [structField(1, 's', [field(2, 'x', 'int'), field(3, 'y', 'int')])],
      ],
      [
        'SELECT {y: 10::INTEGER, x: 20::INTEGER} AS s',
        [structField(1, 's', [field(2, 'y', 'int'), field(3, 'x', 'int')])],
      ],
    ])
    expect(await rowsOf(engine, `SELECT s.x, s.y FROM ${table} ORDER BY 1`)).toEqual([
      [2, 1],
      [20, 10],
    ])
  })

  it('are renamed, added, dropped and promoted in lists of structs and in values of maps', async () => {
    const listOf = (fields: readonly NestedField[]): NestedField =>
      field(1, 'l', {
        kind: 'list',
        elementId: 2,
        element: { kind: 'struct', fields },
        elementRequired: false,
      })
    const mapOf = (fields: readonly NestedField[]): NestedField =>
      field(3, 'm', {
        kind: 'map',
        keyId: 4,
        key: { kind: 'string' },
        valueId: 5,
        value: { kind: 'struct', fields },
        valueRequired: false,
      })
    // Fresh ids go breadth first: l 1, m 2, then l.element 3 with its fields, then m.key and m.value with theirs.
    const before = [listOf([field(6, 'a', 'int'), field(7, 'gone', 'int')]), mapOf([field(8, 'v', 'int')])]
    const identifier = { namespace: ['ev'], name: `t${++tables}` }
    await lake.createTable(identifier, before)
    await lake.commit(identifier, [
      { rows: "SELECT [{a: 1::INTEGER, gone: 9::INTEGER}, NULL] AS l, MAP {'k': {v: 5::INTEGER}} AS m" },
    ])
    const { metadata } = await lake.catalog.loadTable(identifier)
    const [list, map] = metadata.schemas[0]?.fields ?? []
    if (list?.type.kind !== 'list' || list.type.element.kind !== 'struct')
      throw new Error('a list was expected')
    if (map?.type.kind !== 'map' || map.type.value.kind !== 'struct') throw new Error('a map was expected')
    const [a] = list.type.element.fields
    const [v] = map.type.value.fields
    await lake.evolve(identifier, [
      {
        ...list,
        type: {
          ...list.type,
          element: {
            kind: 'struct',
            fields: [field(a?.id ?? 0, 'aa', 'long'), field(20, 'added', 'string')],
          },
        },
      },
      {
        ...map,
        type: {
          ...map.type,
          value: { kind: 'struct', fields: [field(v?.id ?? 0, 'vv', 'int'), field(21, 'v', 'int')] },
        },
      },
    ])
    expect(await rowsOf(engine, `SELECT l, m FROM ev.t${tables}`)).toEqual([
      [[{ aa: 1, added: null }, null], [['k', { vv: 5, v: null }]]],
    ])
  })
})

describe('files without field ids', () => {
  const fields = [field(1, 'id', 'int'), structField(2, 's', [field(3, 'x', 'int')])]
  const rows = 'SELECT 1::INTEGER AS old_id, {old_x: 5::INTEGER} AS s'
  const mapping = JSON.stringify([
    { 'field-id': 1, names: ['id', 'old_id'] },
    { 'field-id': 2, names: ['s'], fields: [{ 'field-id': 3, names: ['old_x', 'x'] }] },
  ])

  it('are read through the name mapping, beside files with ids', async () => {
    const identifier = { namespace: ['ev'], name: `t${++tables}` }
    await lake.createTable(identifier, fields, { properties: { 'schema.name-mapping.default': mapping } })
    await lake.commit(identifier, [
      { rows, fields: null },
      { rows: 'SELECT 2::INTEGER AS id, {x: 6::INTEGER} AS s' },
    ])
    expect(await rowsOf(engine, `SELECT id, s FROM ev.t${tables} ORDER BY id`)).toEqual([
      [1, { x: 5 }],
      [2, { x: 6 }],
    ])
    expect(await rowsOf(engine, `SELECT s.x FROM ev.t${tables} WHERE id = 1`)).toEqual([[5]])
  })

  it('are refused without a name mapping, never read as nulls', async () => {
    const identifier = { namespace: ['ev'], name: `t${++tables}` }
    await lake.createTable(identifier, fields)
    await lake.commit(identifier, [{ rows, fields: null }])
    await expect(engine.query(`SELECT * FROM ev.t${tables}`)).rejects.toMatchObject({
      code: 'unsupported',
      hint: expect.stringContaining('schema.name-mapping.default'),
    })
  })
})

describe('partition columns', () => {
  it('come from the partition when a migrated file does not hold them', async () => {
    const identifier = { namespace: ['ev'], name: `t${++tables}` }
    const partitionSpec = {
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000, name: 'region', transform: { kind: 'identity' as const } }],
    }
    await lake.createTable(identifier, [field(1, 'id', 'int'), field(2, 'region', 'string')], {
      partitionSpec,
    })
    const rows = 'SELECT 1::INTEGER AS id'
    const only = [field(1, 'id', 'int')]
    await lake.commit(identifier, [
      { rows, fields: only, partition: ["it's"] },
      { rows, fields: only, partition: [null] },
    ])
    expect(await rowsOf(engine, `SELECT region FROM ev.t${tables} ORDER BY 1 NULLS LAST`)).toEqual([
      ["it's"],
      [null],
    ])
    const { rows: found, result } = await readAll(
      engine,
      `SELECT id FROM ev.t${tables} WHERE region = 'it''s'`,
    )
    expect(found).toEqual([[1]])
    expect(result.pruning[0]?.report).toMatchObject({ filesTotal: 2, filesKept: 1 })
  })
})
