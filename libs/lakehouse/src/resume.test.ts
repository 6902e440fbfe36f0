import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResumeReport, TableFailure, TableLoad } from '@floe/etl'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Lakehouse } from './lakehouse.ts'
import type { LoadOptions } from './lakehouse.ts'
import { readSettings } from './settings.ts'

const killedLoad = fileURLToPath(new URL('./fixtures/killed-load.ts', import.meta.url))
const tableRows = 120_000
/** Each test starts processes. */
vi.setConfig({ testTimeout: 240_000 })

let folder: string
let lakehouse: Lakehouse
let postgres: TestPostgres & AsyncDisposable
let schemas = 0
let schema: string
let child: ChildProcess | undefined

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-resume-'))
  lakehouse = new Lakehouse(readSettings({}, {}, folder, 2))
  postgres = await startPostgres()
})
afterAll(async () => {
  child?.kill('SIGKILL')
  await lakehouse.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  schema = `s${++schemas}`
  await postgres.query(`CREATE SCHEMA ${schema}`)
  await makeTable('t')
})

/** About 13 MB in chunks of 1 MiB; rows in the order of their ids. */
async function makeTable(name: string): Promise<void> {
  await postgres.query(
    `CREATE TABLE ${schema}.${name} AS SELECT i AS id, md5(i::text) || md5((-i)::text) AS v
     FROM generate_series(1, ${tableRows}) i`,
  )
}

function options(changes: Partial<LoadOptions> = {}): LoadOptions {
  return {
    sourceUrl: postgres.url,
    tables: [`${schema}.t`],
    namespace: [schema],
    mode: 'create',
    properties: { 'write.target-file-size-bytes': '300000' },
    ...changes,
  }
}

/** A load in a process of its own, ended by SIGKILL when `checkpoints` of it are durable. */
async function kill(changes: Partial<LoadOptions> = {}, checkpoints = 4): Promise<void> {
  const slow = { limits: { batchRowsMax: 1_000 }, ...changes }
  const args = [killedLoad, folder, String(checkpoints), JSON.stringify(options(slow))]
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  child = started
  const signal = await new Promise((resolve) => started.once('close', (_, by) => resolve(by)))
  expect(signal).toBe('SIGKILL')
}

async function run(changes: Partial<LoadOptions> = {}): Promise<TableLoad | TableFailure> {
  const { tables } = await lakehouse.load(options(changes))
  const [table] = tables
  if (table === undefined || table.status === 'planned') throw new Error('nothing was loaded')
  return table
}

async function loaded(changes: Partial<LoadOptions> = {}): Promise<TableLoad> {
  const table = await run(changes)
  if (table.status === 'failed') throw new Error(`${table.error.message}: ${table.error.hint}`)
  return table
}

function resumed({ resume }: TableLoad): Extract<ResumeReport, { outcome: 'resumed' }> {
  if (resume.outcome !== 'resumed') throw new Error(JSON.stringify(resume))
  return resume
}

/** Row for row, each with the number of times it is there. */
async function expectSourceRows(name = 't', columns = 'id, v'): Promise<void> {
  const digest = `count(*) AS a, count(DISTINCT id) AS b, md5(string_agg(concat_ws(',', ${columns}), ';' ORDER BY id)) AS c`
  const [expected = {}] = await postgres.query(`SELECT ${digest} FROM ${schema}.${name}`)
  const result = await lakehouse.query(`SELECT ${digest} FROM ${schema}.${name}`)
  const found: (readonly unknown[])[] = []
  for await (const batch of result.rows()) found.push(...batch)
  await result.close()
  expect(found[0]?.map(String)).toEqual(Object.values(expected).map(String))
}

/** Data files and states of loads that are in no table. */
async function leftovers(tables: readonly string[] = ['t']): Promise<readonly string[]> {
  const all = (await readdir(folder, { recursive: true })).filter((name) => name.includes(`/${schema}/`))
  const live = new Set<string>()
  for (const table of tables) {
    const result = await lakehouse.query(`SELECT file_path FROM ${schema}."${table}$files"`)
    for await (const batch of result.rows()) for (const [file] of batch) live.add(path.basename(String(file)))
    await result.close()
  }
  return all.filter((name) => /\.parquet$|\/plan-|\/files-/.test(name) && !live.has(path.basename(name)))
}

