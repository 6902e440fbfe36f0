import { receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

import { errorToData } from '@floe/iceberg/values'

import { loadTask } from './load-task.ts'
import { cancelledError, resultError } from './task-error.ts'
import type { CallerMessage, ThreadMessage } from './task-message.ts'
import { transferOf } from './transferring.ts'

export type TaskCall = { readonly moduleUrl: string; readonly port: MessagePort }

/** Only reads the code of a task, so that its first call finds it. */
export type TaskPreparation = { readonly moduleUrl: string; readonly port?: undefined }

/**
 * Runs one call on a worker thread. Progress and result share one port, which keeps them in order; the pool's own
 * answer says only that the thread is free.
 */
export default async function runOnThread({ moduleUrl, port }: TaskCall | TaskPreparation): Promise<void> {
  if (port === undefined) {
    await loadTask(moduleUrl)
    return
  }
  const controller = new AbortController()
  const send = (message: ThreadMessage, value?: unknown): void =>
    port.postMessage(message, [...transferOf(value)])
  const receive = (message: CallerMessage): void => {
    if (message.kind === 'input') input = message.input
    else controller.abort(cancelledError(moduleUrl))
  }
  let input: unknown
  try {
    // What was sent before the thread got the call, the input at least, is read now and not in a later turn.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      receive(next.message as CallerMessage)
    }
    port.on('message', receive)
    const task = await loadTask(moduleUrl)
    controller.signal.throwIfAborted()
    const progress = (value: unknown): void => send({ kind: 'progress', value })
    const value = await task(input, { signal: controller.signal, progress })
    try {
      send({ kind: 'result', value }, value)
    } catch (error) {
      throw resultError(moduleUrl, error)
    }
  } catch (error) {
    send({ kind: 'error', error: errorToData(error) })
  } finally {
    port.removeAllListeners('message')
  }
}
