/**
 * What a reader of an error should do, one code per reaction. The code is API, the message is not.
 * `commit-state-unknown` is never retried blindly and never triggers cleanup: the commit may have happened.
 */
export type ErrorCode =
  | 'invalid-input'
  | 'not-found'
  | 'already-exists'
  | 'commit-conflict'
  | 'commit-state-unknown'
  | 'protected'
  | 'unavailable'
  | 'corrupt-data'
  | 'unsupported'
  | 'permission-denied'
  | 'resource-exhausted'
  | 'cancelled'
  | 'internal'

type Reaction = { readonly httpStatus: number; readonly exitCode: number }

/** HTTP status and process exit code of every error code: the only such table. */
export const errorReactions: Readonly<Record<ErrorCode, Reaction>> = {
  'invalid-input': { httpStatus: 400, exitCode: 2 },
  'not-found': { httpStatus: 404, exitCode: 3 },
  'already-exists': { httpStatus: 409, exitCode: 4 },
  'commit-conflict': { httpStatus: 409, exitCode: 5 },
  'commit-state-unknown': { httpStatus: 500, exitCode: 6 },
  unavailable: { httpStatus: 503, exitCode: 7 },
  'corrupt-data': { httpStatus: 500, exitCode: 8 },
  unsupported: { httpStatus: 406, exitCode: 9 },
  'permission-denied': { httpStatus: 403, exitCode: 10 },
  'resource-exhausted': { httpStatus: 507, exitCode: 11 },
  cancelled: { httpStatus: 499, exitCode: 130 },
  protected: { httpStatus: 409, exitCode: 12 },
  internal: { httpStatus: 500, exitCode: 1 },
}

export type FloeErrorOptions = {
  /** What the reader can do about it, as one sentence. */
  readonly hint?: string
  /** True when the same call may succeed later without any change. */
  readonly retryable?: boolean
  readonly cause?: unknown
}

/** The one error class. Names what failed and where in `message`, what to do in `hint`; never row values. */
export class FloeError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: FloeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'FloeError'
    this.code = code
    this.hint = options.hint
    this.retryable = options.retryable ?? code === 'unavailable'
  }
}

/** A `FloeError` as plain data: structured clone drops class and fields, so threads exchange this. */
export type ErrorData = {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly retryable: boolean
  readonly stack?: string
}

/** Turns anything thrown into data; what is not a `FloeError` becomes `internal`. */
export function errorToData(error: unknown): ErrorData {
  const floe = toFloeError(error)
  return {
    code: floe.code,
    message: floe.message,
    retryable: floe.retryable,
    ...(floe.hint === undefined ? {} : { hint: floe.hint }),
    ...(floe.stack === undefined ? {} : { stack: floe.stack }),
  }
}

export function errorFromData(data: ErrorData): FloeError {
  const { code, message, hint, retryable, stack } = data
  const error = new FloeError(code, message, { retryable, ...(hint === undefined ? {} : { hint }) })
  if (stack !== undefined) error.stack = stack
  return error
}

/** `error` itself when it is a `FloeError`, else an `internal` one that carries it as cause. */
export function toFloeError(error: unknown): FloeError {
  if (error instanceof FloeError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new FloeError('internal', message, { cause: error })
}
