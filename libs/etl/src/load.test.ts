import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPostgres } from '@floe/testing'
import { expect, it } from 'vitest'
import type { TableFailure } from './load-report.ts'
import { describeLoads } from './testing/load-contract.ts'

async function dataFilesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => name.endsWith('.parquet') || name.endsWith('.tmp')).toSorted()
}

describeLoads('local files', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-etl-'))
  return {
    warehouse: `file://${folder}`,
    storeSettings: {},
    dataFiles: () => dataFilesOf(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
})

it('is resource-exhausted with a hint when the file system takes no more, and leaves nothing', async () => {
  await using postgres = await startPostgres()
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-etl-'))
  // 5 MB that do not compress well, over a limit of 1 or 2 MiB (units of 512 or 1024 bytes, by the shell).
  await postgres.query(`CREATE SCHEMA shop; CREATE TABLE shop.noise AS
    SELECT i AS id, md5(i::text) || md5((-i)::text) || md5((i * 7)::text) AS text FROM generate_series(1, 100000) i`)
  const script = fileURLToPath(new URL('./fixtures/load-process.ts', import.meta.url))
  const words = ['-c', 'ulimit -f 2048 && exec "$@"', 'sh', process.execPath, script, postgres.url, folder]
  const limited = promisify(execFile)('sh', words)
  const failure = (await limited.catch((error: unknown) => error)) as {
    code: number
    stdout: string
    stderr: string
  }
  expect(failure.stdout, failure.stderr).not.toBe('')
  expect(failure.code).toBe(1)
  const error = JSON.parse(failure.stdout) as TableFailure['error']
  expect(error).toMatchObject({
    code: 'resource-exhausted',
    message: expect.stringMatching(/\.parquet \(EFBIG\)/) as unknown,
  })
  expect(error.hint).toContain('ulimit -f')
  const left = await readdir(path.join(folder, 'warehouse'), { recursive: true, withFileTypes: true })
  expect(left.filter((entry) => entry.isFile())).toEqual([])
  await rm(folder, { recursive: true, force: true })
})
