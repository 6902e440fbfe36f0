import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startSpark } from '@floe/peers'
import type { Spark } from '@floe/peers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFloeServer } from './floe-process.ts'
import { openFloeReader } from './floe-reader.ts'
import type { FloeReader } from './floe-reader.ts'

/** Tables that Spark partitions by every transform of every type: each filter must prune, and lose no row. */
const open = new AsyncDisposableStack()
let floe: FloeReader
let spark: Spark

const rows = 200

/** Values around the instant 0, where days and hours round down, and one null in eleven. */
const columns = `IF(i % 11 = 0, NULL, CAST(i - 100 AS INT)) AS n,
  IF(i % 11 = 1, NULL, CAST(i - 100 AS BIGINT) * 3000000000) AS l,
  IF(i % 11 = 2, NULL, CAST((i - 100) / 8 AS DECIMAL(12, 3))) AS p,
  IF(i % 11 = 3, NULL, date_add(DATE '1970-01-01', CAST((i - 100) * 11 AS INT))) AS d,
  IF(i % 11 = 4, NULL, timestamp_micros((i - 100) * 5400000001)) AS t,
  IF(i % 11 = 5, NULL, CAST(timestamp_micros((i - 100) * 5400000001) AS TIMESTAMP_NTZ)) AS w,
  IF(i % 11 = 6, NULL, concat(element_at(array('a', 'ab', 'größe', '日本', ''), CAST(i % 5 AS INT) + 1), i % 13)) AS s,
  IF(i % 11 = 7, NULL, CAST(concat('b', i % 9) AS BINARY)) AS b`

/** A partition, and conditions that it may prune by, each in a form that both engines take. */
const partitions: readonly (readonly [partition: string, conditions: readonly string[]])[] = [
  ['n', ['n = 8', 'n < -90', 'n IS NULL', 'n IN (1, 2, 3)']],
  ['bucket(4, n)', ['n = 8', 'n IN (1, 50)', 'n IS NULL']],
  ['truncate(50, n)', ['n = -3', 'n >= 50', 'n BETWEEN -60 AND -40']],
  ['bucket(4, l)', ['l = 9000000000', 'l IS NULL']],
  ['truncate(2000000000, l)', ['l = -3000000000', 'l > 250000000000']],
  ['p', ['p = 1.125', 'p IS NULL']],
  ['bucket(4, p)', ['p = 1.125', 'p IS NULL']],
  ['truncate(50, p)', ['p = -0.125', 'p < -10']],
  ['d', ["d = DATE '1969-12-21'", 'd IS NULL']],
  ['bucket(4, d)', ["d = DATE '1969-12-21'"]],
  ['years(d)', ["d = DATE '1969-12-21'", "d >= DATE '1971-01-01'"]],
  ['months(d)', ["d = DATE '1969-12-21'", "d BETWEEN DATE '1970-02-01' AND DATE '1970-03-31'"]],
  ['days(d)', ["d < DATE '1967-03-01'", 'd IS NULL']],
  ['years(t)', ["t < TIMESTAMP '1970-01-01 00:00:00+00:00'", 't IS NULL']],
  ['months(t)', ["t >= TIMESTAMP '1970-01-05 00:00:00+00:00'"]],
  ['days(t)', ["t >= TIMESTAMP '1970-01-05 00:00:00+00:00'", "t = TIMESTAMP '1970-01-01 00:00:00+00:00'"]],
  ['hours(t)', ["t < TIMESTAMP '1969-12-27 00:00:00+00:00'", 't IS NULL']],
  ['days(w)', ["w >= TIMESTAMP_NTZ '1970-01-05 00:00:00'", 'w IS NULL']],
  ['hours(w)', ["w BETWEEN TIMESTAMP_NTZ '1969-12-31 20:00:00' AND TIMESTAMP_NTZ '1970-01-01 02:00:00'"]],
  ['s', ["s = 'größe2'", 's IS NULL']],
  ['bucket(4, s)', ["s = 'größe2'", "s = '日本3'"]],
  ['truncate(2, s)', ["s = '日本3'", "s LIKE 'gr%'", "s >= 'b'"]],
  ['bucket(4, b)', ['b IS NULL']],
]

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-partitions-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  const server = open.use(await startFloeServer('catalog', folder))
  floe = open.use(openFloeReader(server.url, folder))
  spark = open.use(await startSpark())
  await spark.addCatalog('lake', server.url)
  for (const statement of [
    'USE lake',
    "SET TIME ZONE 'UTC'",
    'CREATE NAMESPACE parts',
    `CREATE TABLE parts.source USING iceberg AS SELECT CAST(id AS INT) AS k, * FROM (SELECT id, id AS i FROM range(${rows}))`,
  ])
    await spark.sql(statement)
})
afterAll(() => open.disposeAsync())

