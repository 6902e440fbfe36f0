import { FloeError } from '@floe/iceberg'
import { afterAll, expect, it } from 'vitest'

import type { Arithmetic, ArithmeticResult } from './fixtures/arithmetic.task.ts'
import type { ThreadAct } from './fixtures/thread.task.ts'
import { availableWorkers, openPool, runInline, taskAt } from './index.ts'
import type { Pool } from './index.ts'

const arithmetic = taskAt<Arithmetic, ArithmeticResult, number>(
  new URL('./fixtures/arithmetic.task.ts', import.meta.url),
)
const thread = taskAt<ThreadAct, number, string>(new URL('./fixtures/thread.task.ts', import.meta.url))
const pool = openPool({ workers: Math.min(2, availableWorkers()) })

afterAll(() => pool.close())

type Seen = {
  readonly outcome: unknown
  readonly progress: readonly unknown[]
  readonly movedInputBytes: number
}

async function seenBy(run: Pool['run'], input: Arithmetic, move: boolean): Promise<Seen> {
  const progress: number[] = []
  const bytes = input.kind === 'fill' ? input.bytes : new Uint8Array(1)
  const transfer = move && input.kind === 'fill' ? [bytes.buffer as ArrayBuffer] : []
  const outcome = await run(arithmetic, input, {
    onProgress: (value) => progress.push(value),
    transfer,
  }).catch((error: unknown) => {
    const { code, message, hint, retryable, cause } = error as FloeError
    return {
      isFloeError: error instanceof FloeError,
      code,
      message,
      hint,
      retryable,
      hasCause: cause !== undefined,
    }
  })
  return { outcome, progress, movedInputBytes: bytes.byteLength }
}

const cases: readonly (() => Arithmetic)[] = [
  () => ({ kind: 'sum', values: [1, 2, 3] }),
  () => ({ kind: 'sum', values: [] }),
  () => ({ kind: 'fill', bytes: new Uint8Array(4), value: 9 }),
  () => ({ kind: 'refuse', retryable: false }),
  () => ({ kind: 'throw' }),
  () => ({ kind: 'return-function' }),
  () => ({ kind: 'sum', values: (() => 1) as unknown as readonly number[] }),
]

it.each(
  cases.flatMap((input) => [
    { input, move: false },
    { input, move: true },
  ]),
)('gives what the pool gives: $input, moved: $move', async ({ input, move }) => {
  const onPool = await seenBy((...call) => pool.run(...call), input(), move)
  const inline = await seenBy(runInline, input(), move)
  expect(inline).toEqual(onPool)
})

it('rejects as cancelled when the task ends after the signal, as the pool does', async () => {
  for (const run of [runInline, pool.run.bind(pool)]) {
    const controller = new AbortController()
    const options = { signal: controller.signal, onProgress: () => controller.abort() }
    await expect(run(thread, { kind: 'finish-when-cancelled' }, options)).rejects.toMatchObject({
      code: 'cancelled',
    })
  }
})

it('does not start when the signal has fired', async () => {
  const signal = AbortSignal.abort()
  await expect(runInline(thread, { kind: 'id' }, { signal })).rejects.toMatchObject({ code: 'cancelled' })
})

it('rejects with what onProgress throws', async () => {
  const onProgress = (): never => {
    throw new FloeError('resource-exhausted', 'the report is full')
  }
  for (const run of [runInline, pool.run.bind(pool)]) {
    const call = run(arithmetic, { kind: 'sum', values: [1] }, { onProgress })
    await expect(call).rejects.toMatchObject({ code: 'resource-exhausted' })
  }
})
