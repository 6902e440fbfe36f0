import type { RestRequest } from './rest-transport.ts'

/** How an exchange failed, as far as it decides whether the request may be sent again. */
export type FailedExchange = {
  readonly status?: number
  /** An error in the form of the spec: the catalog itself has spoken, not a proxy before it. */
  readonly isFromCatalog?: boolean
  /** No answer: the request never left, nobody knows what became of it, or it took too long (as another would). */
  readonly network?: 'never-sent' | 'broken' | 'timed-out'
  readonly retryAfterMs?: number
}

const retryDelayMsMin = 100
const retryDelayMsMax = 10_000
/** A catalog that wants a longer pause gets its error passed on sooner. */
const retryAfterMsMax = 30_000

const passing: ReadonlySet<number> = new Set([502, 503, 504])

/**
 * Whether the same request may be sent again: it surely had no effect, it reads, or the catalog answers for its key.
 * Everything else would be done twice, or taken for a conflict with itself.
 */
export function isSafeToRepeat(request: RestRequest, failure: FailedExchange): boolean {
  const { status, network, isFromCatalog, retryAfterMs } = failure
  if ((retryAfterMs ?? 0) > retryAfterMsMax) return false
  if (network === 'never-sent' || status === 429) return true
  const isRepeatable = request.effect === 'read' || request.isKeyHonoured === true
  if (network === 'broken') return isRepeatable
  if (status === undefined) return false
  if (isRepeatable && passing.has(status)) return true
  // Spec: a catalog keeps no outcome of 5xx for a key.
  return request.isKeyHonoured === true && status === 500 && isFromCatalog === true
}

/** Doubles from attempt to attempt, spread over its upper half; what the catalog asks for counts more. */
export function retryDelayMs(attempt: number, retryAfterMs: number | undefined, random: number): number {
  const full = Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** (attempt - 1))
  return Math.max(retryAfterMs ?? 0, full * (0.5 + random / 2))
}
