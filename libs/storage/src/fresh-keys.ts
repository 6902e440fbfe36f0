import { randomUUID } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'
import { errorFromData, errorToData, FloeError, toFloeError } from '@floe/iceberg/values'
import type { ErrorData } from '@floe/iceberg'

import type { S3Settings } from './object-store.ts'

// oxlint-disable unicorn/require-post-message-target-origin -- a channel between threads, not between windows

// Keys that a catalog vends end after an hour or less, and only the thread that has the catalog can get others.
// A channel that every thread of the process can open by its name carries the question and the answer.

type Question = { readonly kind: 'question'; readonly id: string; readonly prefix: string }
type Answer = { readonly kind: 'answer'; readonly id: string } & (
  | { readonly keys: S3Settings }
  | { readonly error: ErrorData }
)

/** How long somebody who asks waits for the catalog. */
const answerMsMax = 120_000

export type FreshKeys = {
  /** For `StoragePlace.renewal`. */
  readonly name: string
  close(): void
}

/** Answers every thread of this process that asks for fresh keys of a place. Keeps no process alive. */
export function serveFreshKeys(renew: (prefix: string) => Promise<S3Settings>): FreshKeys {
  const name = `floe-fresh-keys-${randomUUID()}`
  const channel = new BroadcastChannel(name)
  channel.unref()
  channel.onmessage = (event) => {
    const message = dataOf(event)
    if (message.kind !== 'question') return
    const { id, prefix } = message
    renew(prefix).then(
      (keys) => channel.postMessage({ kind: 'answer', id, keys } satisfies Answer),
      (error: unknown) =>
        channel.postMessage({ kind: 'answer', id, error: errorToData(toFloeError(error)) } satisfies Answer),
    )
  }
  return { name, close: () => channel.close() }
}

/** Asks the one who serves under `name`. @throws what that one failed with, `unavailable` when nobody answers */
export function askFreshKeys(name: string, prefix: string): Promise<S3Settings> {
  const channel = new BroadcastChannel(name)
  const id = randomUUID()
  const { promise, resolve, reject } = Promise.withResolvers<S3Settings>()
  channel.onmessage = (event) => {
    const message = dataOf(event)
    if (message.kind !== 'answer' || message.id !== id) return
    if ('keys' in message) resolve(message.keys)
    else reject(errorFromData(message.error))
  }
  const timer = setTimeout(() => {
    reject(
      new FloeError('unavailable', `nobody has answered with fresh keys for ${prefix}`, {
        retryable: true,
        hint: 'check that the catalog answers',
      }),
    )
  }, answerMsMax)
  channel.postMessage({ kind: 'question', id, prefix } satisfies Question)
  return promise.finally(() => {
    clearTimeout(timer)
    channel.close()
  })
}

function dataOf(event: unknown): Question | Answer {
  return (event as { readonly data: Question | Answer }).data
}
