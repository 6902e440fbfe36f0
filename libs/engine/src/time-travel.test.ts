import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const table = { namespace: ['ns'], name: 't' }
/** Neighbours beyond 2^53, which are one number to a double. */
const first = 9_007_199_254_740_993n
const second = 9_007_199_254_740_994n
const third = 9_223_372_036_854_775_806n

let lake: Lake
let engine: Engine
let firstTime: number
let thirdTime: number

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(table, [field(1, 'id', 'int')])
  await lake.commit(table, [{ rows: 'SELECT 1 AS id' }], { snapshotId: first })
  firstTime = lake.clock.nowMs
  await lake.evolve(table, [field(1, 'ident', 'int'), field(2, 'note', 'string')])
  await lake.commit(table, [{ rows: "SELECT 2 AS ident, 'b' AS note" }], { snapshotId: second })
  await lake.update(table, [
    { action: 'set-snapshot-ref', refName: 'v 1.0', ref: { snapshotId: first, type: 'tag' } },
    { action: 'set-snapshot-ref', refName: 'dev', ref: { snapshotId: first, type: 'branch' } },
  ])
  await lake.commit(table, [{ rows: "SELECT 30 AS ident, 'side' AS note" }], {
    snapshotId: 77n,
    branch: 'dev',
  })
  await lake.commit(table, [{ rows: "SELECT 3 AS ident, 'c' AS note" }], { snapshotId: third })
  thirdTime = lake.clock.nowMs
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const iso = (ms: number): string => new Date(ms).toISOString()

describe('AT (VERSION => ...)', () => {
  it('tells snapshot ids beyond 2^53 apart', async () => {
    const one = await readAll(engine, `SELECT * FROM ns.t AT (VERSION => ${first})`)
    expect(one.rows).toEqual([[1]])
    expect(one.result.references).toEqual([{ table: 'ns.t', snapshotId: first, timestampMs: firstTime }])
    expect(await rowsOf(engine, `SELECT count(*) FROM ns.t AT (VERSION => ${second})`)).toEqual([[2]])
    expect(await rowsOf(engine, `SELECT count(*) FROM ns.t AT (VERSION => ${third})`)).toEqual([[3]])
  })

  it('shows the schema of the snapshot, and the current one for a branch', async () => {
    const old = await readAll(engine, `SELECT * FROM ns.t AT (VERSION => ${first})`)
    expect(old.result.columns.map(({ name }) => name)).toEqual(['id'])
    const tag = await readAll(engine, "SELECT * FROM ns.t AT (VERSION => 'v 1.0')")
    expect(tag.result.columns.map(({ name }) => name)).toEqual(['id'])
    expect(tag.result.references[0]).toMatchObject({ snapshotId: first, ref: 'v 1.0' })
    const branch = await readAll(engine, "SELECT * FROM ns.t AT (VERSION => 'dev') ORDER BY ident")
    expect(branch.result.columns.map(({ name }) => name)).toEqual(['ident', 'note'])
    expect(branch.rows).toEqual([
      [1, null],
      [30, 'side'],
    ])
  })

  it('names what it cannot find', async () => {
    await expect(engine.query('SELECT * FROM ns.t AT (VERSION => 5)')).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining(String(third)),
    })
    await expect(engine.query("SELECT * FROM ns.t AT (VERSION => 'nope')")).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('nope'),
    })
    await expect(engine.query('SELECT * FROM ns.t AT (VERSION => 1.5)')).rejects.toMatchObject({
      code: 'invalid-input',
    })
    await expect(engine.query('SELECT * FROM ns.t AT (VERSION => (SELECT 1))')).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })
})

describe('AT (TIMESTAMP => ...)', () => {
  it('takes times as text, with zones, and as expressions', async () => {
    const count = async (at: string): Promise<unknown> =>
      (await rowsOf(engine, `SELECT count(*) FROM ns.t AT (TIMESTAMP => ${at})`))[0]?.[0]
    expect(await count(`'${iso(firstTime)}'`)).toBe(1)
    expect(await count(`TIMESTAMP '${iso(firstTime).slice(0, 19)}'`)).toBe(1)
    expect(await count(`'${iso(firstTime).slice(0, 19)}+00'::TIMESTAMPTZ + INTERVAL 90 SECOND`)).toBe(2)
    expect(await count('now()')).toBe(3)
  })

  it('follows the history of main, not the heads of side branches', async () => {
    const rows = await rowsOf(
      engine,
      `SELECT * FROM ns.t AT (TIMESTAMP => '${iso(thirdTime - 30_000)}') ORDER BY 1`,
    )
    expect(rows.map(([ident]) => ident)).toEqual([1, 2])
  })

  it('refuses the future and times before the first snapshot', async () => {
    await expect(
      engine.query('SELECT * FROM ns.t AT (TIMESTAMP => now() + INTERVAL 1 DAY)'),
    ).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('future'),
    })
    await expect(engine.query("SELECT * FROM ns.t AT (TIMESTAMP => '2001-01-01')")).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(engine.query("SELECT * FROM ns.t AT (TIMESTAMP => 'soon')")).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })
})

