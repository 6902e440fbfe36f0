import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, positionDeleteFields, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const orders = { namespace: ['shop'], name: 'orders' }
/** Beyond 2^53. */
const first = 9_007_199_254_740_993n

let lake: Lake
let engine: Engine
let second: bigint
let filePath: string

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(orders, [field(1, 'id', 'long'), field(2, 'city', 'string')], {
    partitionSpec: {
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000, name: 'city', transform: { kind: 'identity' } }],
    },
  })
  await lake.commit(
    orders,
    [
      { rows: "SELECT 1::BIGINT AS id, 'Rome' AS city UNION ALL SELECT 2, 'Rome'", partition: ['Rome'] },
      { rows: "SELECT 3::BIGINT AS id, 'Oslo' AS city", partition: ['Oslo'] },
    ],
    { snapshotId: first },
  )
  await lake.evolve(orders, [field(1, 'id', 'long'), field(2, 'city', 'string'), field(3, 'note', 'string')])
  await lake.update(orders, [
    { action: 'set-snapshot-ref', refName: 'v1', ref: { snapshotId: first, type: 'tag', maxRefAgeMs: 5000 } },
    { action: 'set-snapshot-ref', refName: 'audit', ref: { snapshotId: first, type: 'branch' } },
  ])
  const written = await lake.commit(orders, [
    { rows: "SELECT 4::BIGINT AS id, 'Rome' AS city, NULL::VARCHAR AS note", partition: ['Rome'] },
  ])
  second = written.snapshotId
  filePath = written.files[0]?.filePath ?? ''
  await lake.commit(orders, [
    {
      rows: `SELECT '${filePath}' AS file_path, 0::BIGINT AS pos`,
      fields: positionDeleteFields,
      content: 'position-deletes',
      partition: ['Rome'],
    },
  ])
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const iso = (value: unknown): string => String(value)

