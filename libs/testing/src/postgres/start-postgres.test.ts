import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FloeError } from '@floe/iceberg'
import { startPostgres } from './start-postgres.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-start-postgres-'))
  await chmod(folder, 0o755)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('starts, answers in UTF8 and leaves no folder behind', async () => {
  const dataDirectory = path.join(folder, 'temporary')
  const postgres = await startPostgres({ dataDirectory, settings: { work_mem: '7MB' } })
  const rows = await postgres.query('SELECT $1::text AS text, current_setting($2) AS memory', [
    'ž🐘',
    'work_mem',
  ])
  expect(rows).toEqual([{ text: 'ž🐘', memory: '7MB' }])
  await postgres.stop()
  await postgres.stop()
  expect(existsSync(dataDirectory)).toBe(false)
})

it('takes a persistent cluster up again, past a lock of a server that was killed', async () => {
  const dataDirectory = path.join(folder, 'kept')
  {
    await using first = await startPostgres({ dataDirectory, persistent: true })
    await first.query('CREATE TABLE kept AS SELECT 42 AS v')
    const error = await startPostgres({ dataDirectory, persistent: true }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FloeError)
    expect(error).toMatchObject({ code: 'already-exists' })
  }
  await writeFile(
    path.join(dataDirectory, 'postmaster.pid'),
    `${process.pid}\n${dataDirectory}\n0\n1\n\n127.0.0.1\n`,
  )
  await using second = await startPostgres({ dataDirectory, persistent: true })
  expect(await second.query('SELECT v FROM kept')).toEqual([{ v: 42 }])
})

it('keeps its cluster where the server may go when the folder asked for is closed to it', async () => {
  const closed = path.join(folder, 'closed')
  const first = await startPostgres({ dataDirectory: path.join(closed, 'cluster'), persistent: true })
  await first.query('CREATE TABLE kept AS SELECT 1 AS v')
  await first.stop()
  await chmod(closed, 0o700)
  await using second = await startPostgres({ dataDirectory: path.join(closed, 'cluster'), persistent: true })
  expect(await second.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await second.stop()
  if (second.dataDirectory !== path.join(closed, 'cluster'))
    await rm(second.dataDirectory, { recursive: true })
})