describe('several versions in one query', () => {
  it('joins a table with itself at two versions', async () => {
    const sql = `SELECT n.ident FROM ns.t n LEFT JOIN ns.t o AT (VERSION => ${first}) ON o.id = n.ident WHERE o.id IS NULL ORDER BY 1`
    const { rows, result } = await readAll(engine, sql)
    expect(rows).toEqual([[2], [3]])
    expect(result.references.map(({ snapshotId }) => snapshotId)).toEqual([third, first])
  })

  it('takes versions in subqueries and expressions with WITH', async () => {
    const sql = `WITH old AS (SELECT * FROM ns.t AT (VERSION => ${first})) SELECT count(*), (SELECT count(*) FROM ns.t) FROM old`
    expect(await rowsOf(engine, sql)).toEqual([[1, 3]])
    await expect(
      engine.query('WITH old AS (SELECT 1) SELECT * FROM old AT (VERSION => 1)'),
    ).rejects.toMatchObject({ code: 'invalid-input' })
  })
})

describe('the spelling of Trino and Spark', () => {
  it('reads FOR VERSION AS OF and FOR TIMESTAMP AS OF, with aliases behind', async () => {
    expect(await rowsOf(engine, `SELECT o.id FROM ns.t FOR VERSION AS OF ${first} AS o`)).toEqual([[1]])
    expect(await rowsOf(engine, `SELECT o.id FROM ns.t FOR VERSION AS OF 'v 1.0' o WHERE o.id = 1`)).toEqual([
      [1],
    ])
    const time = iso(firstTime).replace('T', ' ').slice(0, 19)
    expect(
      await rowsOf(engine, `SELECT * FROM ns.t FOR TIMESTAMP AS OF TIMESTAMP '${time}' WHERE id = 1`),
    ).toEqual([[1]])
    expect(await rowsOf(engine, `SELECT count(*) FROM ns.t FOR SYSTEM_TIME AS OF '${time}'`)).toEqual([[1]])
  })

  it('reads VERSION AS OF and TIMESTAMP AS OF without FOR, also with a snapshot id in quotes', async () => {
    expect(await rowsOf(engine, `SELECT o.id FROM ns.t VERSION AS OF '${first}' o`)).toEqual([[1]])
    expect(await rowsOf(engine, "SELECT id FROM ns.t VERSION AS OF 'v 1.0' WHERE id = 1")).toEqual([[1]])
    const time = iso(firstTime).replace('T', ' ').slice(0, 19)
    expect(await rowsOf(engine, `SELECT id FROM ns.t TIMESTAMP AS OF '${time}'`)).toEqual([[1]])
    expect(
      await rowsOf(engine, `(SELECT id FROM ns.t TIMESTAMP AS OF CAST('${time}' AS TIMESTAMP))`),
    ).toEqual([[1]])
    const later = `TIMESTAMP '${time}' + INTERVAL '70' SECOND`
    expect(await rowsOf(engine, `SELECT count(*) FROM ns.t FOR TIMESTAMP AS OF ${later} AS o`)).toEqual([[2]])
    expect(
      await rowsOf(engine, `SELECT count(*) FROM ns.t FOR TIMESTAMP AS OF (now() - INTERVAL 0 DAY)`),
    ).toEqual([[3]])
    const behind = `SELECT n.note, o.id FROM ns.t VERSION AS OF ${first} AS o LEFT JOIN ns.t AS n ON n.ident = o.id + 1`
    expect(await rowsOf(engine, behind)).toEqual([['b', 1]])
  })

  it('reads branches, tags, ids and times from the name behind a table', async () => {
    expect(await rowsOf(engine, 'SELECT ident FROM ns.t.branch_dev ORDER BY 1')).toEqual([[1], [30]])
    expect(await rowsOf(engine, 'SELECT id FROM ns.t."tag_v 1.0"')).toEqual([[1]])
    expect(await rowsOf(engine, `SELECT id FROM ns.t.snapshot_id_${first}`)).toEqual([[1]])
    expect(await rowsOf(engine, `SELECT id FROM ns.t.at_timestamp_${firstTime}`)).toEqual([[1]])
    await expect(
      engine.query(`SELECT * FROM ns.t.branch_dev AT (VERSION => ${first})`),
    ).rejects.toMatchObject({
      code: 'invalid-input',
    })
    await expect(engine.query('SELECT * FROM ns.t.branch_none')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('leaves texts, names and comments alone', async () => {
    const sql = `SELECT 'x FOR VERSION AS OF 1' AS "FOR VERSION AS OF 2" /* FOR VERSION AS OF 3 */ -- FOR VERSION AS OF 4`
    const { rows, result } = await readAll(engine, sql)
    expect(rows).toEqual([['x FOR VERSION AS OF 1']])
    expect(result.columns[0]?.name).toBe('FOR VERSION AS OF 2')
  })
})
