import { FloeError } from '@floe/iceberg'
import type { ErrorCode, JsonValue } from '@floe/iceberg'

/** What a request does, as far as it decides what its failure means. */
export type RequestEffect =
  /** Changes nothing. */
  | 'read'
  /** Changes something; a failure of the server is an ordinary error. */
  | 'write'
  /** Makes table state visible: a failure of the server may stand after success. */
  | 'commit'

// Codes of undici, Node's sockets and TLS that can only come before a request is on its way.
const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** Whether a failed `fetch` failed before its request was on its way. */
export function wasNeverSent(error: unknown): boolean {
  const code = networkCode(error)
  return code !== undefined && neverSent.has(code)
}

/** What a failed `fetch` means: nothing has happened, or (after the request left) nobody knows. */
export function networkError(error: unknown, request: string, effect: RequestEffect): FloeError {
  const code = networkCode(error)
  const detail = code === undefined ? '' : ` (${code})`
  if (effect === 'read' || wasNeverSent(error)) {
    return new FloeError('unavailable', `${request} did not reach the catalog${detail}`, {
      hint: 'check that the catalog runs, and its uri',
      cause: error,
    })
  }
  return unknownOutcome(`${request} got no answer${detail}`, error)
}

export function unknownOutcome(message: string, cause?: unknown): FloeError {
  return new FloeError('commit-state-unknown', message, {
    hint: 'load the table and look whether the change is there before trying again',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** An error answer as a `FloeError`: by status, and by the spec's `type` where one status has two meanings. */
export function responseError(
  status: number,
  body: JsonValue | undefined,
  request: string,
  { effect, conflict }: { readonly effect: RequestEffect; readonly conflict?: ErrorCode },
): FloeError {
  const { message, type } = errorModel(body)
  const text = `${request} answered ${status}${message === undefined ? '' : `: ${message}`}`
  const code =
    effect === 'commit' && isUnknownAfterCommit(status, body)
      ? 'commit-state-unknown'
      : codeOf(status, type, conflict)
  if (code === 'commit-state-unknown') return unknownOutcome(text)
  const retryable = code === 'unavailable' || type === 'CommitFailedException'
  const hint = hints[code]
  return new FloeError(code, text, { retryable, ...(hint === undefined ? {} : { hint }) })
}

const hints: Partial<Record<ErrorCode, string>> = {
  'permission-denied': 'check the token of the catalog',
  unavailable: 'the catalog is busy or being started; try again',
  'commit-conflict': 'load the table and apply the change to what it is then',
  'not-found': 'check the name; it may have been dropped or renamed',
}

const unknownAfterCommit: ReadonlySet<number> = new Set([500, 502, 504])

/**
 * Spec `updateTable`: 500, 502 and 504 leave a commit in doubt, 503 says that the catalog was not ready for it. That is
 * the catalog's to say: a 503 without its error may come from a proxy that has passed the request on.
 */
function isUnknownAfterCommit(status: number, body: JsonValue | undefined): boolean {
  return unknownAfterCommit.has(status) || (status === 503 && !hasErrorModel(body))
}

/** The body is the spec's `IcebergErrorResponse`. */
export function hasErrorModel(body: JsonValue | undefined): boolean {
  return errorModel(body).type !== undefined
}

function codeOf(status: number, type: string | undefined, conflict: ErrorCode | undefined): ErrorCode {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return 'invalid-input'
    case 401:
    case 403:
    case 419:
      return 'permission-denied'
    case 404:
      return 'not-found'
    case 405:
    case 406:
    case 501:
      return 'unsupported'
    case 409:
      return conflictCodes[type ?? ''] ?? conflict ?? 'already-exists'
    case 429:
    case 502:
    case 503:
    case 504:
      return 'unavailable'
    case 507:
      return 'resource-exhausted'
    default:
      return 'internal'
  }
}

const conflictCodes: Readonly<Record<string, ErrorCode>> = {
  NamespaceNotEmptyException: 'invalid-input',
  AlreadyExistsException: 'already-exists',
  CommitFailedException: 'commit-conflict',
  ProtectedException: 'protected',
}

function errorModel(body: JsonValue | undefined): { message?: string; type?: string } {
  const error = member(body, 'error')
  const message = member(error, 'message')
  const type = member(error, 'type')
  return {
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof type === 'string' ? { type } : {}),
  }
}

function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return (value as Readonly<Record<string, JsonValue>>)[key]
}

/** undici reports the reason as `cause`, for several addresses as an `AggregateError` with a code of its own. */
function networkCode(error: unknown): string | undefined {
  let current = error
  while (current instanceof Error) {
    if ('code' in current && typeof current.code === 'string') return current.code
    current = current.cause
  }
  return undefined
}
