import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'
import { quoteText } from './sql-text.ts'

const table = { namespace: ['ns'], name: 'events' }
const fields = [
  field(1, 'id', 'long'),
  field(2, 's', 'string'),
  field(3, 'ts', 'timestamp'),
  field(4, 'price', { kind: 'decimal', precision: 30, scale: 2 }),
  field(5, 'x', 'double'),
  field(6, 'day', 'date'),
  field(7, 'ok', 'boolean'),
  field(8, 'st', { kind: 'struct', fields: [field(9, 'n', 'int')] }),
  field(10, 'tz', 'timestamptz'),
  field(11, 'fl', 'float'),
]
const awkward = ["it's", 'a\nb', "x' AND f1>5 --", 'ünï', '', 'ab', 'abc', 'ac']

/** File `n` holds ids 100n to 100n + 9 and a day of January 2026; `s` cycles over awkward texts. */
const rowsOfFile = (n: number): string => `
  SELECT (${n} * 100 + i)::BIGINT AS id,
    CASE WHEN i = 9 THEN NULL ELSE ${quoteText(awkward[n] ?? '')} END AS s,
    TIMESTAMP '2026-01-01 00:00:00' + INTERVAL (${n} * 24 + i) HOUR AS ts,
    (${n} * 1000 + i + 0.25)::DECIMAL(30, 2) AS price,
    CASE WHEN ${n} = 2 AND i = 5 THEN 'NaN'::DOUBLE WHEN ${n} = 3 THEN -0.0 ELSE ${n} + i / 10 END AS x,
    DATE '2026-01-01' + ${n} AS day,
    CASE WHEN ${n} = 1 THEN NULL ELSE ${n} % 2 = 0 END AS ok,
    {n: (${n} * 10 + i)::INTEGER} AS st,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (${n} * 24 + i) HOUR AS tz,
    (${n} + 0.1)::FLOAT AS fl
  FROM range(10) t(i)`

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  const day = {
    specId: 0,
    fields: [{ sourceIds: [6], fieldId: 1000, name: 'day', transform: { kind: 'identity' as const } }],
  }
  await lake.createTable(table, fields, { partitionSpec: day })
  const days = Date.UTC(2026, 0, 1) / 86_400_000
  for (const start of [0, 4]) {
    await lake.commit(
      table,
      [0, 1, 2, 3].map((n) => ({ rows: rowsOfFile(start + n), partition: [days + start + n] })),
    )
  }
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const from = 'FROM ns.events'

describe('pruning', () => {
  it('drops manifests by their partition summary, then files by partition, then files by metrics', async () => {
    const { rows, result } = await readAll(
      engine,
      `SELECT id ${from} WHERE day >= '2026-01-06' AND id > 650 ORDER BY id LIMIT 1`,
    )
    expect(rows).toEqual([[700]])
    expect(result.pruning).toEqual([
      {
        table: 'ns.events',
        report: {
          manifestsTotal: 2,
          manifestsScanned: 1,
          filesTotal: 8,
          filesKept: 1,
          bytesKept: expect.any(Number),
          dropped: [
            { kind: 'manifest', predicate: expect.stringContaining('day'), count: 1 },
            { kind: 'file-by-partition', predicate: expect.stringContaining('day'), count: 1 },
            { kind: 'file-by-metrics', predicate: expect.stringContaining('id'), count: 2 },
          ],
        },
      },
    ])
  })

  it('stops reading manifests when a LIMIT is covered, and only then', async () => {
    const limited = await readAll(engine, `SELECT id ${from} LIMIT 12 OFFSET 3`)
    expect(limited.rows.length).toBe(12)
    expect(limited.result.pruning[0]?.report).toMatchObject({
      manifestsTotal: 2,
      manifestsScanned: 1,
      filesTotal: 8,
      filesKept: 2,
    })
    const sorted = await readAll(engine, `SELECT id ${from} ORDER BY id DESC LIMIT 1`)
    expect(sorted.rows).toEqual([[709]])
    expect(sorted.result.pruning[0]?.report).toMatchObject({ filesKept: 8 })
    const counted = await readAll(engine, `SELECT count(*) FROM (SELECT DISTINCT id ${from}) LIMIT 1`)
    expect(counted.rows).toEqual([[80]])
    const filtered = await readAll(engine, `SELECT id ${from} WHERE id % 100 = 7 LIMIT 8`)
    expect(filtered.rows.length).toBe(8)
  })

  it('reads nothing for a condition that cannot hold', async () => {
    const { rows, result } = await readAll(engine, `SELECT id ${from} WHERE id BETWEEN 5 AND 4`)
    expect(rows).toEqual([])
    expect(result.pruning[0]?.report).toMatchObject({ manifestsScanned: 0, filesKept: 0 })
  })
})

