import { FloeError } from '@floe/iceberg/values'

import { taskName } from './task.ts'

export function cancelledError(moduleUrl: string, cause?: unknown): FloeError {
  return new FloeError('cancelled', `task ${taskName(moduleUrl)} was cancelled`, { cause })
}

/** An input that structured clone refuses: a function, a class with private state, a buffer that has moved. */
export function inputError(moduleUrl: string, cause: unknown): FloeError {
  return new FloeError('invalid-input', `the input of task ${taskName(moduleUrl)} cannot cross threads`, {
    hint: 'give plain data: no functions, no class instances, no moved buffers',
    cause,
  })
}

/** A result that structured clone refuses. */
export function resultError(moduleUrl: string, cause: unknown): FloeError {
  return new FloeError('internal', `the result of task ${taskName(moduleUrl)} cannot cross threads`, {
    hint: 'return plain data, and mark each buffer to move once',
    cause,
  })
}

/** The death of a thread, seen from the call that it took along. */
export function threadError(moduleUrl: string, cause: unknown): FloeError {
  const task = taskName(moduleUrl)
  if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new FloeError('resource-exhausted', `task ${task} ran out of heap`, {
      hint: 'raise heapMaxMb of the pool, or give the task less at a time',
      cause,
    })
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new FloeError('internal', `the thread of task ${task} ended: ${reason}`, { cause })
}
