import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { FloeError } from '@floe/iceberg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Arithmetic, ArithmeticResult } from './fixtures/arithmetic.task.ts'
import type { ThreadAct } from './fixtures/thread.task.ts'
import { openPool, taskAt } from './index.ts'
import type { Pool, PoolSettings } from './index.ts'

const arithmetic = taskAt<Arithmetic, ArithmeticResult, number>(
  new URL('./fixtures/arithmetic.task.ts', import.meta.url),
)
const thread = taskAt<ThreadAct, number, string>(new URL('./fixtures/thread.task.ts', import.meta.url))

let directory: string
const opened: Pool[] = []

function pool(settings: Partial<PoolSettings> = {}): Pool {
  const made = openPool({ workers: 1, ...settings })
  opened.push(made)
  return made
}

/** A run with the moment at which its task has said that it works. */
function running(
  on: Pool,
  act: ThreadAct,
  signal?: AbortSignal,
): { result: Promise<number>; working: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const result = on.run(thread, act, {
    onProgress: () => resolve(),
    ...(signal === undefined ? {} : { signal }),
  })
  result.catch(() => {})
  return { result, working: promise }
}

async function failureOf(result: Promise<unknown>): Promise<FloeError> {
  const error = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(FloeError)
  return error as FloeError
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'floe-compute-'))
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((made) => made.close()))
  await rm(directory, { recursive: true })
})