describe('a load that was killed', () => {
  it('is resumed: finished chunks are not read again, and nothing is left of it', async () => {
    const whole = await loaded({ tables: [`${schema}.t`], namespace: [`${schema}_whole`] })
    expect(whole.resume).toEqual({ outcome: 'not-needed' })
    await kill()
    const result = await loaded()
    const { chunks, rows, files, changedChunks } = resumed(result)
    expect([chunks, files, changedChunks]).toEqual([expect.any(Number), expect.any(Number), 0])
    expect(chunks).toBeGreaterThanOrEqual(4)
    expect(result.rows).toBe(tableRows)
    expect(result.stats.rows).toBe(tableRows - rows)
    expect(result.stats.wireBytes / whole.stats.wireBytes).toBeCloseTo(1 - rows / tableRows, 1)
    await expectSourceRows()
    expect(await leftovers()).toEqual([])
  })

  it('reads again what was updated, deleted and inserted since, also where old places are used again', async () => {
    await kill({}, 6)
    // Of finished chunks one loses a row, one gains one in a place that another had, one has a row changed.
    await postgres.query(`DELETE FROM ${schema}.t WHERE id IN (5, ${tableRows - 5})`)
    await postgres.query(`VACUUM ${schema}.t`)
    await postgres.query(
      `INSERT INTO ${schema}.t VALUES (-1, 'in the place of 5'), (-2, 'in the place of another')`,
    )
    await postgres.query(`UPDATE ${schema}.t SET v = 'changed' WHERE id = ${tableRows / 2}`)
    await postgres.query(`DELETE FROM ${schema}.t WHERE id = 30000`)
    const { rows } = await loaded()
    expect(rows).toBe(tableRows - 1)
    await expectSourceRows()
    expect(await leftovers()).toEqual([])
  })

  it('is not mistaken by a row that took the place of a deleted one, the count being the same', async () => {
    await kill({}, 1)
    await postgres.query(`DELETE FROM ${schema}.t WHERE id IN (1, 2, 3)`)
    await postgres.query(`VACUUM ${schema}.t`)
    const inserted = await postgres.query<{ ctid: string }>(
      `INSERT INTO ${schema}.t SELECT -i, 'new' FROM generate_series(1, 3) i RETURNING ctid::text`,
    )
    expect(inserted.map(({ ctid }) => ctid)).toEqual(['(0,1)', '(0,2)', '(0,3)'])
    await loaded()
    await expectSourceRows()
  })

  it.each([
    ['rewritten', 'VACUUM FULL $'],
    [
      'emptied and filled again',
      `TRUNCATE $; INSERT INTO $ SELECT i, 'again' FROM generate_series(1, ${tableRows}) i`,
    ],
  ])('starts anew when the table was %s, and says so', async (_, sql) => {
    await kill()
    for (const statement of sql.split('; ')) await postgres.query(statement.replaceAll('$', `${schema}.t`))
    const { resume, stats } = await loaded()
    expect(resume).toEqual({
      outcome: 'anew',
      reason: expect.stringContaining('have changed since') as unknown,
    })
    expect(stats.rows).toBe(tableRows)
    await expectSourceRows()
    expect(await leftovers()).toEqual([])
  })

  it('keeps what a transaction that was under way is not part of, and reads again what it may have written', async () => {
    const writer = await postgres.openSession()
    await writer.query(`BEGIN; UPDATE ${schema}.t SET v = 'uncommitted' WHERE id = 1; SAVEPOINT s;
      UPDATE ${schema}.t SET v = 'in a subtransaction' WHERE id = 2`)
    await kill({}, 5)
    await writer.query('COMMIT')
    await writer.end()
    const { changedChunks } = resumed(await loaded())
    expect(changedChunks).toBeGreaterThanOrEqual(1)
    await expectSourceRows()
  })

  it.each<[string, Partial<LoadOptions>]>([
    ['columns, schema', { columns: ['id'] }],
    ['partitioning, sort order', { partitionBy: 'bucket(2, id)', sortBy: 'id desc' }],
  ])('starts anew with another plan, and says what differs: %s', async (parts, changes) => {
    await kill()
    const { resume, stats } = await loaded(changes)
    expect(resume).toMatchObject({ outcome: 'anew' })
    expect(resume).toHaveProperty('reason', expect.stringContaining(`another plan: ${parts}`))
    expect(stats.rows).toBe(tableRows)
    await expectSourceRows('t', changes.columns === undefined ? 'id, v' : 'id')
    // The table is made: what died making it can never go on.
    expect(await leftovers()).toEqual([])
  })

  it('begins anew when it is asked to', async () => {
    await kill()
    const result = await loaded({ resume: false })
    expect(result).toMatchObject({ stats: { rows: tableRows }, resume: { outcome: 'impossible' } })
    await expectSourceRows()
    expect(await leftovers()).toEqual([])
  })

  it('goes on however often it is killed, from one table to all of its partitions, in every mode', async () => {
    await postgres.query(`DROP TABLE ${schema}.t; CREATE TABLE ${schema}.t (id int, v text) PARTITION BY LIST (abs(id % 3));
      ${[0, 1, 2].map((part) => `CREATE TABLE ${schema}.t${part} PARTITION OF ${schema}.t FOR VALUES IN (${part});`).join('')}
      INSERT INTO ${schema}.t SELECT i, md5(i::text) || md5((-i)::text) FROM generate_series(1, ${tableRows}) i`)
    const create = {
      partitionBy: 'truncate(100000, id)',
      properties: { 'write.target-file-size-bytes': '60000' },
    }
    await kill(create, 2)
    await kill(create, 4)
    await kill(create, 6)
    await postgres.query(`TRUNCATE ${schema}.t2`)
    resumed(await loaded(create))
    await expectSourceRows()
    const replace = { ...create, mode: 'replace' as const }
    await kill(replace, 4)
    await postgres.query(`INSERT INTO ${schema}.t SELECT -i, 'more' FROM generate_series(1, 100) i`)
    resumed(await loaded(replace))
    await expectSourceRows()
  })

  it('appends once, and not again what a load has finished that was not killed', async () => {
    await loaded()
    await kill({ mode: 'append' }, 3)
    resumed(await loaded({ mode: 'append' }))
    const { resume, rows } = await loaded({ mode: 'append' })
    expect([resume, rows]).toEqual([{ outcome: 'not-needed' }, tableRows])
    const result = await lakehouse.query(`SELECT count(*), count(DISTINCT id) FROM ${schema}.t`)
    for await (const batch of result.rows()) expect(batch[0]?.map(Number)).toEqual([3 * tableRows, tableRows])
    await result.close()
  })

  it('is resumed table by table in a transaction', async () => {
    await makeTable('u')
    const transaction = { tables: [`${schema}.t`, `${schema}.u`], transaction: true }
    // All of the first table, some of the second.
    await kill(transaction, 14)
    const { tables } = await lakehouse.load(options(transaction))
    const results = tables.map((table) => (table.status === 'loaded' ? resumed(table) : undefined))
    expect(results[0]?.rows).toBe(tableRows)
    expect(results[1]?.rows).toBeGreaterThan(0)
    await expectSourceRows('t')
    await expectSourceRows('u')
    expect(await leftovers(['t', 'u'])).toEqual([])
  })
})