/** Condition, and files that it needs of 8. */
const conditions: readonly (readonly [string, number])[] = [
  ['id = 305', 1],
  ['id = 5 OR id = 705', 2],
  ['id IN (5, 105, 106, 205, 305, 405, 999)', 5],
  [`id IN (5, ${Array.from({ length: 1000 }, (_, at) => 10_000 + at).join(', ')})`, 1],
  ['id > 300 AND length(s) > 0', 5],
  ["id > 300 AND s LIKE '%s'", 5],
  ["s = 'it''s'", 1],
  ["s = 'a\nb'", 1],
  ["s = 'x'' AND f1>5 --'", 1],
  ["s = 'ünï'", 1],
  ["s = ''", 1],
  ["s LIKE 'ab%'", 2],
  ["starts_with(s, 'ab')", 2],
  ["s >= 'ab' AND s < 'ad'", 3],
  ['s IS NULL', 8],
  ['s IS NULL AND id < 100', 1],
  ['ok', 4],
  ['NOT ok', 3],
  ['ok IS NULL', 1],
  ['ok IS NOT NULL', 7],
  ["ts >= '2026-01-03' AND ts < '2026-01-04'", 1],
  ["date_trunc('day', ts) = '2026-01-03'", 1],
  ["CAST(ts AS DATE) = '2026-01-03'", 1],
  ["tz < '2026-01-02 00:00:00+00'", 1],
  ["tz = '2026-01-02 01:00:00+01'", 1],
  ['price > 7000.5', 1],
  ['price = 3000.25', 1],
  ['price < 0', 0],
  ["day = '2026-01-04'", 1],
  ["day < DATE '2026-01-03'", 2],
  ["day IN ('2026-01-01', '2026-01-08')", 2],
  ['day IS NULL', 0],
  ['st.n = 35', 1],
  ['st.n IS NULL', 8],
  ['NOT (id < 600)', 2],
  ['id <> 5', 8],
  ['id IS DISTINCT FROM 5', 8],
  ['id IS NOT DISTINCT FROM 5', 1],
  ["id::VARCHAR = '305'", 8],
  ['id + 1 > 700', 1],
  ['fl = 3.1::FLOAT', 1],
  ['x > 100', 8],
  ["x = 'NaN'::DOUBLE", 8],
  ["x > 'inf'::DOUBLE OR x >= 0", 8],
  ['x = 0.0', 2],
  ['x < 0.5', 2],
  ["now() < '2000-01-01' OR id = 5", 1],
  ['id = (SELECT 305)', 8],
]

describe('a pruned scan', () => {
  it.each(conditions)('for %s returns what a full scan does', async (condition, files) => {
    const { rows, result } = await readAll(engine, `SELECT id ${from} WHERE ${condition} ORDER BY id`)
    // No condition can be pushed below a window over all rows.
    const full = `SELECT id FROM (SELECT *, row_number() OVER () AS r ${from}) WHERE ${condition} ORDER BY id`
    const unpruned = await readAll(engine, full)
    expect(unpruned.result.pruning[0]?.report).toMatchObject({ filesKept: 8 })
    expect(rows).toEqual(unpruned.rows)
    expect(result.pruning[0]?.report.filesKept).toBe(files)
  })

  it('carries conditions through joins, expressions with WITH and unions', async () => {
    const joined = await readAll(
      engine,
      `SELECT a.id FROM ns.events a JOIN ns.events b ON a.id = b.id WHERE a.id = 305`,
    )
    expect(joined.rows).toEqual([[305]])
    expect(joined.result.pruning.map(({ report }) => report.filesKept)).toEqual([1, 1])
    const twice = await readAll(
      engine,
      `WITH e AS (SELECT * ${from}) SELECT id FROM e WHERE id = 5 UNION ALL SELECT id FROM e WHERE id = 705 ORDER BY 1`,
    )
    expect(twice.rows).toEqual([[5], [705]])
    const outer = await readAll(
      engine,
      `SELECT a.id, b.id FROM ns.events a LEFT JOIN ns.events b ON a.id = b.id AND b.id > 700 WHERE a.id IN (5, 705) ORDER BY 1`,
    )
    expect(outer.rows).toEqual([
      [5, null],
      [705, 705],
    ])
  })
})
