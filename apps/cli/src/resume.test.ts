import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runFloe } from './testing/run-floe.ts'

const rows = 600_000

let postgres: TestPostgres & AsyncDisposable
let cwd: string

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'floe-cli-resume-'))
  postgres = await startPostgres()
  await postgres.query(
    `CREATE TABLE ticks AS SELECT i AS id, md5(i::text) AS v FROM generate_series(1, ${rows}) i`,
  )
})
afterAll(async () => {
  await postgres.stop()
  await rm(cwd, { recursive: true, force: true })
})

async function checkpoints(): Promise<number> {
  const names = await readdir(cwd, { recursive: true })
  return names.filter((name) => /\/files-\d+-\d+-\d+\.json$/.test(name)).length
}

it('says what floe sync reuses of a load that was killed, and why another starts anew', async () => {
  await writeFile(
    path.join(cwd, 'floe.yaml'),
    `{ source: '${postgres.url}', namespace: lake, tables: [{ table: public.ticks,
       properties: { write.target-file-size-bytes: 200000 } }] }`,
  )
  let child: ChildProcess | undefined
  const killed = runFloe(['sync'], { cwd, detached: true, onStderr: (_, started) => (child = started) })
  while ((await checkpoints()) < 3) await delay(5)
  // The whole group: the command starts a Node of its own.
  process.kill(-(child?.pid ?? 0), 'SIGKILL')
  expect((await killed).code).toBeNull()

  const { code, stderr, stdout } = await runFloe(['sync', '--report', 'report.json', '--output', 'json'], {
    cwd,
  })
  expect([code, stderr]).toEqual([0, expect.stringContaining('goes on after a load that was killed')])
  expect(JSON.parse(stdout)).toMatchObject({ tables: [{ status: 'loaded', rows }] })
  const report = JSON.parse(await readFile(path.join(cwd, 'report.json'), 'utf8')) as {
    tables: { resume: { outcome: string; rows: number; chunks: number }; stats: { rows: number } }[]
  }
  const { resume, stats } = report.tables[0] ?? {}
  expect(resume).toMatchObject({ outcome: 'resumed', chunks: expect.any(Number) as unknown })
  expect((resume?.rows ?? 0) + (stats?.rows ?? 0)).toBe(rows)

  const counted = await runFloe(
    ['sql', 'SELECT count(*) AS n, count(DISTINCT id) AS d FROM lake.ticks', '--output', 'json'],
    { cwd },
  )
  expect(counted.stdout).toContain(String(rows))
  const filtered = await runFloe(
    [
      'load',
      '--from',
      postgres.url,
      '--table',
      'public.ticks',
      '--to',
      'lake',
      '--mode',
      'replace',
      '--where',
      'id < 10',
    ],
    { cwd },
  )
  expect(filtered.stderr).toContain('could not be resumed if it was killed: a condition chooses the rows')
}, 240_000)
