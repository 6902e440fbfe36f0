import { errorFromData, errorToData, FloeError, toFloeError } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'
import type { CatalogStore, RequestOutcome, RequestRecord } from './catalog-store.ts'

/** Failures that the same request would meet again: they are its outcome, as a success is. */
const lastingFailures: ReadonlySet<ErrorCode> = new Set([
  'invalid-input',
  'not-found',
  'already-exists',
  'commit-conflict',
  'unsupported',
])

/** What is kept of requests that came to an end. */
type FinishedRequests = Pick<CatalogStore, 'findRequest' | 'insertRequest'>

export type DoneOutcome = Extract<RequestOutcome, { kind: 'done' }>

/**
 * Does `work` for a request, or gives again what it came to before. A success is recorded by `rows.forRequest` in the
 * transaction that makes the change, so that a crash leaves both or neither.
 * @throws FloeError invalid-input when the key belongs to another request
 */
export async function runOnce<T>(
  rows: FinishedRequests,
  request: RequestRecord,
  work: () => Promise<T>,
  replay: (outcome: DoneOutcome) => Promise<T>,
): Promise<T> {
  const before = await findOutcome(rows, request)
  if (before !== undefined) return settle(before, replay)
  let result: T
  try {
    result = await work()
  } catch (error) {
    const meanwhile = await recordFailure(rows, request, error)
    if (meanwhile !== undefined) return settle(meanwhile, replay)
    throw error
  }
  // What changed no row is not recorded yet; done again later, it might change one. The change itself is done by now,
  // whatever becomes of its record.
  await rows.insertRequest(request, { kind: 'done' }).catch(() => undefined)
  return result
}

/**
 * The same request may have been here twice at once: then the other one's outcome is the outcome.
 * @throws FloeError commit-state-unknown when the store cannot be asked: what refused the request may be its own effect
 */
async function recordFailure(
  rows: FinishedRequests,
  request: RequestRecord,
  error: unknown,
): Promise<RequestOutcome | undefined> {
  const { code, retryable } = toFloeError(error)
  const isLasting = lastingFailures.has(code) && !retryable
  const meanwhile = await findOutcome(rows, request).catch((failure: unknown) => {
    if (toFloeError(failure).code === 'invalid-input') throw failure
    if (isLasting) throw unknownRefusal(failure)
    return undefined
  })
  if (meanwhile === undefined && isLasting)
    await rows.insertRequest(request, { kind: 'failed', error: withoutStack(error) }).catch(() => undefined)
  return meanwhile
}

function unknownRefusal(cause: unknown): FloeError {
  return new FloeError('commit-state-unknown', 'the request may have been done when it came before', {
    hint: 'send it again with the same idempotency key',
    cause,
  })
}

async function findOutcome(
  rows: FinishedRequests,
  { key, fingerprint }: RequestRecord,
): Promise<RequestOutcome | undefined> {
  const found = await rows.findRequest(key)
  if (found === undefined) return undefined
  if (found.fingerprint === fingerprint) return found.outcome
  throw new FloeError('invalid-input', 'the idempotency key belongs to another request', {
    hint: 'make a new key for each operation',
  })
}

async function settle<T>(outcome: RequestOutcome, replay: (outcome: DoneOutcome) => Promise<T>): Promise<T> {
  if (outcome.kind === 'failed') throw errorFromData(outcome.error)
  return replay(outcome)
}

function withoutStack(error: unknown): ReturnType<typeof errorToData> {
  const { stack: _, ...data } = errorToData(error)
  return data
}
