import { spawn } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defaultWorkers, inspectTable, Lakehouse, readSettings } from '@floe/lakehouse'
import { seededRandom, startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'

const floe = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url))
/** Kills of one run; the long run sets more. */
const kills = Number(process.env['FLOE_TEST_KILLS'] ?? '10')
const seed = Number(process.env['FLOE_TEST_SEED'] ?? '20260214')
const rowsPerLoad = 60_000

let postgres: TestPostgres & AsyncDisposable
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-kill-'))
  postgres = await startPostgres()
  await postgres.query(
    `CREATE TABLE public.ticks AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, ${rowsPerLoad}) i`,
  )
})
afterAll(async () => {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Starts an append in a process of its own, and kills it after `ms` unless it has ended. Says whether it ended well. */
function appendAndKill(ms: number): Promise<'ended' | 'killed'> {
  return loadAndKill(['--table', 'public.ticks', '--mode', 'append'], ms)
}

async function loadAndKill(flags: readonly string[], ms: number): Promise<'ended' | 'killed'> {
  const args = [floe, 'load', '--from', postgres.url, '--to', 'lake', ...flags]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const first = await Promise.race([ended, delay(ms, 'late' as const)])
  if (first === 0) return 'ended'
  expect(first, 'a load that nobody killed must not fail').toBe('late')
  child.kill('SIGKILL')
  await ended
  return 'killed'
}

async function readBack(): Promise<{ rows: number; snapshots: number }> {
  await using lakehouse = new Lakehouse(readSettings({}, {}, folder, defaultWorkers()))
  const catalog = await lakehouse.catalog()
  const identifier = { namespace: ['lake'], name: 'ticks' }
  const inspection = await inspectTable(catalog, lakehouse.store, identifier)
  const { rows: files } = await inspection.files()
  for (const [file] of files) await access(String(file).replace('file://', ''))
  const result = await lakehouse.query('SELECT count(*), count(DISTINCT id) FROM lake.ticks')
  let counts: readonly unknown[] = []
  for await (const [row] of result.rows()) if (row !== undefined) counts = row
  await result.close()
  expect(counts[1]).toBe(rowsPerLoad)
  return { rows: Number(counts[0]), snapshots: inspection.snapshots().rows.length }
}

it(
  `leaves the old snapshot or the new one at every kill -9 (seed ${seed}, ${kills} kills)`,
  async () => {
    const random = seededRandom(seed)
    await using lakehouse = new Lakehouse(readSettings({}, {}, folder, defaultWorkers()))
    await lakehouse.load({
      sourceUrl: postgres.url,
      tables: ['public.ticks'],
      namespace: ['lake'],
      mode: 'create',
    })
    let acknowledged = 1
    let unknown = 0
    for (let kill = 0; kill < kills; kill++) {
      // A load takes about two seconds, most of it start-up: the draws reach into every phase of it.
      const outcome = await appendAndKill(400 + random() * 2600)
      if (outcome === 'ended') acknowledged++
      else unknown++
      const { rows, snapshots } = await readBack()
      expect(rows).toBe(snapshots * rowsPerLoad)
      expect(snapshots).toBeGreaterThanOrEqual(acknowledged)
      expect(snapshots).toBeLessThanOrEqual(acknowledged + unknown)
    }
  },
  Math.max(600_000, kills * 60_000),
)

it(
  `goes on behind the last commit of an incremental load at every kill -9 (seed ${seed}, ${kills} kills)`,
  async () => {
    const random = seededRandom(seed)
    await postgres.query(`CREATE TABLE public.steps (id bigint PRIMARY KEY, text text NOT NULL)`)
    const flags = [
      '--table',
      'public.steps',
      '--mode',
      'incremental',
      '--cursor',
      'id',
      '--commit-every',
      '2000',
    ]
    let loaded = 0
    for (let kill = 0; kill < kills; kill++) {
      await postgres.query(
        `INSERT INTO public.steps SELECT i, md5(i::text) FROM generate_series(${kill * 10_000 + 1}, ${(kill + 1) * 10_000}) i`,
      )
      await loadAndKill(flags, 600 + random() * 4000)
      const [rows = 0, distinct = 0, newest = 0] = await countSteps()
      // Keys come in order, each once: what is there is the beginning of the source, and never less than before.
      expect([rows, newest]).toEqual([distinct, distinct])
      expect(rows).toBeGreaterThanOrEqual(loaded)
      loaded = rows
    }
    expect(await loadAndKill(flags, 600_000)).toBe('ended')
    expect(await countSteps()).toEqual([kills * 10_000, kills * 10_000, kills * 10_000])
  },
  Math.max(600_000, kills * 60_000),
)

async function countSteps(): Promise<readonly number[]> {
  await using lakehouse = new Lakehouse(readSettings({}, {}, folder, defaultWorkers()))
  const catalog = await lakehouse.catalog()
  if ((await catalog.listNamespaces()).length === 0) return [0, 0, 0]
  if (!(await catalog.listTables(['lake'])).some(({ name }) => name === 'steps')) return [0, 0, 0]
  const result = await lakehouse.query(
    'SELECT count(*), count(DISTINCT id), coalesce(max(id), 0) FROM lake.steps',
  )
  let counts: readonly unknown[] = []
  for await (const [row] of result.rows()) if (row !== undefined) counts = row
  await result.close()
  return counts.map(Number)
}