/** DuckDB knows no TIMESTAMP_NTZ, and its TIMESTAMP has no zone. */
function toDuckDb(condition: string): string {
  return condition
    .replaceAll(/TIMESTAMP '([^']*)'/g, "TIMESTAMPTZ '$1'")
    .replaceAll('TIMESTAMP_NTZ', 'TIMESTAMP')
}

async function keysOfSpark(table: string, condition: string): Promise<readonly number[]> {
  const found = await spark.sql(`SELECT k FROM ${table} WHERE ${condition} ORDER BY k`)
  return found.map((row) => Number(row['k']))
}

async function keysOfFloe(
  table: string,
  condition: string,
): Promise<{ readonly keys: readonly number[]; readonly kept: number; readonly total: number }> {
  const result = await floe.lakehouse.query(`SELECT k FROM ${table} WHERE ${toDuckDb(condition)} ORDER BY k`)
  const keys: number[] = []
  for await (const batch of result.rows()) keys.push(...batch.map(([key]) => Number(key)))
  const report = result.pruning[0]?.report
  return { keys, kept: report?.filesKept ?? 0, total: report?.filesTotal ?? 0 }
}

describe.each(partitions)('partitioned by %s', (partition, conditions) => {
  const table = `parts.by_${partition.replaceAll(/\W+/g, '_')}`

  it('gives the rows that Spark gives, of fewer files', async () => {
    await spark.sql(
      `CREATE TABLE ${table} USING iceberg PARTITIONED BY (${partition})
        TBLPROPERTIES ('write.metadata.metrics.default' = 'none', 'write.delete.mode' = 'merge-on-read', 'format-version' = '2')
        AS SELECT k, ${columns} FROM parts.source`,
    )
    await spark.sql(`DELETE FROM ${table} WHERE k % 17 = 5`)
    for (const condition of conditions) {
      const { keys, kept, total } = await keysOfFloe(table, condition)
      expect(keys, condition).toEqual(await keysOfSpark(table, condition))
      expect(keys.length, condition).toBeGreaterThan(0)
      // Without metrics of columns nothing but the partition can have ruled files out.
      expect(kept, condition).toBeLessThan(total)
    }
  })
})

describe('a branch that Spark writes', () => {
  it('has rows, deletes and a schema of its own in Floe', async () => {
    const run = async (sql: string): Promise<readonly (readonly unknown[])[]> =>
      (await spark.sql(sql)).map((row) => Object.values(row))
    for (const statement of [
      `CREATE TABLE parts.branched (id INT, name STRING) USING iceberg
        TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'format-version' = '2')`,
      "INSERT INTO parts.branched VALUES (1, 'a'), (2, 'b'), (3, 'c')",
      'ALTER TABLE parts.branched CREATE BRANCH audit',
      "INSERT INTO parts.branched.branch_audit VALUES (4, 'd')",
      'DELETE FROM parts.branched.branch_audit WHERE id = 2',
      'ALTER TABLE parts.branched CREATE TAG before',
      "INSERT INTO parts.branched VALUES (9, 'main')",
    ])
      await run(statement)
    for (const [spelling, ids] of [
      ['parts.branched', [1, 2, 3, 9]],
      ['parts.branched.branch_audit', [1, 3, 4]],
      ['parts.branched.tag_before', [1, 2, 3]],
      ["parts.branched VERSION AS OF 'audit'", [1, 3, 4]],
    ] as const) {
      const sql = `SELECT id FROM ${spelling} ORDER BY id`
      expect((await run(sql)).flat(), sql).toEqual(ids)
      expect((await floe.rows(sql)).flat(), sql).toEqual(ids)
    }
    expect(
      (await floe.rows("SELECT id FROM parts.branched AT (VERSION => 'audit') ORDER BY id")).flat(),
    ).toEqual([1, 3, 4])
  })
})