describe('a call', () => {
  it('brings progress in order before the result', async () => {
    const values = Array.from({ length: 200 }, () => 1)
    const seen: number[] = []
    const result = await pool().run(
      arithmetic,
      { kind: 'sum', values },
      { onProgress: (total) => seen.push(total) },
    )
    expect(result).toEqual({ total: 200 })
    expect(seen).toEqual(values.map((_, index) => index + 1))
  })

  it('copies its input, unless it is moved', async () => {
    const on = pool()
    const kept = new Uint8Array(8)
    const moved = new Uint8Array(8)
    expect(await on.run(arithmetic, { kind: 'fill', bytes: kept, value: 3 })).toEqual({
      bytes: kept.map(() => 3),
    })
    expect([...kept]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    await on.run(arithmetic, { kind: 'fill', bytes: moved, value: 4 }, { transfer: [moved.buffer] })
    expect(moved.byteLength).toBe(0)
  })

  it('sees its input as it was when it was called, though no thread was free', async () => {
    const on = pool()
    const first = running(on, { kind: 'until-file', path: join(directory, 'go') })
    await first.working
    const values = [1, 2, 3]
    const second = on.run(arithmetic, { kind: 'sum', values })
    values.push(100)
    await writeFile(join(directory, 'go'), '')
    expect(await second).toEqual({ total: 6 })
    await first.result
  })

  it('reuses its thread', async () => {
    const on = pool()
    const ids = [await on.run(thread, { kind: 'id' }), await on.run(thread, { kind: 'id' })]
    expect(new Set(ids).size).toBe(1)
  })

  it('starts in the order of the calls', async () => {
    const on = pool()
    const order: number[] = []
    const call = async (value: number): Promise<void> => {
      await on.run(arithmetic, { kind: 'sum', values: [value] }, { onProgress: (total) => order.push(total) })
    }
    await Promise.all([1, 2, 3, 4, 5].map(call))
    expect(order).toEqual([1, 2, 3, 4, 5])
  })
})

describe('an error', () => {
  it('keeps code, message, hint and retryable across the thread', async () => {
    const error = await failureOf(pool().run(arithmetic, { kind: 'refuse', retryable: true }))
    expect(error).toMatchObject({
      code: 'commit-conflict',
      message: 'orders moved',
      hint: 'stage again',
      retryable: true,
    })
    expect(error.stack).toContain('arithmetic.task.ts')
  })

  it('names a task that cannot be loaded, and one without a function', async () => {
    const on = pool()
    const absent = await failureOf(on.run(taskAt(new URL('./fixtures/absent.task.ts', import.meta.url)), 1))
    expect(absent.message).toContain('absent.task.ts cannot be loaded')
    const empty = await failureOf(
      on.run(taskAt(new URL('./fixtures/no-default.task.ts', import.meta.url)), 1),
    )
    expect(empty.message).toContain('no-default.task.ts has no function')
  })

  it('is invalid-input for an input that cannot be cloned, and the thread stays free', async () => {
    const on = pool()
    const task = taskAt<unknown, ArithmeticResult>(arithmetic.moduleUrl)
    expect(await failureOf(on.run(task, { kind: 'sum', values: () => 1 }))).toMatchObject({
      code: 'invalid-input',
    })
    expect(await on.run(arithmetic, { kind: 'sum', values: [2] })).toEqual({ total: 2 })
  })

  it('thrown by onProgress cancels the task and is what the call rejects with', async () => {
    const on = pool()
    const mark = join(directory, 'mark')
    const result = on.run(
      thread,
      { kind: 'until-cancelled', mark },
      {
        onProgress: () => {
          throw new FloeError('resource-exhausted', 'the report is full')
        },
      },
    )
    expect(await failureOf(result)).toMatchObject({ code: 'resource-exhausted' })
    expect(existsSync(mark)).toBe(false)
  })
})

describe('cancelling', () => {
  it('lets the task clean up before the call rejects, and keeps the thread', async () => {
    const on = pool()
    const id = await on.run(thread, { kind: 'id' })
    const controller = new AbortController()
    const mark = join(directory, 'mark')
    const { result, working } = running(on, { kind: 'until-cancelled', mark }, controller.signal)
    await working
    expect(existsSync(mark)).toBe(true)
    controller.abort()
    expect(await failureOf(result)).toMatchObject({ code: 'cancelled' })
    expect(existsSync(mark)).toBe(false)
    expect(await on.run(thread, { kind: 'id' })).toBe(id)
  })

  it('rejects also when the task finishes after the signal', async () => {
    const controller = new AbortController()
    const { result, working } = running(pool(), { kind: 'finish-when-cancelled' }, controller.signal)
    await working
    controller.abort()
    expect(await failureOf(result)).toMatchObject({ code: 'cancelled' })
  })

  it('ends the thread of a task that does not listen, and the pool goes on with another', async () => {
    const on = pool({ cancelGraceMs: 20 })
    const id = await on.run(thread, { kind: 'id' })
    const controller = new AbortController()
    const { result, working } = running(on, { kind: 'spin' }, controller.signal)
    await working
    controller.abort()
    expect(await failureOf(result)).toMatchObject({ code: 'cancelled' })
    expect(await on.run(thread, { kind: 'id' })).not.toBe(id)
  })

  it('takes a waiting call out of the line without a touch to what runs', async () => {
    const on = pool()
    const first = running(on, { kind: 'until-file', path: join(directory, 'go') })
    await first.working
    const controller = new AbortController()
    const waiting = running(on, { kind: 'id' }, controller.signal)
    const last = running(on, { kind: 'id' })
    controller.abort()
    expect(await failureOf(waiting.result)).toMatchObject({ code: 'cancelled' })
    await writeFile(join(directory, 'go'), '')
    expect(await first.result).toBe(await last.result)
  })

  it('does not start a task that is cancelled while its thread starts', async () => {
    const controller = new AbortController()
    const mark = join(directory, 'mark')
    const on = pool()
    const { result } = running(on, { kind: 'until-cancelled', mark }, controller.signal)
    controller.abort()
    expect(await failureOf(result)).toMatchObject({ code: 'cancelled' })
    expect(existsSync(mark)).toBe(false)
    expect(await on.run(thread, { kind: 'id' })).toBeTypeOf('number')
  })

  it('does not start a call whose signal has fired', async () => {
    const mark = join(directory, 'mark')
    const result = pool().run(thread, { kind: 'until-cancelled', mark }, { signal: AbortSignal.abort() })
    expect(await failureOf(result)).toMatchObject({ code: 'cancelled' })
    expect(existsSync(mark)).toBe(false)
  })
})

describe('a thread that dies', () => {
  const deaths: readonly ThreadAct[] = [{ kind: 'exit', afterProgress: false }, { kind: 'throw-later' }]

  it.each(deaths)('by $kind fails its own call only, which names the task', async (act) => {
    const on = pool({ workers: 2 })
    const other = running(on, { kind: 'until-file', path: join(directory, 'go') })
    await other.working
    for (let round = 0; round < 3; round++) {
      const error = await failureOf(on.run(thread, act))
      expect(error.code).toBe('internal')
      expect(error.message).toContain('thread.task.ts')
    }
    await writeFile(join(directory, 'go'), '')
    expect(await other.result).toBeTypeOf('number')
    expect(await on.run(arithmetic, { kind: 'sum', values: [1] })).toEqual({ total: 1 })
  })

  it('does not take the calls that wait with it', async () => {
    const on = pool()
    const dying = on.run(thread, { kind: 'exit', afterProgress: false })
    const waiting = on.run(arithmetic, { kind: 'sum', values: [5] })
    expect(await failureOf(dying)).toMatchObject({ code: 'internal' })
    expect(await waiting).toEqual({ total: 5 })
  })

  it('has its last progress reported', async () => {
    const seen: string[] = []
    const act: ThreadAct = { kind: 'exit', afterProgress: true }
    await failureOf(pool().run(thread, act, { onProgress: (value) => seen.push(value) }))
    expect(seen).toEqual(['last words'])
  })

  it('of a full heap is resource-exhausted, and the pool goes on', async () => {
    const on = pool({ heapMaxMb: 32 })
    const error = await failureOf(on.run(thread, { kind: 'fill-heap' }))
    expect(error).toMatchObject({ code: 'resource-exhausted' })
    expect(error.message).toContain('thread.task.ts')
    expect(await on.run(arithmetic, { kind: 'sum', values: [1] })).toEqual({ total: 1 })
  })
})

describe('closing', () => {
  it('cancels what runs, lets it clean up and refuses later calls', async () => {
    const on = pool({ workers: 2 })
    const mark = join(directory, 'mark')
    const { result, working } = running(on, { kind: 'until-cancelled', mark })
    await working
    await on.close()
    expect(await failureOf(result)).toMatchObject({ code: 'cancelled' })
    expect(existsSync(mark)).toBe(false)
    expect(await failureOf(on.run(thread, { kind: 'id' }))).toMatchObject({ code: 'cancelled' })
    await on.close()
  })

  it('leaves no handle that keeps the process alive', async () => {
    const script = `
      import { openPool, taskAt } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const pool = openPool({ workers: 2, cancelGraceMs: 3600000 })
      const task = taskAt(${JSON.stringify(thread.moduleUrl)})
      const controller = new AbortController()
      const options = { signal: controller.signal, onProgress: () => controller.abort() }
      const cancelled = await pool.run(task, { kind: 'finish-when-cancelled' }, options).catch((error) => error.code)
      const id = await pool.run(task, { kind: 'id' })
      await pool.close()
      console.log(cancelled, typeof id)`
    const path = join(directory, 'main.mts')
    await writeFile(path, script)
    const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 50_000 })
    expect(stdout.trim()).toBe('cancelled number')
  })
})

it('refuses settings that make no pool', () => {
  for (const settings of [
    { workers: 0 },
    { workers: 1.5 },
    { workers: 1, heapMaxMb: 0 },
    { workers: 1, cancelGraceMs: -1 },
  ]) {
    expect(() => openPool(settings)).toThrowError(expect.objectContaining({ code: 'invalid-input' }))
  }
})
