import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openQueryProgress } from './query-progress.ts'
import { runFloe } from './testing/run-floe.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-sql-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('floe sql', () => {
  it('prints the time of each stage after the rows, and stdout stays the rows', async () => {
    const args = ['sql', 'SELECT i FROM range(3) t(i)', '--profile', '--output', 'csv']
    const { stdout, stderr, code } = await runFloe(args, { cwd: folder })
    expect({ stdout, code }).toEqual({ stdout: 'i\n0\n1\n2\n', code: 0 })
    expect(stderr.split('\n').map((line) => line.replace(/[\d.]+ ms$/, 'ms').trim())).toEqual(
      [
        'bind             ms',
        'plan             ms',
        'open files       ms',
        'first rows       ms',
        'other rows       ms',
        'total            ms',
        '3 rows of 0 files',
        '',
      ].map((line) => expect.stringMatching(new RegExp(`^${line.replace(/ {2,}/, ' +')}$`))),
    )
  })

  it('ends at Ctrl-C while it streams, with the exit code of a cancelled command', async () => {
    const sql = 'SELECT i FROM range(100000000000) t(i)'
    let hasStopped = false
    const { code, stdout, stderr } = await runFloe(['sql', sql, '--output', 'csv'], {
      cwd: folder,
      onStdout: (text, child) => {
        if (hasStopped || text.length < 100_000) return
        hasStopped = true
        child.kill('SIGINT')
      },
    })
    expect(code).toBe(130)
    expect(stdout.startsWith('i\n0\n1\n')).toBe(true)
    expect(stderr).toContain('cancelled')
  })
})

describe('the progress of a query', () => {
  function terminal(isTTY: boolean): NodeJS.WriteStream {
    return Object.assign(new PassThrough(), { isTTY, columns: 80 }) as unknown as NodeJS.WriteStream
  }

  async function* batches(): AsyncGenerator<readonly number[]> {
    for (let at = 0; at < 8; at++) {
      await sleep(100)
      yield [1, 2, 3]
    }
  }

  it('names the stage and counts rows on a terminal, and is gone at the end', async () => {
    const stream = terminal(true)
    {
      using progress = openQueryProgress(stream)
      progress.begin('plan')
      await sleep(500)
      progress.begin('run')
      expect((await Array.fromAsync(progress.count(batches()))).length).toBe(8)
    }
    const shown = String((stream as unknown as PassThrough).read())
    expect(shown).toContain('planning files, 0.')
    expect(shown).toMatch(/running, \d\.\d s, \d+ rows/)
    expect(shown.endsWith('\r\u001b[K')).toBe(true)
  })

  it('is silent where no terminal is', async () => {
    const stream = terminal(false)
    using progress = openQueryProgress(stream)
    expect((await Array.fromAsync(progress.count(batches()))).length).toBe(8)
    expect((stream as unknown as PassThrough).read()).toBe(null)
  })
})