describe('a load that could not be resumed', () => {
  it.each<[string, string, Partial<LoadOptions>]>([
    ['a condition chooses', '', { where: 'id > 10' }],
    ['view has no row versions', 'ALTER TABLE $ RENAME TO base; CREATE VIEW $ AS TABLE #.base', {}],
    ['materialized-view', 'ALTER TABLE $ RENAME TO base; CREATE MATERIALIZED VIEW $ AS TABLE #.base', {}],
    ['column k shows names', `ALTER TABLE $ ADD k regclass`, {}],
  ])('says why: %s', async (reason, sql, changes) => {
    const statements = sql.replaceAll('$', `${schema}.t`).replaceAll('#', schema)
    if (statements !== '') await postgres.query(statements)
    const result = await loaded(changes)
    expect(result.resume).toEqual({
      outcome: 'impossible',
      reason: expect.stringContaining(reason) as unknown,
    })
  })
})

describe('removeOrphans', () => {
  const days = (count: number): { olderThanMs: number } => ({ olderThanMs: count * 86_400_000 })

  it('leaves what a killed load has finished for the next one, and removes it when the retention is over', async () => {
    await loaded()
    await kill({ mode: 'append' }, 3)
    const identifier = { namespace: [schema], name: 't' }
    const kept = await lakehouse.removeOrphans({ identifier, ...days(1) })
    expect(kept.orphans).toEqual([])
    expect(kept.tooYoung).toBeGreaterThan(3)
    resumed(await loaded({ mode: 'append' }))
    await kill({ mode: 'append' }, 3)
    // Everything is older than a moment that lies ahead.
    const { orphans } = await lakehouse.removeOrphans({ identifier, olderThanMs: -60_000 })
    expect(orphans.length).toBeGreaterThan(3)
    expect((await loaded({ mode: 'append' })).resume).toMatchObject({ outcome: 'not-needed' })
    expect(await leftovers()).toEqual([])
  })
})
