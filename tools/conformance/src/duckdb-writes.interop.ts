import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installDuckDb, startLineProcess } from '@floe/peers'
import type { LineProcess } from '@floe/peers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFloeServer } from './floe-process.ts'
import { openFloeReader } from './floe-reader.ts'
import type { FloeReader } from './floe-reader.ts'

/** Tables that DuckDB's own iceberg extension writes through `floe serve`. */
const open = new AsyncDisposableStack()
let floe: FloeReader
let peer: LineProcess

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-duckdb-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  const server = open.use(await startFloeServer('catalog', folder))
  floe = open.use(openFloeReader(server.url, folder))
  const script = fileURLToPath(new URL('../python/duckdb_sql.py', import.meta.url))
  peer = open.use(startLineProcess(await installDuckDb(), [script, server.url]))
  await peer.next()
  await run('CREATE SCHEMA lake.duck')
})
afterAll(() => open.disposeAsync())

type Rows = readonly (readonly unknown[])[]

/** Runs statements in order; gives the rows of the last. */
async function run(...statements: readonly string[]): Promise<Rows> {
  let rows: Rows = []
  for (const sql of statements) {
    const answer = (await peer.ask({ sql })) as { readonly rows?: Rows; readonly error?: string }
    if (answer.rows === undefined) throw new Error(`${sql}: ${answer.error}`)
    rows = answer.rows
  }
  return rows
}

/** Both must give the same rows; returns them. */
async function same(sql: string): Promise<Rows> {
  const rows = await floe.rows(sql)
  expect(rows, sql).toEqual(await run(sql.replaceAll('duck.', 'lake.duck.')))
  return rows
}

describe('a table written by DuckDB', () => {
  const texts = `SELECT id::VARCHAR, small::VARCHAR, price::VARCHAR, ratio::VARCHAR, flag::VARCHAR, day::VARCHAR,
    "at"::VARCHAR, "local"::VARCHAR, name, hex(raw), tags::VARCHAR, place::VARCHAR, place.zip::VARCHAR FROM duck.things`

  it('has the same rows in Floe, in every type', async () => {
    await run(
      `CREATE TABLE lake.duck.things (id BIGINT, small INTEGER, price DECIMAL(20, 4), ratio DOUBLE, flag BOOLEAN, day DATE,
        "at" TIMESTAMPTZ, "local" TIMESTAMP, name VARCHAR, raw BLOB, tags VARCHAR[], place STRUCT(city VARCHAR, zip INTEGER))`,
      `INSERT INTO lake.duck.things SELECT i, -i, (i * 12345 / 10000)::DECIMAL(20, 4), i / 8, i % 2 = 0, DATE '1969-12-01' + i::INTEGER,
        TIMESTAMPTZ '1969-12-31 00:00:00+00' + INTERVAL 7 HOUR * i, TIMESTAMP '2024-02-29 12:00:00.123456' - INTERVAL 1 SECOND * i,
        CASE WHEN i % 7 = 0 THEN NULL ELSE 'größe ' || i END, ('x' || i)::BLOB, ['a', NULL, i::VARCHAR], {city: 'c' || i, zip: i}
        FROM range(1, 61) t(i)`,
    )
    expect(await same(`${texts} ORDER BY things.id`)).toHaveLength(60)
    expect(
      await same(`${texts} WHERE things.id > 50 AND day < DATE '1970-01-25' ORDER BY things.id`),
    ).toHaveLength(4)
  })

  it('has its deletes and updates, which are position deletes', async () => {
    await run(
      'DELETE FROM lake.duck.things WHERE id % 10 = 3',
      "UPDATE lake.duck.things SET name = 'new' WHERE id < 5",
    )
    expect(await same('SELECT id, name FROM duck.things WHERE id < 8 ORDER BY id')).toEqual([
      [1, 'new'],
      [2, 'new'],
      [4, 'new'],
      [5, 'größe 5'],
      [6, 'größe 6'],
      [7, null],
    ])
    expect(
      await same('SELECT count(*), sum(id), min(day)::VARCHAR, max(name) FROM duck.things'),
    ).toHaveLength(1)
    const deletes = await floe.rows(`SELECT count(*) FROM duck."things$delete_files"`)
    expect(Number(deletes[0]?.[0])).toBeGreaterThan(0)
  })

  it('has its changes of schema, and each snapshot as it was', async () => {
    await run(
      'ALTER TABLE lake.duck.things ADD COLUMN note VARCHAR',
      'ALTER TABLE lake.duck.things RENAME COLUMN name TO title',
      "INSERT INTO lake.duck.things (id, title, note) VALUES (100, 't', 'n')",
    )
    expect(await same('SELECT id, title, note FROM duck.things WHERE id IN (5, 100) ORDER BY id')).toEqual([
      [5, 'größe 5', null],
      [100, 't', 'n'],
    ])
    const snapshots = await floe.rows(
      'SELECT snapshot_id::VARCHAR FROM duck."things$snapshots" ORDER BY committed_at',
    )
    const counts = []
    for (const [id] of snapshots)
      counts.push(await same(`SELECT count(*) FROM duck.things AT (VERSION => ${String(id)})`))
    expect(counts[0]).toEqual([[60]])
  })

  it('has the partitions that DuckDB writes, and is pruned by them', async () => {
    await run(
      'CREATE TABLE lake.duck.parts (id BIGINT, day DATE, name VARCHAR)',
      'ALTER TABLE lake.duck.parts SET PARTITIONED BY (month(day), bucket(4, id))',
      `INSERT INTO lake.duck.parts SELECT i, DATE '2024-01-01' + (i % 90)::INTEGER, 'n' || i FROM range(400) t(i)`,
    )
    expect(
      await same(
        `SELECT id, day::VARCHAR FROM duck.parts WHERE day = DATE '2024-02-10' AND id > 100 ORDER BY id`,
      ),
    ).toHaveLength(3)
    const result = await floe.lakehouse.query(
      `SELECT * FROM duck.parts WHERE day = DATE '2024-02-10' AND id = 40`,
    )
    await result.close()
    const report = result.pruning[0]?.report
    expect(report?.filesKept).toBe(1)
    expect(report?.filesTotal).toBeGreaterThan(8)
  })

  it('has the deletion vectors of version 3', async () => {
    await run(
      `CREATE TABLE lake.duck.vectors (id BIGINT, name VARCHAR) WITH ('format-version' = '3')`,
      `INSERT INTO lake.duck.vectors SELECT i, 'n' || i FROM range(1000) t(i)`,
      'DELETE FROM lake.duck.vectors WHERE id % 3 = 0',
    )
    expect(await same('SELECT count(*), sum(id) FROM duck.vectors')).toEqual([[666, 332_667]])
    expect(await same('SELECT id FROM duck.vectors WHERE id < 8 ORDER BY id')).toEqual([
      [1],
      [2],
      [4],
      [5],
      [7],
    ])
    expect(await floe.rows(`SELECT DISTINCT file_format FROM duck."vectors$delete_files"`)).toEqual([
      ['PUFFIN'],
    ])
  })
})
