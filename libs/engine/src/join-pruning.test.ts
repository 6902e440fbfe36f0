import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReadRestrictions } from '@floe/catalog'
import { compare } from '@floe/iceberg'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'
import type { TableCatalog } from './table-lookup.ts'

const sales = { namespace: ['star'], name: 'sales' }
const days = { namespace: ['star'], name: 'days' }
const filesOfSales = 8
const rowsPerFile = 5000

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(sales, [
    field(1, 'day_id', 'long'),
    field(2, 'amount', 'int'),
    field(3, 'shop', 'string'),
  ])
  const written = Array.from({ length: filesOfSales }, (_, at) => ({
    rows: `SELECT (${at} * 100 + range % 100)::BIGINT AS day_id, range::INT AS amount, md5(range::VARCHAR) AS shop
           FROM range(${rowsPerFile})`,
  }))
  await lake.commit(sales, written)
  await lake.createTable(days, [
    field(1, 'id', 'int'),
    field(2, 'label', 'string'),
    field(3, 'shop', 'string'),
  ])
  await lake.commit(days, [
    { rows: `SELECT range::INT AS id, 'day ' || range AS label, 'x' AS shop FROM range(800)` },
  ])
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

/** The rows, and how many files of the sales were kept. */
async function run(sql: string): Promise<readonly [readonly unknown[], number | undefined]> {
  const { rows, result } = await readAll(engine, sql)
  return [rows[0] ?? [], result.pruning.find(({ table }) => table === 'star.sales')?.report.filesKept]
}

describe('a join with a small filtered side', () => {
  it('reads only the files of the other side that may hold its keys', async () => {
    const where = "WHERE d.label LIKE '%y 31_'"
    expect(
      await run(
        `SELECT count(*), sum(amount) FROM star.sales s JOIN star.days d ON s.day_id = d.id ${where}`,
      ),
    ).toEqual([[500, 1_232_250], 1])
    expect(await run(`SELECT count(*) FROM star.days d, star.sales s ${where} AND d.id = s.day_id`)).toEqual([
      [500],
      1,
    ])
    expect(
      await run(
        "SELECT count(*) FROM star.sales JOIN star.days ON day_id = id AND label = 'day 7' WHERE amount < 100",
      ),
    ).toEqual([[1], 1])
  })

  it('reads no file of the other side when it has no row', async () => {
    expect(
      await run(
        "SELECT count(*) FROM star.sales s JOIN star.days d ON s.day_id = d.id WHERE d.label = 'none'",
      ),
    ).toEqual([[0], 0])
  })

  it('does so on the side of an outer join that keeps its rows, through further joins', async () => {
    const sql = `SELECT count(*) FROM star.sales s JOIN star.days d ON s.day_id = d.id AND d.label = 'day 100'
      LEFT JOIN star.days e ON e.id = s.amount`
    expect(await run(sql)).toEqual([[50], 1])
  })

  it('says which keys left files out, in few words', async () => {
    const { result } = await readAll(
      engine,
      "SELECT count(*) FROM star.sales s JOIN star.days d ON s.day_id = d.id WHERE d.label >= 'day 2' AND d.id < 300",
    )
    const [dropped] = result.pruning.find(({ table }) => table === 'star.sales')?.report.dropped ?? []
    expect(dropped?.predicate).toContain('day_id')
    expect(dropped?.predicate.length).toBeLessThan(250)
  })
})

describe('a join with a table of which only parts may be seen', () => {
  const sql =
    "SELECT count(*) FROM star.sales s JOIN star.days d ON s.day_id = d.id WHERE d.label LIKE '%y 31_'"
  const seen = (restrictedName: string, readRestrictions: ReadRestrictions): TableCatalog => ({
    listNamespaces: (parent) => lake.catalog.listNamespaces(parent),
    listTables: (namespace) => lake.catalog.listTables(namespace),
    listViews: (namespace) => lake.catalog.listViews(namespace),
    loadView: (identifier) => lake.catalog.loadView(identifier),
    loadTable: async (identifier) => {
      const table = await lake.catalog.loadTable(identifier)
      return identifier.name === restrictedName ? { ...table, readRestrictions } : table
    },
  })

  it('neither prunes the other side by its keys, nor is pruned by keys that it shows masked', async () => {
    const someDays = seen('days', { masks: [], rowFilter: compare('id', 'lt', 315) })
    const { rows, result } = await readAll(engine, sql, { catalog: someDays })
    expect(rows).toEqual([[250]])
    expect(result.pruning).toMatchObject([{ table: 'star.sales', report: { filesKept: filesOfSales } }])
    const noKeys = seen('sales', { masks: [{ fieldId: 1, action: 'mask-to-fixed-value' }] })
    const masked = await readAll(engine, sql.replace("LIKE '%y 31_'", "= 'day 0'"), { catalog: noKeys })
    expect(masked.rows).toEqual([[filesOfSales * rowsPerFile]])
    expect(masked.result.pruning.map(({ table }) => table)).toEqual(['star.days'])
  })
})

describe('a join that must keep rows without a partner', () => {
  it('keeps every file of an outer side, and of an anti join', async () => {
    expect(
      await run(
        "SELECT count(*) FROM star.sales s LEFT JOIN star.days d ON s.day_id = d.id AND d.label = 'day 7'",
      ),
    ).toEqual([[filesOfSales * rowsPerFile], filesOfSales])
    expect(
      await run(
        "SELECT count(*) FROM star.sales s FULL JOIN star.days d ON s.day_id = d.id AND d.label = 'day 7'",
      ),
    ).toEqual([[filesOfSales * rowsPerFile + 799], filesOfSales])
    expect(
      await run(
        "SELECT count(*) FROM star.sales s ANTI JOIN star.days d ON s.day_id = d.id AND d.label = 'day 7'",
      ),
    ).toEqual([[filesOfSales * rowsPerFile - 50], filesOfSales])
  })

  it('keeps them under a condition that only one of its parts needs', async () => {
    expect(
      await run(
        "SELECT count(*) FROM star.sales s, star.days d WHERE d.label = 'day 7' AND (s.day_id = d.id OR s.amount = 3)",
      ),
    ).toEqual([[50 + filesOfSales], filesOfSales])
  })
})

describe('a join whose small side may not pay', () => {
  it('keeps every file when it has all keys, and is not read first when every file spans the keys', async () => {
    expect(await run('SELECT count(*) FROM star.sales s JOIN star.days d ON s.day_id = d.id')).toEqual([
      [filesOfSales * rowsPerFile],
      filesOfSales,
    ])
    const { result } = await readAll(
      engine,
      "SELECT count(*) FROM star.sales s JOIN star.days d ON s.amount = d.id WHERE d.label = 'day 7'",
    )
    expect(result.pruning.every(({ report }) => report.dropped.length === 0)).toBe(true)
  })
})
