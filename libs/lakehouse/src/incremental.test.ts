import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Lakehouse } from './lakehouse.ts'
import type { LoadOptions } from './lakehouse.ts'
import { readSettings } from './settings.ts'
import type { TableFailure, TableLoad } from '@floe/etl'

let folder: string
let lakehouse: Lakehouse
let postgres: TestPostgres & AsyncDisposable
let schemas = 0
let schema: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-incremental-'))
  lakehouse = new Lakehouse(readSettings({}, {}, folder, 2))
  postgres = await startPostgres()
})
afterAll(async () => {
  await lakehouse.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  schema = `s${++schemas}`
  await postgres.query(`CREATE SCHEMA ${schema}`)
})

async function run(changes: Partial<LoadOptions> = {}): Promise<TableLoad | TableFailure> {
  const { tables } = await lakehouse.load({
    sourceUrl: postgres.url,
    tables: [`${schema}.t`],
    namespace: [schema],
    mode: 'incremental',
    ...changes,
  })
  const [table] = tables
  if (table === undefined || table.status === 'planned') throw new Error('nothing was loaded')
  return table
}

async function loaded(changes: Partial<LoadOptions> = {}): Promise<TableLoad> {
  const table = await run(changes)
  if (table.status === 'failed') throw new Error(`${table.error.message}: ${table.error.hint}`)
  return table
}

async function refused(changes: Partial<LoadOptions> = {}): Promise<TableFailure['error']> {
  const table = await run(changes)
  if (table.status !== 'failed') throw new Error('the load was not refused')
  return table.error
}

async function lake(columns = 'id, v'): Promise<readonly string[]> {
  const result = await lakehouse.query(`SELECT ${columns} FROM ${schema}.t`)
  const rows: string[] = []
  for await (const batch of result.rows()) for (const row of [batch].flat(1)) rows.push(String(row))
  await result.close()
  return rows.toSorted()
}

async function assertSame(where = 'true'): Promise<void> {
  const rows = await postgres.query<{ id: string; v: string }>(`SELECT id, v FROM ${schema}.t WHERE ${where}`)
  expect(await lakeRows()).toEqual(rows.map(({ id, v }) => `${id}:${v}`).toSorted())
}

async function lakeRows(): Promise<readonly string[]> {
  return lake(`concat(id, ':', v)`)
}

const keyed = (name: string): string =>
  `CREATE TABLE ${name}.t (id bigint PRIMARY KEY, v text NOT NULL, at timestamptz);
   INSERT INTO ${name}.t SELECT i, 'a', timestamptz '2024-01-01Z' + i * interval '1 minute' FROM generate_series(1, 1000) i`

