import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

import { errorFromData, toFloeError } from '@floe/iceberg/values'
import type { Piscina } from 'piscina'

import type { RunOptions } from './task.ts'
import { cancelledError, inputError, resultError, threadError } from './task-error.ts'
import type { CallerMessage, ThreadMessage } from './task-message.ts'
import type { TaskCall } from './task-thread.ts'

/** One call of a task on a thread of the pool, from the caller's side. */
export class TaskRun {
  readonly #moduleUrl: string
  readonly #cancelGraceMs: number
  readonly #onProgress: ((value: never) => void) | undefined
  readonly #port: MessagePort
  readonly #threadPort: MessagePort
  readonly #kill = new AbortController()
  readonly #outcome: PromiseWithResolvers<unknown> = Promise.withResolvers()
  #begun = false
  #settled = false
  #cancelled: Error | undefined
  #graceTimer: NodeJS.Timeout | undefined

  /**
   * Takes the input at once, since the caller may change it while the call waits for a thread.
   * @throws `invalid-input` when the input cannot be cloned
   */
  constructor(moduleUrl: string, input: unknown, options: RunOptions, cancelGraceMs: number) {
    this.#moduleUrl = moduleUrl
    this.#cancelGraceMs = cancelGraceMs
    this.#onProgress = options.onProgress
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#threadPort = port2
    try {
      this.#send({ kind: 'input', input }, options)
    } catch (error) {
      port1.close()
      throw inputError(moduleUrl, error)
    }
    port1.on('message', (message: ThreadMessage) => this.#receive(message))
    port1.on('messageerror', (error) => this.#reject(resultError(moduleUrl, error)))
  }

  /** Gives the call to a thread. Resolves, whatever the outcome, when the thread can take another. */
  async begin(threads: Piscina): Promise<void> {
    if (this.#settled) return
    this.#begun = true
    const call: TaskCall = { moduleUrl: this.#moduleUrl, port: this.#threadPort }
    try {
      await threads.run(call, { transferList: [this.#threadPort], signal: this.#kill.signal })
    } catch (error) {
      this.#threadEnded(error)
    }
  }

  /** Resolves or rejects after the task has ended, or its thread has; then nothing of the call is left. */
  async outcome(): Promise<unknown> {
    try {
      const value = await this.#outcome.promise
      if (this.#cancelled !== undefined) throw this.#cancelled
      return value
    } catch (error) {
      throw this.#cancelled ?? error
    } finally {
      clearTimeout(this.#graceTimer)
      this.#port.close()
    }
  }

  /** Asks the task to stop, and ends its thread after the grace. A call that still waits for a thread ends at once. */
  cancel(reason: unknown): void {
    this.#stop(cancelledError(this.#moduleUrl, reason))
  }

  #stop(error: Error): void {
    if (this.#settled || this.#cancelled !== undefined) return
    this.#cancelled = error
    if (!this.#begun) return this.#reject(error)
    this.#send({ kind: 'cancel' })
    this.#graceTimer = setTimeout(() => this.#kill.abort(), this.#cancelGraceMs)
  }

  #send(message: CallerMessage, { transfer = [] }: RunOptions = {}): void {
    this.#port.postMessage(message, [...transfer])
  }

  #receive(message: ThreadMessage): void {
    switch (message.kind) {
      case 'progress':
        return this.#report(message.value)
      case 'result':
        this.#settled = true
        return this.#outcome.resolve(message.value)
      case 'error':
        return this.#reject(errorFromData(message.error))
    }
  }

  #report(value: unknown): void {
    if (this.#cancelled !== undefined) return
    try {
      this.#onProgress?.(value as never)
    } catch (error) {
      this.#stop(toFloeError(error))
    }
  }

  /** The thread is gone, but what it sent before is still in the port and comes first. */
  #threadEnded(error: unknown): void {
    for (
      let left = receiveMessageOnPort(this.#port);
      left !== undefined;
      left = receiveMessageOnPort(this.#port)
    ) {
      this.#receive(left.message as ThreadMessage)
    }
    this.#reject(threadError(this.#moduleUrl, error))
  }

  #reject(error: Error): void {
    this.#settled = true
    this.#outcome.reject(error)
  }
}