describe('metadata tables', () => {
  it('show snapshots with ids beyond 2^53, and what each commit did', async () => {
    const rows = await rowsOf(
      engine,
      'SELECT snapshot_id, parent_id, operation FROM shop."orders$snapshots" ORDER BY committed_at',
    )
    expect(rows).toEqual([
      [first, null, 'append'],
      [Number(second), first, 'append'],
      [Number(second) + 1, Number(second), 'delete'],
    ])
  })

  it('show the history of main, and refs with their ages', async () => {
    const history = await rowsOf(engine, 'SELECT snapshot_id, is_current_ancestor FROM shop."orders$history"')
    expect(history.map(([id]) => id)).toEqual([first, Number(second), Number(second) + 1])
    expect(history.every(([, isAncestor]) => isAncestor === true)).toBe(true)
    const refs = await rowsOf(
      engine,
      'SELECT name, type, snapshot_id, max_reference_age_in_ms FROM shop."orders$refs" ORDER BY name',
    )
    expect(refs).toEqual([
      ['audit', 'BRANCH', first, null],
      ['main', 'BRANCH', Number(second) + 1, null],
      ['v1', 'TAG', first, 5000],
    ])
  })

  it('show files with partitions, counts, and bounds in words of their columns', async () => {
    const rows = await rowsOf(
      engine,
      `SELECT content, partition.city, record_count, lower_bounds[1], upper_bounds[1], readable_metrics->>'$.id.null_value_count'
       FROM shop."orders$files" ORDER BY content, partition.city, record_count`,
    )
    expect(rows).toEqual([
      [0, 'Oslo', 1, '3', '3', '0'],
      [0, 'Rome', 1, '4', '4', '0'],
      [0, 'Rome', 2, '1', '2', '0'],
      [1, 'Rome', 1, null, null, null],
    ])
    expect(await rowsOf(engine, 'SELECT count(*) FROM shop."orders$data_files"')).toEqual([[3]])
    expect(await rowsOf(engine, 'SELECT count(*) FROM shop."orders$delete_files"')).toEqual([[1]])
  })

  it('show entries with what they inherit from their manifests', async () => {
    const rows = await rowsOf(
      engine,
      `SELECT status, snapshot_id, sequence_number, data_file.record_count FROM shop."orders$entries" ORDER BY 3, 4`,
    )
    expect(rows).toEqual([
      [1, first, 1, 1],
      [1, first, 1, 2],
      [1, Number(second), 2, 1],
      [1, Number(second) + 1, 3, 1],
    ])
  })

  it('show manifests with the range of their partitions, and partitions with their totals', async () => {
    const manifests = await rowsOf(
      engine,
      `SELECT content, added_data_files_count, added_delete_files_count, partition_summaries[1].lower_bound,
         partition_summaries[1].upper_bound FROM shop."orders$manifests" ORDER BY sequence_number`,
    )
    expect(manifests).toEqual([
      [0, 2, 0, 'Oslo', 'Rome'],
      [0, 1, 0, 'Rome', 'Rome'],
      [1, 0, 1, 'Rome', 'Rome'],
    ])
    const partitions = await rowsOf(
      engine,
      `SELECT partition.city, record_count, file_count, position_delete_record_count, last_updated_snapshot_id
       FROM shop."orders$partitions" ORDER BY 1`,
    )
    expect(partitions).toEqual([
      ['Oslo', 1, 1, 0, first],
      ['Rome', 3, 2, 1, Number(second) + 1],
    ])
  })

  it('show an older version when one is named, if they are of one version', async () => {
    const sql = `SELECT count(*) FROM shop."orders$files" AT (VERSION => 'v1')`
    const { rows, result } = await readAll(engine, sql)
    expect(rows).toEqual([[2]])
    expect(result.references).toMatchObject([{ table: 'shop.orders$files', snapshotId: first, ref: 'v1' }])
    expect(
      await rowsOf(engine, `SELECT count(*) FROM shop."orders$manifests" FOR VERSION AS OF ${second}`),
    ).toEqual([[2]])
    await expect(
      engine.query(`SELECT * FROM shop."orders$snapshots" AT (VERSION => 'v1')`),
    ).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('of all versions list each manifest once', async () => {
    expect(
      await rowsOf(engine, 'SELECT count(*), count(DISTINCT path) FROM shop."orders$all_manifests"'),
    ).toEqual([[3, 3]])
    expect(await rowsOf(engine, 'SELECT count(*) FROM shop."orders$all_data_files"')).toEqual([[3]])
    expect(await rowsOf(engine, 'SELECT count(*) > 2 FROM shop."orders$metadata_log_entries"')).toEqual([
      [true],
    ])
  })

  it('have the spelling of Spark too, while no table has that name', async () => {
    expect(await rowsOf(engine, 'SELECT count(*) FROM shop.orders.files')).toEqual([[4]])
    expect(await rowsOf(engine, 'SELECT count(*) FROM orders.snapshots')).toEqual([[3]])
    await lake.createTable({ namespace: ['shop', 'orders'], name: 'refs' }, [field(1, 'own', 'int')])
    expect(await rowsOf(engine, 'SELECT own FROM shop.orders.refs')).toEqual([])
    await expect(engine.query('SELECT * FROM shop.orders.nothing')).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('join with tables, can be described, and open no data file', async () => {
    const joined = await readAll(
      engine,
      `SELECT s.operation, f.record_count FROM shop."orders$entries" e JOIN shop."orders$snapshots" s USING (snapshot_id)
       JOIN shop."orders$files" f ON f.file_path = e.data_file.file_path WHERE f.content = 1`,
    )
    expect(joined.rows).toEqual([['delete', 1]])
    expect(joined.result.pruning).toEqual([])
    const described = await rowsOf(
      engine,
      'SELECT column_name FROM (DESCRIBE SELECT * FROM shop."orders$refs")',
    )
    expect(described.map(iso)).toContain('name')
  })

  it('of a table without data are empty', async () => {
    await lake.createTable({ namespace: ['shop'], name: 'fresh' }, [field(1, 'id', 'int')])
    for (const name of ['snapshots', 'history', 'files', 'entries', 'manifests', 'partitions', 'all_files'])
      expect(await rowsOf(engine, `SELECT * FROM shop."fresh$${name}"`)).toEqual([])
  })

  it('are made only as far as a LIMIT reaches', async () => {
    expect(await rowsOf(engine, 'SELECT file_path IS NOT NULL FROM shop."orders$files" LIMIT 1')).toEqual([
      [true],
    ])
  })
})