describe('a cursor column of a table with a key', () => {
  it.each(['', 'CREATE INDEX ON $.t (at);'])(
    'brings new and changed rows, ties and nulls, and replaces old ones (%s)',
    async (index) => {
      await postgres.query(`${keyed(schema)}; ${index.replace('$', schema)}
        INSERT INTO ${schema}.t VALUES (2001, 'null', NULL), (2002, 'infinite', 'infinity'), (2003, 'minus', '-infinity')`)
      const cursor = { column: 'at' }
      const policies = { default: { infinity: 'clamp' } } as const
      expect(await loaded({ cursor, policies })).toMatchObject({
        rows: 1003,
        deleteFiles: 0,
        increment: { isFirst: true },
      })
      await assertSame()
      await postgres.query(`
        UPDATE ${schema}.t SET v = 'b', at = timestamptz '2024-02-01Z' WHERE id % 100 = 0;
        UPDATE ${schema}.t SET v = 'c' WHERE id >= 2001;
        INSERT INTO ${schema}.t SELECT i, 'tie', max(at) FROM ${schema}.t, generate_series(3001, 3003) i WHERE at < 'infinity' GROUP BY i`)
      const second = await loaded({ cursor, policies })
      expect(second).toMatchObject({ rows: 16, increment: { rule: 'merge', isFirst: false } })
      await assertSame()
      // Rows of the value that was the newest, written after it was loaded.
      await postgres.query(`INSERT INTO ${schema}.t VALUES (3004, 'tie', timestamptz '2024-02-01Z')`)
      await loaded({ cursor, policies })
      await assertSame()
    },
  )

  it('finds rows that came late within the lag, and keeps what the source has deleted', async () => {
    await postgres.query(keyed(schema))
    const late = await postgres.openSession()
    await late.query('BEGIN')
    await late.query(`INSERT INTO ${schema}.t VALUES (5000, 'late', timestamptz '2024-01-01 16:30Z')`)
    const cursor = { column: 'at', lag: '30 minutes' }
    await loaded({ cursor })
    await late.query('COMMIT')
    await late.end()
    await postgres.query(`DELETE FROM ${schema}.t WHERE id = 7`)
    expect((await loaded({ cursor })).rows).toBe(32)
    expect(await lake('id')).toHaveLength(1001)
    expect(await lake('id')).toContain('5000')
  })

  it('replaces rows that have moved to another partition', async () => {
    await postgres.query(keyed(schema))
    const cursor = { column: 'at' }
    await loaded({ cursor, partitionBy: 'day(at)' })
    await postgres.query(`UPDATE ${schema}.t SET v = 'moved', at = at + interval '3 days' WHERE id <= 10`)
    await loaded({ cursor })
    await assertSame()
  })

  it('reads only greater keys when the key is the cursor', async () => {
    await postgres.query(keyed(schema))
    const cursor = { column: 'id' }
    await loaded({ cursor })
    await postgres.query(`INSERT INTO ${schema}.t VALUES (1001, 'x', NULL), (1002, 'y', NULL)`)
    expect(await loaded({ cursor })).toMatchObject({
      rows: 2,
      deleteFiles: 0,
      increment: { rule: 'key-order' },
    })
    expect(await loaded({ cursor })).toMatchObject({ rows: 0, commits: 0 })
    await assertSame()
  })

  it('goes on from a load with replace, and not from one without a cursor', async () => {
    await postgres.query(keyed(schema))
    const cursor = { column: 'at' }
    await loaded({ mode: 'create' })
    expect(await refused({ cursor })).toMatchObject({ code: 'invalid-input' })
    await loaded({ mode: 'replace', cursor })
    await postgres.query(`INSERT INTO ${schema}.t VALUES (1001, 'x', now())`)
    expect((await loaded({ cursor })).rows).toBe(2)
    await assertSame()
    await loaded({ mode: 'replace' })
    expect((await refused({ cursor })).hint).toContain('--mode replace')
  })

  it('is refused where the table was rolled back behind the last load', async () => {
    await postgres.query(keyed(schema))
    const cursor = { column: 'at' }
    const first = await loaded({ cursor })
    await postgres.query(`INSERT INTO ${schema}.t VALUES (1001, 'x', now())`)
    await loaded({ cursor })
    const ref = { snapshotId: first.snapshotId, type: 'branch' } as const
    await (
      await lakehouse.catalog()
    ).commitTable(
      { namespace: [schema], name: 't' },
      { requirements: [], updates: [{ action: 'set-snapshot-ref', refName: 'main', ref }] },
    )
    expect((await refused({ cursor })).message).toContain('rolled back')
  })

  it('follows its column when it is renamed', async () => {
    await postgres.query(keyed(schema))
    await loaded({ cursor: { column: 'at' } })
    await postgres.query(
      `ALTER TABLE ${schema}.t RENAME at TO changed; INSERT INTO ${schema}.t VALUES (1001, 'x', now())`,
    )
    expect((await loaded({ cursor: { column: 'changed' } })).rows).toBe(2)
    expect((await refused({ cursor: { column: 'id' } })).message).toContain('--cursor')
  })
})

