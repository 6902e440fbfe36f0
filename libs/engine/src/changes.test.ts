import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { DataFile } from '@floe/iceberg'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, positionDeleteFields, readAll, rowsOf } from './lake-fixture.ts'
import type { CommitOptions, FileDefinition, Lake } from './lake-fixture.ts'

const orders = { namespace: ['shop'], name: 'orders' }
const fields = [field(1, 'id', 'int'), field(2, 'city', 'string')]
/** Beyond 2^53. */
const base = 9_007_199_254_740_993n

let lake: Lake
let engine: Engine
let step = 0n

const rows = (...ids: readonly number[]): FileDefinition => ({
  rows: `SELECT unnest([${ids.join(', ')}])::INTEGER AS id, 'Rome' AS city`,
})
const positions = (file: DataFile | undefined, ...at: readonly number[]): FileDefinition => ({
  rows: `SELECT '${file?.filePath ?? ''}' AS file_path, unnest([${at.join(', ')}])::BIGINT AS pos`,
  content: 'position-deletes',
  fields: positionDeleteFields,
})
async function commit(
  definitions: readonly FileDefinition[],
  options: CommitOptions = {},
): Promise<readonly DataFile[]> {
  const { files } = await lake.commit(orders, definitions, { snapshotId: base + step++, ...options })
  return files
}

/** Snapshots: 0 appends 1 to 4, 1 deletes 2 by position, 2 appends 5 and deletes 3 by key, 3 overwrites, 4 compacts. */
beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(orders, fields)
  const [first] = await commit([rows(1, 2, 3, 4)])
  await commit([positions(first, 1)])
  const [second] = await commit([
    rows(5),
    {
      rows: 'SELECT 3::INTEGER AS id',
      content: 'equality-deletes',
      equalityIds: [1],
      fields: [field(1, 'id', 'int')],
    },
  ])
  await commit([rows(4, 6)], { removed: [first?.filePath ?? ''] })
  await commit([rows(5)], { removed: [second?.filePath ?? ''], operation: 'replace' })
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const all = 'SELECT _change_ordinal, _change_type, id FROM shop."orders$changes"'

describe('changes of a table', () => {
  it('are the rows that appends, deletes and overwrites inserted and deleted, and none of a compaction', async () => {
    expect(await rowsOf(engine, `${all} ORDER BY ALL`)).toEqual([
      [0, 'insert', 1],
      [0, 'insert', 2],
      [0, 'insert', 3],
      [0, 'insert', 4],
      [1, 'delete', 2],
      [2, 'delete', 3],
      [2, 'insert', 5],
      [3, 'delete', 1],
      [3, 'delete', 4],
      [3, 'insert', 4],
      [3, 'insert', 6],
    ])
  })

  it('name the snapshot, whose id loses no digit', async () => {
    const sql = `SELECT _commit_snapshot_id, count(*) FROM shop.orders.changes GROUP BY ALL ORDER BY 1`
    expect(await rowsOf(engine, sql)).toEqual([
      [base, 4],
      [base + 1n, 1],
      [base + 2n, 2],
      [base + 3n, 4],
    ])
  })

  it('summed up are the rows of the table', async () => {
    const sum = `SELECT id, city, sum(CASE _change_type WHEN 'insert' THEN 1 ELSE -1 END) AS n
      FROM shop."orders$changes" GROUP BY ALL HAVING n <> 0 ORDER BY ALL`
    expect(await rowsOf(engine, sum)).toEqual(
      await rowsOf(engine, 'SELECT id, city, 1 FROM shop.orders ORDER BY ALL'),
    )
  })

  it.each([
    [`_commit_snapshot_id = ${base + 1n}`, [[1, 'delete', 2]]],
    [
      "_change_ordinal > 2 AND _change_type = 'insert'",
      [
        [3, 'insert', 4],
        [3, 'insert', 6],
      ],
    ],
    [
      "_change_type = 'delete' AND id IN (1, 2)",
      [
        [1, 'delete', 2],
        [3, 'delete', 1],
      ],
    ],
    ['id > 100', []],
    ["_change_type = 'update'", []],
  ])('are filtered by %s', async (condition, expected) => {
    expect(await rowsOf(engine, `${all} WHERE ${condition} ORDER BY ALL`)).toEqual(expected)
  })

  it('end at the version that is asked for', async () => {
    const sql = `${all} AT (VERSION => ${base + 1n}) ORDER BY ALL`
    expect((await rowsOf(engine, sql)).length).toBe(5)
  })

  it('show the columns of the table first', async () => {
    const { result } = await readAll(engine, 'SELECT * FROM shop."orders$changes" LIMIT 1')
    expect(result.columns.map(({ name }) => name)).toEqual([
      'id',
      'city',
      '_change_type',
      '_change_ordinal',
      '_commit_snapshot_id',
    ])
  })

  it('of a table without data are none', async () => {
    await lake.createTable({ namespace: ['shop'], name: 'empty' }, fields)
    expect(await rowsOf(engine, 'SELECT * FROM shop."empty$changes"')).toEqual([])
  })
})
