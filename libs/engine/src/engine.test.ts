import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const orders = { namespace: ['shop'], name: 'orders' }
const orderRows = (from: number, to: number): string =>
  `SELECT i::BIGINT AS id, 'n' || i AS name FROM range(${from}, ${to}) t(i)`

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(orders, [field(1, 'id', 'long'), field(2, 'name', 'string')])
  await lake.commit(orders, [{ rows: orderRows(0, 10) }, { rows: orderRows(10, 20) }])
  await lake.createTable({ namespace: ['a', 'b'], name: 't' }, [field(1, 'x', 'int')])
  await lake.commit({ namespace: ['a', 'b'], name: 't' }, [{ rows: 'SELECT 7 AS x' }])
  await lake.createTable({ namespace: ['odd'], name: 'My "Table".1' }, [
    field(1, 'my col', 'int'),
    field(2, 'a.b', 'int'),
    field(3, 'say "hi"', 'int'),
    field(4, 'select', 'int'),
    field(5, 'filename', 'int'),
    field(6, 'f1', 'int'),
  ])
  await lake.commit({ namespace: ['odd'], name: 'My "Table".1' }, [
    { rows: 'SELECT 1 AS "my col", 2 AS "a.b", 3 AS "say ""hi""", 4 AS "select", 5 AS filename, 6 AS f1' },
    {
      rows: 'SELECT 11 AS "my col", 12 AS "a.b", 13 AS "say ""hi""", 14 AS "select", 15 AS filename, 16 AS f1',
    },
  ])
  await lake.createTable({ namespace: ['shop'], name: 'empty' }, [field(1, 'id', 'long')])
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

describe('tables by name', () => {
  it('returns the rows of all files, and the snapshot that they are from', async () => {
    const { rows, result } = await readAll(engine, 'SELECT count(*) AS n, sum(id) AS s FROM shop.orders')
    expect(rows).toEqual([[20, 190]])
    expect(result.columns).toEqual([
      { name: 'n', type: 'BIGINT' },
      { name: 's', type: 'HUGEINT' },
    ])
    const { timestampMs } = result.references[0] ?? {}
    expect(result.references).toEqual([{ table: 'shop.orders', snapshotId: 1n, timestampMs }])
    expect(timestampMs).toBeTypeOf('number')
  })

  it('finds tables in namespaces of several levels, in both spellings', async () => {
    expect(await rowsOf(engine, 'SELECT x FROM "a.b".t')).toEqual([[7]])
    expect(await rowsOf(engine, 'SELECT x FROM a.b.t')).toEqual([[7]])
  })

  it('ignores case and a missing namespace when one table fits', async () => {
    expect(await rowsOf(engine, 'SELECT count(*) FROM SHOP.Orders')).toEqual([[20]])
    expect(await rowsOf(engine, 'SELECT count(*) FROM orders')).toEqual([[20]])
  })

  it('refuses a name that several tables fit', async () => {
    await lake.createTable({ namespace: ['other'], name: 'orders' }, [field(1, 'id', 'long')])
    await expect(engine.query('SELECT * FROM orders')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('shop.orders'),
    })
    await lake.catalog.dropTable({ namespace: ['other'], name: 'orders' })
  })

  it('offers near names for an unknown table', async () => {
    await expect(engine.query('SELECT * FROM shop.oders')).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('did you mean shop.orders'),
    })
  })

  it('reads a table without data as no rows', async () => {
    const { rows, result } = await readAll(engine, 'SELECT id, count(*) OVER () FROM shop.empty')
    expect(rows).toEqual([])
    expect(result.references).toEqual([{ table: 'shop.empty', snapshotId: undefined }])
  })
})