describe('a cursor column of a table without a key', () => {
  const log = (): string =>
    `CREATE TABLE ${schema}.t (id int, v text, at timestamptz NOT NULL); CREATE INDEX ON ${schema}.t (at);
     INSERT INTO ${schema}.t SELECT i, 'a', timestamptz '2024-01-01Z' + i / 10 * interval '1 minute' FROM generate_series(1, 999) i`

  it('loads each row once: the newest value waits until a greater one has come', async () => {
    await postgres.query(log())
    const cursor = { column: 'at' }
    expect(await loaded({ cursor })).toMatchObject({ rows: 989, increment: { rule: 'held-back' } })
    await postgres.query(`INSERT INTO ${schema}.t SELECT 1000, 'tie', max(at) FROM ${schema}.t`)
    expect((await loaded({ cursor })).rows).toBe(0)
    await postgres.query(`INSERT INTO ${schema}.t VALUES (1001, 'x', now())`)
    expect((await loaded({ cursor })).rows).toBe(11)
    await assertSame('id <= 1000')
  })

  it('leaves rows within the lag for a later load', async () => {
    await postgres.query(log())
    const cursor = { column: 'at', lag: '10 minutes' }
    expect((await loaded({ cursor })).rows).toBe(889)
    await postgres.query(
      `INSERT INTO ${schema}.t VALUES (1000, 'late', timestamptz '2024-01-01 01:35Z'), (1001, 'x', now())`,
    )
    await loaded({ cursor })
    await assertSame('id <= 1000')
  })

  it('refuses rows that have no place in the order', async () => {
    await postgres.query(`${log()}; INSERT INTO ${schema}.t VALUES (1, 'x', 'infinity')`)
    expect(await refused({ cursor: { column: 'at' } })).toMatchObject({ code: 'unsupported' })
    expect((await refused({ cursor: { column: 'v' } })).code).toBe('unsupported')
    expect((await refused({ cursor: { column: 'xmin' } })).code).toBe('unsupported')
  })

  it('does not bring rows twice when two loads go on from one position', async () => {
    await postgres.query(log())
    const cursor = { column: 'at' }
    await loaded({ cursor })
    await postgres.query(
      `INSERT INTO ${schema}.t VALUES (1001, 'x', now()), (1002, 'y', now() + interval '1 day')`,
    )
    const both = await Promise.all([run({ cursor }), run({ cursor })])
    for (const table of both) if (table.status === 'failed') expect(table.error.code).toBe('commit-conflict')
    expect(both.some(({ status }) => status === 'loaded')).toBe(true)
    await assertSame('id <= 1001')
  })
})

describe('xmin', () => {
  const cursor = { column: 'xmin' }

  it('brings what was written since, also by transactions and savepoints that were open at the last load', async () => {
    await postgres.query(keyed(schema))
    const open = await postgres.openSession()
    await open.query('BEGIN')
    await open.query(`INSERT INTO ${schema}.t VALUES (4001, 'open', NULL)`)
    await open.query('SAVEPOINT inner_one')
    await open.query(`UPDATE ${schema}.t SET v = 'savepoint' WHERE id = 5`)
    // A later transaction has ended: the open one's ids lie between those that the load sees.
    await postgres.query(`UPDATE ${schema}.t SET v = 'seen' WHERE id = 6`)
    await loaded({ cursor })
    await open.query('COMMIT')
    await open.end()
    await postgres.query(
      `UPDATE ${schema}.t SET v = 'new' WHERE id = 9; DELETE FROM ${schema}.t WHERE id = 4002`,
    )
    const second = await loaded({ cursor })
    expect(second.rows).toBeLessThan(10)
    await assertSame()
    expect(await lakeRows()).toEqual(expect.arrayContaining(['4001:open', '5:savepoint', '9:new']))
  })

  it('reads a partition whole that was not there, with the rows that it brought along', async () => {
    await postgres.query(`CREATE TABLE ${schema}.t (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE ${schema}.p1 PARTITION OF ${schema}.t FOR VALUES FROM (0) TO (100);
      CREATE TABLE ${schema}.old (id bigint PRIMARY KEY, v text);
      INSERT INTO ${schema}.old SELECT i, 'old' FROM generate_series(100, 149) i;
      INSERT INTO ${schema}.t SELECT i, 'a' FROM generate_series(1, 50) i`)
    await loaded({ cursor })
    await postgres.query(
      `ALTER TABLE ${schema}.t ATTACH PARTITION ${schema}.old FOR VALUES FROM (100) TO (200)`,
    )
    await loaded({ cursor })
    await assertSame()
  })

  it('is refused after the table was made again, and leaves an unchanged table alone', async () => {
    await postgres.query(keyed(schema))
    await loaded({ cursor })
    expect(await loaded({ cursor })).toMatchObject({ rows: 0, commits: 0 })
    await postgres.query(`DROP TABLE ${schema}.t; ${keyed(schema)}`)
    expect((await refused({ cursor })).message).toContain('made again')
  })
})

