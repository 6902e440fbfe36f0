import { FloeError } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'

const codes: Readonly<Record<string, ErrorCode>> = {
  EntityNotFoundException: 'not-found',
  AlreadyExistsException: 'already-exists',
  ConcurrentModificationException: 'commit-conflict',
  InvalidInputException: 'invalid-input',
  ValidationException: 'invalid-input',
  AccessDeniedException: 'permission-denied',
  UnrecognizedClientException: 'permission-denied',
  InvalidSignatureException: 'permission-denied',
  ExpiredTokenException: 'permission-denied',
  GlueEncryptionException: 'permission-denied',
  CredentialsProviderError: 'permission-denied',
  ResourceNumberLimitExceededException: 'resource-exhausted',
  ThrottlingException: 'unavailable',
  OperationTimeoutException: 'unavailable',
  ResourceNotReadyException: 'unavailable',
}

const hints: Partial<Record<ErrorCode, string>> = {
  'permission-denied': 'check the AWS credentials, and what their policy and Lake Formation allow',
  'resource-exhausted': 'remove old table versions, or ask AWS for a higher limit',
  unavailable: 'check region and endpoint of Glue, then retry',
  'invalid-input': 'Glue takes names of lower case letters, digits and underscores',
}

/** The name of the exception that Glue answered with, if it did. */
export function exceptionName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined
}

/** Whether the SDK has sent the request once only: then its answer is about nothing else. */
export function wasSentOnce(error: unknown): boolean {
  return (metadataOf(error).attempts ?? 1) === 1
}

/**
 * What a failed request means. After a `change` that Glue did not refuse (a broken connection, a 5xx) nobody knows
 * whether it has happened.
 */
export function glueError(error: unknown, action: string, effect: 'read' | 'change'): FloeError {
  if (error instanceof FloeError) return error
  const name = exceptionName(error) ?? 'Error'
  const status = metadataOf(error).httpStatusCode
  const code = codes[name] ?? codeOf(status)
  const message = `Glue cannot ${action} (${name}${status === undefined ? '' : `, HTTP ${status}`})`
  // Credentials are looked for before a request is sent.
  const isInDoubt = effect === 'change' && code === 'unavailable' && name !== 'ThrottlingException'
  if (isInDoubt) {
    return new FloeError('commit-state-unknown', message, {
      hint: 'look whether the change is there before trying again',
      cause: error,
    })
  }
  const hint = hints[code]
  return new FloeError(code, message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

function codeOf(status: number | undefined): ErrorCode {
  if (status === undefined || status === 429 || status >= 500) return 'unavailable'
  if (status === 401 || status === 403) return 'permission-denied'
  return status === 400 ? 'invalid-input' : 'internal'
}

type Metadata = { readonly httpStatusCode?: number; readonly attempts?: number }

function metadataOf(error: unknown): Metadata {
  if (!(error instanceof Error) || !('$metadata' in error)) return {}
  return (error.$metadata ?? {}) as Metadata
}
