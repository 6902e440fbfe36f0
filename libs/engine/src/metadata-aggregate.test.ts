import { encodeSingleValue } from '@floe/iceberg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, positionDeleteFields, readAll } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const sales = { namespace: ['ns'], name: 'sales' }

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(
    sales,
    [
      field(1, 'id', 'int'),
      field(2, 'day', 'date'),
      field(3, 'note', 'string'),
      field(4, 'price', 'double'),
      field(5, 'rare', 'long'),
    ],
    {
      partitionSpec: {
        specId: 0,
        fields: [{ sourceIds: [2], fieldId: 1000, name: 'day', transform: { kind: 'identity' } }],
      },
    },
  )
  const rows = (from: number, to: number, day: string): string =>
    `SELECT range::INT AS id, DATE '${day}' AS day, 'note ' || range AS note, range::DOUBLE AS price,
       CASE WHEN range = 2 THEN 7 END::BIGINT AS rare FROM range(${from}, ${to})`
  const day = (text: string): number => Date.parse(text) / 86_400_000
  await lake.commit(sales, [
    { rows: rows(0, 10, '2026-01-01'), partition: [day('2026-01-01')] },
    { rows: rows(10, 20, '2026-01-02'), partition: [day('2026-01-02')] },
    { rows: rows(20, 30, '2026-01-03'), partition: [day('2026-01-03')] },
  ])
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

/** Rows, and [files kept by pruning, files answered]. */
async function run(sql: string): Promise<readonly [unknown, number | undefined, number | undefined]> {
  const { rows, result } = await readAll(engine, sql)
  const [pruning] = result.pruning
  return [rows, pruning?.report.filesKept, pruning?.filesAnswered]
}

describe('count, min and max', () => {
  it('come from metadata when there are no deletes, without opening a file', async () => {
    expect(
      await run('SELECT count(*), min(id), max(id), count(rare), max(day), min(rare) FROM ns.sales'),
    ).toEqual([[[30, 0, 29, 1, '2026-01-03', 7]], 3, 3])
  })

  it('keep the names and types of their columns', async () => {
    const { result } = await readAll(
      engine,
      'SELECT count(*), max(id), max(id) + 1, min(s.day) AS first FROM ns.sales AS s',
    )
    expect(result.columns).toEqual([
      { name: 'count_star()', type: 'BIGINT' },
      { name: 'max(id)', type: 'INTEGER' },
      { name: '(max(id) + 1)', type: 'INTEGER' },
      { name: 'first', type: 'DATE' },
    ])
    expect(result.pruning[0]?.filesAnswered).toBe(3)
  })

  it('come from metadata under filters that partitions or bounds answer for whole files', async () => {
    expect(await run("SELECT count(*) FROM ns.sales WHERE day >= DATE '2026-01-02'")).toEqual([[[20]], 2, 2])
    expect(await run('SELECT count(*), max(id) FROM ns.sales WHERE id < 20')).toEqual([[[20, 19]], 2, 2])
    expect(await run("SELECT count(*) FROM ns.sales WHERE day = DATE '2030-01-01'")).toEqual([
      [[0]],
      0,
      undefined,
    ])
  })

  it('read the files that a filter cuts through, and those alone', async () => {
    expect(await run('SELECT count(*), min(id), max(id) FROM ns.sales WHERE id >= 5')).toEqual([
      [[25, 5, 29]],
      3,
      2,
    ])
    expect(await run('SELECT count(*) FROM ns.sales WHERE id % 2 = 0 AND id < 20')).toEqual([
      [[10]],
      2,
      undefined,
    ])
    expect(await run('SELECT count(*) FROM ns.sales WHERE id <> 3')).toEqual([[[29]], 3, undefined])
    expect(await run('SELECT count(*) FROM ns.sales WHERE price < 5')).toEqual([[[5]], 1, undefined])
  })

  it('of texts are read, since bounds of texts may be cut', async () => {
    expect(await run('SELECT max(note), count(*) FROM ns.sales')).toEqual([[['note 9', 30]], 3, undefined])
    expect(await run('SELECT count(note) FROM ns.sales')).toEqual([[[30]], 3, 3])
  })

  it('of floating columns are read while the number of NaNs is not known', async () => {
    expect(await run('SELECT max(price) FROM ns.sales')).toEqual([[[29]], 3, undefined])
  })

  it('with other aggregates, DISTINCT, FILTER or groups are read', async () => {
    for (const sql of [
      'SELECT count(*), sum(id) FROM ns.sales',
      'SELECT count(DISTINCT day) FROM ns.sales',
      'SELECT count(*) FILTER (WHERE id > 3) FROM ns.sales',
      'SELECT count(*) FROM ns.sales GROUP BY day',
      'SELECT count(*) FROM ns.sales USING SAMPLE 50%',
      'SELECT max(id + 1) FROM ns.sales',
      'SELECT count(*) FROM ns.sales a, ns.sales b WHERE a.id = b.id',
    ])
      expect((await run(sql))[2]).toBe(undefined)
  })

  it('may stand in a subquery, under HAVING, and beside one another', async () => {
    expect(await run('SELECT (SELECT max(id) FROM ns.sales) AS top')).toEqual([[[29]], 3, 3])
    expect(await run('SELECT count(*) FROM ns.sales HAVING count(*) > 30')).toEqual([[], 3, 3])
    const [rows] = await run('SELECT id FROM ns.sales WHERE id = (SELECT max(id) FROM ns.sales)')
    expect(rows).toEqual([[29]])
  })

  it('read files with deletes, and take the others from metadata', async () => {
    const table = { namespace: ['ns'], name: 'deleted' }
    await lake.createTable(table, [field(1, 'id', 'int')])
    const { files } = await lake.commit(table, [
      { rows: 'SELECT range::INT AS id FROM range(10)' },
      { rows: 'SELECT range::INT AS id FROM range(10, 20)' },
    ])
    const [, second] = files
    await lake.commit(table, [
      {
        rows: `SELECT '${second?.filePath}' AS file_path, pos::BIGINT AS pos FROM (VALUES (9), (0)) AS p(pos) ORDER BY 2`,
        fields: positionDeleteFields,
        content: 'position-deletes',
      },
    ])
    expect(await run('SELECT count(*), min(id), max(id) FROM ns.deleted')).toEqual([[[18, 0, 18]], 2, 1])
  })

  it('read files whose metrics are incomplete', async () => {
    const table = { namespace: ['ns'], name: 'partial' }
    await lake.createTable(table, [field(1, 'id', 'int')])
    const { files } = await lake.commit(table, [{ rows: 'SELECT range::INT AS id FROM range(10)' }])
    const [file] = files
    if (file === undefined) return expect.unreachable('the file was written')
    const { nullValueCounts: _, ...bare } = file
    const upper = new Map([[1, encodeSingleValue({ kind: 'int' }, 9)]])
    await lake.commit(table, [], { extra: [{ ...bare, upperBounds: upper }] })
    expect(await run('SELECT count(*), max(id) FROM ns.partial')).toEqual([[[20, 9]], 2, 1])
    expect(await run('SELECT count(*) FROM ns.partial')).toEqual([[[20]], 2, 2])
  })
})