describe('a source that is being written to', () => {
  it('is read at one instant over all its tables, whatever its writers do', async () => {
    await postgres.query(`CREATE TABLE ${schema}.accounts (id int PRIMARY KEY, balance bigint NOT NULL);
      CREATE TABLE ${schema}.history (id bigserial PRIMARY KEY, account int NOT NULL, delta bigint NOT NULL);
      INSERT INTO ${schema}.accounts SELECT i, 0 FROM generate_series(1, 2000) i`)
    let isOver = false
    let transfers = 0
    // As pgbench does: a balance and its history change in one transaction.
    const write = async (writer: number): Promise<void> => {
      const session = await postgres.openSession()
      for (let turn = 0; !isOver; turn++) {
        const account = ((turn * 7919 + writer * 104_729) % 2000) + 1
        await session.query(`BEGIN; UPDATE ${schema}.accounts SET balance = balance + ${turn} WHERE id = ${account};
          INSERT INTO ${schema}.history (account, delta) VALUES (${account}, ${turn}); COMMIT`)
        transfers++
      }
      await session.end()
    }
    const writers = [1, 2, 3].map(write)
    const request = { sourceUrl: postgres.url, tables: [`${schema}.*`], namespace: [schema] }
    const cursor = { column: 'xmin' }
    try {
      for (let turn = 0; turn < 3; turn++) {
        const { tables } = await lakehouse.load({ ...request, mode: 'incremental', cursor })
        expect(tables.map(({ status }) => status)).toEqual(['loaded', 'loaded'])
        const wrong = await lakehouse.query(`SELECT count(*) FROM ${schema}.accounts a LEFT JOIN
          (SELECT account, sum(delta) AS total FROM ${schema}.history GROUP BY account) h ON h.account = a.id
          WHERE a.balance <> coalesce(h.total, 0)`)
        for await (const [row] of wrong.rows()) expect(String(row)).toBe('0')
        await wrong.close()
      }
    } finally {
      isOver = true
      await Promise.all(writers)
    }
    expect(transfers).toBeGreaterThan(0)
    await lakehouse.load({ ...request, mode: 'incremental', cursor })
    const rows = await postgres.query<{ row: string }>(
      `SELECT concat(id, ':', balance) AS row FROM ${schema}.accounts`,
    )
    const result = await lakehouse.query(`SELECT concat(id, ':', balance) FROM ${schema}.accounts`)
    const loadedRows: string[] = []
    for await (const batch of result.rows()) loadedRows.push(...batch.map(String))
    await result.close()
    expect(loadedRows.toSorted()).toEqual(rows.map(({ row }) => row).toSorted())
  })
})

