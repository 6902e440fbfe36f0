import { errorFromData, errorToData, toFloeError } from '@floe/iceberg/values'

import { loadTask } from './load-task.ts'
import type { RunOptions, TaskReference } from './task.ts'
import { cancelledError, inputError, resultError } from './task-error.ts'
import { transferOf } from './transferring.ts'

/**
 * Runs a task on the calling thread with the semantics of a pool: input, progress and result are cloned or moved, and
 * errors arrive as they do from a thread. Only the end of the thread after the grace is missing: a task that does not
 * listen to its signal runs to its end, and the call rejects then.
 */
export async function runInline<I, O, P = never>(
  task: TaskReference<I, O, P>,
  input: I,
  options: RunOptions<P> = {},
): Promise<O> {
  const { moduleUrl } = task
  const { signal, onProgress } = options
  if (signal?.aborted === true) throw cancelledError(moduleUrl, signal.reason)
  const controller = new AbortController()
  const ownInput = cloneInput(moduleUrl, input, options)
  const onAbort = (): void => controller.abort(cancelledError(moduleUrl, signal?.reason))
  const report = (value: P): void => {
    if (controller.signal.aborted) return
    try {
      onProgress?.(value)
    } catch (error) {
      controller.abort(toFloeError(error))
    }
  }
  // As from a thread, a report never runs inside of the task's own call of `progress`.
  let reported: Promise<void> = Promise.resolve()
  const progress = (value: unknown): void => {
    const copy: unknown = structuredClone(value)
    reported = reported.then(() => report(copy as P))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const run = await loadTask(moduleUrl)
    const value = await run(ownInput, { signal: controller.signal, progress })
    await reported
    controller.signal.throwIfAborted()
    return cloneResult(moduleUrl, value) as O
  } catch (error) {
    await reported
    controller.signal.throwIfAborted()
    throw errorFromData(errorToData(error))
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function cloneInput<I, P>(moduleUrl: string, input: I, { transfer = [] }: RunOptions<P>): I {
  try {
    return structuredClone(input, { transfer: [...transfer] })
  } catch (error) {
    throw inputError(moduleUrl, error)
  }
}

function cloneResult(moduleUrl: string, value: unknown): unknown {
  try {
    return structuredClone(value, { transfer: [...transferOf(value)] })
  } catch (error) {
    throw resultError(moduleUrl, error)
  }
}
