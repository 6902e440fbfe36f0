import { FloeError } from '@floe/iceberg'
import { expect, it } from 'vitest'
import type { FinishedRequest, RequestRecord } from './catalog-store.ts'
import { runOnce } from './run-once.ts'

const request: RequestRecord = { key: 'k', fingerprint: 'create t', nowMs: 0, forgetBeforeMs: 0 }
const taken = new FloeError('already-exists', 'Table already exists: t')
const lost = new FloeError('unavailable', 'the connection was cut', { retryable: true })

/** Keeps outcomes, and cannot be asked while `isLost`. */
class Requests {
  isLost = false
  readonly outcomes = new Map<string, FinishedRequest>()

  async findRequest(key: string): Promise<FinishedRequest | undefined> {
    if (this.isLost) throw lost
    return this.outcomes.get(key)
  }

  async insertRequest(
    { key, fingerprint }: RequestRecord,
    outcome: FinishedRequest['outcome'],
  ): Promise<void> {
    if (this.isLost) throw lost
    this.outcomes.set(key, { fingerprint, outcome })
  }
}

it('does not say that a request is refused when it may itself have made what refuses it', async () => {
  const requests = new Requests()
  const refused = async (): Promise<string> => {
    // The first try of the request has been committed meanwhile, and connections are cut.
    requests.outcomes.set('k', { fingerprint: 'create t', outcome: { kind: 'done' } })
    requests.isLost = true
    throw taken
  }
  const replay = async (): Promise<string> => 'as before'
  const error = runOnce(requests, request, refused, replay)
  await expect(error).rejects.toMatchObject({ code: 'commit-state-unknown', cause: lost })
  requests.isLost = false
  expect(await runOnce(requests, request, refused, replay)).toBe('as before')
})

it('gives the outcome of the try that came first when both were here at once', async () => {
  const requests = new Requests()
  const refused = async (): Promise<string> => {
    requests.outcomes.set('k', { fingerprint: 'create t', outcome: { kind: 'done' } })
    throw taken
  }
  expect(await runOnce(requests, request, refused, async () => 'as before')).toBe('as before')
})

it('keeps a refusal, and gives it again', async () => {
  const requests = new Requests()
  const refused = (): Promise<string> => Promise.reject(taken)
  const replay = async (): Promise<string> => 'as before'
  await expect(runOnce(requests, request, refused, replay)).rejects.toThrow(taken)
  const made = async (): Promise<string> => 'made'
  await expect(runOnce(requests, request, made, replay)).rejects.toMatchObject({ code: 'already-exists' })
})
