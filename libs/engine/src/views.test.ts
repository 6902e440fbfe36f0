import { randomUUID } from 'node:crypto'

import type { NestedField } from '@floe/iceberg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const orders = { namespace: ['shop'], name: 'orders' }

let lake: Lake
let engine: Engine
let firstTime: number

type ViewText = { readonly sql: string; readonly dialect: string }

async function createView(
  name: string,
  texts: readonly ViewText[],
  fields: readonly NestedField[],
): Promise<void> {
  await lake.catalog.createView(
    { namespace: ['shop'], name },
    {
      schema: { schemaId: 0, fields },
      version: {
        versionId: 1,
        timestampMs: lake.clock.now(),
        schemaId: 0,
        summary: { 'engine-name': randomUUID() },
        representations: texts.map((text) => ({ type: 'sql', ...text })),
        defaultCatalog: 'lake',
        defaultNamespace: ['shop'],
      },
    },
  )
}

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(orders, [field(1, 'id', 'int'), field(2, 'city', 'string')])
  await lake.commit(orders, [{ rows: "SELECT range::INT AS id, 'Rome' AS city FROM range(3)" }])
  firstTime = lake.clock.nowMs
  await lake.commit(orders, [{ rows: "SELECT (10 + range)::INT AS id, 'Oslo' AS city FROM range(2)" }])
  const named = [field(1, 'number', 'int'), field(2, 'place', 'string')]
  await createView('named', [{ sql: 'SELECT * FROM orders', dialect: 'duckdb' }], named)
  const places = [
    { sql: 'SELECT place, count(*) AS n FROM lake.shop.named GROUP BY place', dialect: 'trino' },
  ]
  await createView('places', places, [field(1, 'place', 'string'), field(2, 'orders', 'long')])
  const spark = [{ sql: 'SELECT `id` FROM `shop`.`orders` WHERE `city` = "Oslo"', dialect: 'spark' }]
  await createView('oslo', spark, [field(1, 'id', 'int')])
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

describe('a view of the catalog', () => {
  it('is read with the column names of its schema, in its default namespace', async () => {
    const { rows, result } = await readAll(
      engine,
      "SELECT * FROM shop.named WHERE place = 'Oslo' ORDER BY number",
    )
    expect(rows).toEqual([
      [10, 'Oslo'],
      [11, 'Oslo'],
    ])
    expect(result.columns.map(({ name }) => name)).toEqual(['number', 'place'])
    expect(result.references.map(({ table }) => table)).toEqual(['shop.orders'])
  })

  it('lets filters through to the files of its tables', async () => {
    const { result } = await readAll(engine, 'SELECT n.number FROM shop.named AS n WHERE n.number > 9')
    expect(result.pruning[0]?.report).toMatchObject({ filesTotal: 2, filesKept: 1 })
  })

  it('may stand on views, with the name of the default catalog in front', async () => {
    expect(
      await rowsOf(engine, 'SELECT places.place, shop.places.orders FROM shop.places ORDER BY 1'),
    ).toEqual([
      ['Oslo', 2],
      ['Rome', 3],
    ])
    expect(await rowsOf(engine, 'SELECT count(*) FROM PLACES')).toEqual([[2]])
  })

  it('is taken in the dialect of Spark when there is no other', async () => {
    expect(await rowsOf(engine, 'SELECT id FROM shop.oslo ORDER BY id')).toEqual([[10], [11]])
  })

  it('is taken in the dialect duckdb before others', async () => {
    const texts = [
      { sql: 'SELECT broken FROM', dialect: 'spark' },
      { sql: 'SELECT 2 AS two', dialect: 'trino' },
      { sql: 'SELECT 1 AS one', dialect: 'duckdb' },
    ]
    await createView('choice', texts, [field(1, 'x', 'int')])
    expect(await rowsOf(engine, 'SELECT x FROM shop.choice')).toEqual([[1]])
    await createView('foreign', [{ sql: 'MODEL AND DIMENSION', dialect: 'oracle' }], [field(1, 'x', 'int')])
    await expect(engine.query('SELECT * FROM shop.foreign')).rejects.toMatchObject({
      code: 'unsupported',
      hint: expect.stringContaining('oracle'),
    })
  })

  it('keeps its columns when its table gets more', async () => {
    await lake.evolve(orders, [field(1, 'id', 'int'), field(2, 'city', 'string'), field(3, 'note', 'string')])
    const { result, rows } = await readAll(engine, 'SELECT * FROM shop.named LIMIT 1')
    expect(result.columns.map(({ name }) => name)).toEqual(['number', 'place'])
    expect(rows.length).toBe(1)
  })

  it('that lost a column of its table says so by name', async () => {
    await createView(
      'wide',
      [{ sql: 'SELECT id FROM orders', dialect: 'duckdb' }],
      [field(1, 'a', 'int'), field(2, 'b', 'int')],
    )
    await expect(engine.query('SELECT * FROM shop.wide')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('shop.wide'),
    })
  })

  it('that stands on itself is refused', async () => {
    await createView('one', [{ sql: 'SELECT * FROM two', dialect: 'duckdb' }], [field(1, 'x', 'int')])
    await createView('two', [{ sql: 'SELECT * FROM one', dialect: 'duckdb' }], [field(1, 'x', 'int')])
    await expect(engine.query('SELECT * FROM shop.one')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('shop.one > shop.two > shop.one'),
    })
  })

  it('may use what a query may use and nothing more', async () => {
    await createView(
      'thief',
      [{ sql: "SELECT * FROM read_text('/etc/hostname')", dialect: 'duckdb' }],
      [field(1, 'x', 'string')],
    )
    await expect(engine.query('SELECT * FROM shop.thief')).rejects.toMatchObject({
      code: 'permission-denied',
    })
  })

  it('hands a time down to its tables, and has no snapshots of its own', async () => {
    const time = new Date(firstTime).toISOString()
    expect(await rowsOf(engine, `SELECT count(*) FROM shop.named AT (TIMESTAMP => '${time}')`)).toEqual([[3]])
    expect(await rowsOf(engine, `SELECT count(*) FROM shop.places AT (TIMESTAMP => '${time}')`)).toEqual([
      [1],
    ])
    await expect(engine.query("SELECT * FROM shop.named AT (VERSION => 'main')")).rejects.toMatchObject({
      code: 'invalid-input',
      hint: expect.stringContaining('TIMESTAMP'),
    })
  })
})
