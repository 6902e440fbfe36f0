import { FloeError } from '@floe/iceberg/values'
import type { ErrorCode } from '@floe/iceberg'

import { missingObject } from '../byte-range.ts'
import { cancelledError } from '../cancellation.ts'

const throttled = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
])
const refused = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'CredentialsProviderError',
])
const full = new Set(['QuotaExceeded', 'XMinioStorageFull', 'XAmzStorageFull', 'InsufficientStorage'])

/** HTTP status of a failed call, `undefined` when no answer came. */
export function statusOf(error: unknown): number | undefined {
  return metadataOf(error).httpStatusCode
}

/** How often the SDK sent the call that failed or gave this answer. */
export function attemptsOf(outcome: unknown): number {
  return metadataOf(outcome).attempts ?? 1
}

/** What a failed S3 call on `location` means to the caller. `action` reads "read", "write", ... */
export function s3Error(error: unknown, action: string, location: string, signal?: AbortSignal): FloeError {
  if (error instanceof FloeError) return error
  if (signal?.aborted === true) return cancelledError(location, error)
  const status = statusOf(error)
  const name = error instanceof Error ? error.name : 'Error'
  const what = `cannot ${action} ${location} (${name}${status === undefined ? '' : `, HTTP ${status}`})`
  const code = codeOf(name, status)
  if (code === 'not-found' && name !== 'NoSuchBucket') return missingObject(location, error)
  return new FloeError(code, what, {
    cause: error,
    hint: hints[code] ?? 'see the cause for what the server said',
  })
}

function codeOf(name: string, status: number | undefined): ErrorCode {
  if (throttled.has(name) || status === 429) return 'unavailable'
  // The object can be written: by another upload, from its start.
  if (name === 'NoSuchUpload') return 'unavailable'
  if (full.has(name) || status === 507) return 'resource-exhausted'
  if (refused.has(name) || status === 401 || status === 403) return 'permission-denied'
  if (status === 404) return 'not-found'
  if (status === 400) return 'invalid-input'
  // No status: the connection was refused, cut or too slow. 409: another conditional write was under way.
  if (status === undefined || status === 200 || status === 408 || status === 409 || status >= 500)
    return 'unavailable'
  return 'internal'
}

const hints: Partial<Record<ErrorCode, string>> = {
  'not-found': 'create the bucket, or correct its name',
  'permission-denied': 'check the access key, its policy on the bucket and the clock of this machine',
  'resource-exhausted': 'free space or raise the quota of the object store, then retry',
  unavailable: 'check that the endpoint answers, then retry',
  'invalid-input': 'check endpoint, region and path style of the S3 settings',
}

type Metadata = { readonly httpStatusCode?: number; readonly attempts?: number }

function metadataOf(outcome: unknown): Metadata {
  if (typeof outcome !== 'object' || outcome === null || !('$metadata' in outcome)) return {}
  return (outcome.$metadata ?? {}) as Metadata
}
