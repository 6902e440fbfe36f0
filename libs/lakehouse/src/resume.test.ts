import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResumeReport, TableFailure, TableLoad } from '@floe/etl'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Lakehouse } from './lakehouse.ts'
import type { LoadOptions } from './lakehouse.ts'
import { readSettings } from './settings.ts'

const killedLoad = fileURLToPath(new URL('./fixtures/killed-load.ts', import.meta.url))
const tableRows = 120_000

let folder: string
let lakehouse: Lakehouse
let postgres: TestPostgres & AsyncDisposable
let schemas = 0
let schema: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-resume-'))
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
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)))
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
async function leftovers(): Promise<readonly string[]> {
  const all = (await readdir(folder, { recursive: true })).filter((name) => name.includes(`/${schema}/`))
  const result = await lakehouse.query(`SELECT file_path FROM ${schema}."t$files"`)
  const live = new Set<string>()
  for await (const batch of result.rows()) for (const [file] of batch) live.add(path.basename(String(file)))
  await result.close()
  return all.filter((name) => /\.parquet$|\/plan-|\/files-/.test(name) && !live.has(path.basename(name)))
}

describe('a load that was killed', () => {
  it('is resumed: finished chunks are not read again, and nothing is left of it', async () => {
    const whole = await loaded({ tables: [`${schema}.t`], namespace: [schema, 'whole'] })
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
})