describe('names with spaces, dots, quotes and keywords', () => {
  it('selects and filters by them', async () => {
    const from = 'FROM odd."My ""Table"".1"'
    const { rows, result } = await readAll(
      engine,
      `SELECT "my col", "a.b", "say ""hi""", "select", filename, f1 ${from} WHERE "a.b" > 3 AND "say ""hi""" = 13`,
    )
    expect(rows).toEqual([[11, 12, 13, 14, 15, 16]])
    expect(result.pruning[0]?.report).toMatchObject({ filesTotal: 2, filesKept: 1 })
    expect(await rowsOf(engine, `SELECT "my col" ${from} WHERE f1 = 6`)).toEqual([[1]])
    expect(
      await rowsOf(engine, `SELECT "my col" ${from} WHERE f1 % 10 = 6 AND "my col" % 2 = 1 ORDER BY 1`),
    ).toEqual([[1], [11]])
  })

  it('lets columns be qualified by namespace and table', async () => {
    const sql =
      'SELECT shop.orders.id, orders.name FROM shop.orders WHERE shop.orders.id = 3 ORDER BY shop.orders.id'
    expect(await rowsOf(engine, sql)).toEqual([[3, 'n3']])
  })
})

describe('the SELECT dialect', () => {
  it('joins a table with itself and with values', async () => {
    const sql = `SELECT a.id, b.id, v.w FROM shop.orders a JOIN shop.orders b ON a.id = b.id - 1
      JOIN (VALUES (4, 'w')) v(i, w) ON v.i = a.id`
    expect(await rowsOf(engine, sql)).toEqual([[4, 5, 'w']])
  })

  it('lets names of common table expressions shadow tables inside their scope only', async () => {
    const shadowed =
      'WITH orders AS (SELECT id * 100 AS id FROM shop.orders WHERE id < 2) SELECT id FROM orders ORDER BY id'
    expect(await rowsOf(engine, shadowed)).toEqual([[0], [100]])
    const own = 'WITH orders AS (SELECT max(id) AS id FROM orders) SELECT id FROM orders'
    expect(await rowsOf(engine, own)).toEqual([[19]])
    const inner = 'SELECT (WITH orders AS (SELECT 5 AS id) SELECT id FROM orders), count(*) FROM orders'
    expect(await rowsOf(engine, inner)).toEqual([[5, 20]])
  })

  it('runs recursive expressions, set operations, subqueries, windows and pivots', async () => {
    const recursive =
      'WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT count(*) FROM r, shop.orders'
    expect(await rowsOf(engine, recursive)).toEqual([[60]])
    expect(await rowsOf(engine, 'SELECT id FROM orders WHERE id < 2 EXCEPT SELECT 0 ORDER BY 1')).toEqual([
      [1],
    ])
    expect(await rowsOf(engine, 'SELECT id FROM orders WHERE id IN (SELECT x FROM a.b.t)')).toEqual([[7]])
    const windowed = 'SELECT id FROM orders QUALIFY row_number() OVER (ORDER BY id DESC) = 1'
    expect(await rowsOf(engine, windowed)).toEqual([[19]])
    const pivot = 'PIVOT (SELECT id % 2 AS odd, id FROM orders) ON odd IN (0, 1) USING sum(id)'
    expect(await rowsOf(engine, pivot)).toEqual([[90, 100]])
    expect(await rowsOf(engine, 'SELECT list_transform([1, 2], x -> x + 1), i FROM range(1) t(i)')).toEqual([
      [[2, 3], 0],
    ])
  })

  it('describes and summarizes tables', async () => {
    const { rows: described, result } = await readAll(engine, 'DESCRIBE shop.orders')
    expect(result.pruning[0]?.report.filesKept).toBe(0)
    expect(described.map(([name, type]) => [name, type])).toEqual([
      ['id', 'BIGINT'],
      ['name', 'VARCHAR'],
    ])
    const summarized = await rowsOf(engine, 'SUMMARIZE shop.orders')
    expect(summarized[0]?.slice(0, 4)).toEqual(['id', 'BIGINT', '0', '19'])
  })

  it('gives every clock function of a query one instant, the injected one', async () => {
    const [row] = await rowsOf(engine, 'SELECT now(), current_timestamp, current_date, now() AS n')
    const instant = `${new Date(lake.clock.nowMs).toISOString().slice(0, 19)}+00:00`
    expect(row).toEqual([instant, instant, instant.slice(0, 10), instant])
    const { result } = await readAll(engine, 'SELECT now(), current_date')
    expect(result.columns.map(({ name }) => name)).toEqual(['now()', 'current_date'])
  })

  it('tells what a wrong name may have meant', async () => {
    await expect(engine.query('SELECT nam FROM shop.orders')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('nam'),
      hint: expect.stringContaining('name'),
    })
    await expect(engine.query('SELEC 1')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('character 1'),
    })
  })
})