describe('a load in several commits', () => {
  const many = (key: string): string =>
    `CREATE TABLE ${schema}.t (id bigint ${key}, v text, n int NOT NULL); CREATE INDEX ON ${schema}.t (n);
     INSERT INTO ${schema}.t SELECT i, 'a', i / 7 FROM generate_series(1, 1000) i`

  it.each([
    { key: 'PRIMARY KEY', column: 'n', rule: 'merge' },
    { key: 'PRIMARY KEY', column: 'id', rule: 'key-order' },
    { key: 'NOT NULL', column: 'n', rule: 'held-back' },
  ])(
    'commits ranges that are final by $rule, and goes on behind the last one',
    async ({ key, column, rule }) => {
      await postgres.query(many(key))
      const cursor = { column, commitEveryRows: 300 }
      const stop = new AbortController()
      let rows = 0
      const stopped = await run({
        cursor,
        signal: stop.signal,
        onProgress: (event) => {
          if (event.kind === 'table-progress') rows = event.rows
          if (rows > 400) stop.abort()
        },
      })
      expect(stopped).toMatchObject({
        status: 'failed',
        error: { code: 'cancelled', hint: expect.stringContaining('go on behind') as unknown },
      })
      const before = (await lake('id')).length
      expect(before).toBeGreaterThan(0)
      const rest = await loaded({ cursor })
      expect(rest).toMatchObject({ increment: { rule, isFirst: false } })
      expect(rest.commits).toBeGreaterThan(1)
      expect(rest.rows).toBeLessThan(1000)
      await assertSame(rule === 'held-back' ? 'n < 142' : 'true')
    },
  )

  it('needs an index on its cursor', async () => {
    await postgres.query(keyed(schema))
    expect((await refused({ cursor: { column: 'at', commitEveryRows: 10 } })).message).toContain('index')
  })
})

describe('several tables', () => {
  it('become visible in one commit, or none does', async () => {
    await postgres.query(`${keyed(schema)}; CREATE TABLE ${schema}.u (id int); INSERT INTO ${schema}.u VALUES (1);
      CREATE TABLE ${schema}.bad (x numeric(4,2)); INSERT INTO ${schema}.bad VALUES ('NaN')`)
    const request = {
      sourceUrl: postgres.url,
      namespace: [schema],
      mode: 'create',
      transaction: true,
    } as const
    const failed = await lakehouse.load({ ...request, tables: [`${schema}.*`] })
    expect(failed.tables.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed'])
    const catalog = await lakehouse.catalog()
    expect(await catalog.listTables([schema])).toEqual([])
    const tables = [`${schema}.t`, { source: `${schema}.u`, name: 'other', properties: { x: 'y' } }]
    const report = await lakehouse.load({ ...request, tables })
    expect(report.tables.map(({ status }) => status)).toEqual(['loaded', 'loaded'])
    const { metadata } = await catalog.loadTable({ namespace: [schema], name: 'other' })
    expect(metadata.properties['x']).toBe('y')
    await assertSame()
  })

  it('load the columns and rows that are asked for, each as its entry says', async () => {
    await postgres.query(keyed(schema))
    await loaded({
      mode: 'create',
      tables: [`${schema}.*`, { source: `${schema}.t`, columns: ['id', 'v'], where: 'id <= 3 OR id = 9' }],
    })
    expect(await lake('*')).toHaveLength(4)
    expect((await refused({ mode: 'append', where: 'nonsense(' })).code).toBe('invalid-input')
    expect((await refused({ mode: 'append', columns: ['id', 'w'] })).message).toContain('w')
  })

  it('are reported when they are missing, beside those that are loaded', async () => {
    await postgres.query(keyed(schema))
    const { tables } = await lakehouse.load({
      sourceUrl: postgres.url,
      tables: [`${schema}.missing`, `${schema}.t`],
      namespace: [schema],
      mode: 'create',
    })
    expect(tables.map(({ status }) => status)).toEqual(['failed', 'loaded'])
  })
})