describe('checkSelect', () => {
  it('accepts what query would run, without reading data', async () => {
    await expect(engine.checkSelect('SELECT id FROM shop.orders')).resolves.toBeUndefined()
  })

  it('refuses unknown columns and tables, and anything but one SELECT', async () => {
    await expect(engine.checkSelect('SELECT nope FROM shop.orders')).rejects.toMatchObject({
      code: 'invalid-input',
    })
    await expect(engine.checkSelect('SELECT * FROM shop.nope')).rejects.toMatchObject({ code: 'not-found' })
    await expect(engine.checkSelect('DROP TABLE shop.orders')).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })
})

describe('limits of a query', () => {
  it('cuts rows off at rowsMax and says so', async () => {
    const { rows, result } = await readAll(engine, 'SELECT i FROM range(10000) t(i)', { rowsMax: 2500 })
    expect(rows.length).toBe(2500)
    expect(result.truncated()).toBe(true)
    const whole = await readAll(engine, 'SELECT i FROM range(2500) t(i)', { rowsMax: 2500 })
    expect(whole.rows.length).toBe(2500)
    expect(whole.result.truncated()).toBe(false)
  })

  it('ends with cancelled when the signal fires, before and while it runs', async () => {
    await expect(engine.query('SELECT 1', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
    const controller = new AbortController()
    const slow = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)'
    const running = readAll(engine, slow, { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    expect(await rowsOf(engine, 'SELECT 1')).toEqual([[1]])
  })

  it('ends with cancelled at whatever step the signal fires', async () => {
    const slow = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)'
    for (let delayMs = 0; delayMs < 60; delayMs += 2) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), delayMs)
      const running = readAll(engine, slow, { signal: controller.signal })
      await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    }
  })

  it('may be closed while rows are being fetched', async () => {
    const result = await engine.query(
      'SELECT i, md5(i::VARCHAR) FROM range(3000000) t(i) WHERE hash(i) % 1000003 = 1',
    )
    const rows = result.rows()[Symbol.asyncIterator]()
    const fetching = rows.next().then(
      () => 'done',
      () => 'failed',
    )
    await result.close()
    expect(['done', 'failed']).toContain(await fetching)
    expect(await rowsOf(engine, 'SELECT 1')).toEqual([[1]])
  })

  it('ends with resource-exhausted when the time is over', async () => {
    const hasty = await openEngine({ cacheDirectory: lake.directory, timeoutMs: 200 }, lake)
    const slow = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)'
    await expect(readAll(hasty, slow)).rejects.toMatchObject({ code: 'resource-exhausted' })
    await hasty.close()
  })

  it('ends with resource-exhausted when memory is over and nothing may spill, else spills', async () => {
    const sql = 'SELECT count(*) FROM (SELECT DISTINCT i, md5(i::VARCHAR) FROM range(600000) t(i))'
    const small = await openEngine({ cacheDirectory: lake.directory, memoryMaxMb: 20, threads: 1 }, lake)
    await expect(readAll(small, sql)).rejects.toMatchObject({ code: 'resource-exhausted' })
    await small.close()
    const tempDirectory = `${lake.directory}/made/when/needed/spill`
    const spilling = await openEngine(
      { cacheDirectory: lake.directory, memoryMaxMb: 50, threads: 1, tempDirectory },
      lake,
    )
    expect(await rowsOf(spilling, sql)).toEqual([[600_000]])
    await spilling.close()
  })
})
