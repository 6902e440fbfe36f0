import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { errorReactions, FloeError, toFloeError } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'

/** `type` of the spec's `ErrorModel`: the names of Java's exceptions, by which clients choose theirs. */
export type ErrorType =
  | 'AlreadyExistsException'
  | 'BadRequestException'
  | 'CommitFailedException'
  | 'CommitStateUnknownException'
  | 'ForbiddenException'
  | 'IllegalArgumentException'
  | 'InternalServerError'
  | 'NamespaceNotEmptyException'
  | 'NoSuchNamespaceException'
  | 'NoSuchFunctionException'
  | 'NoSuchPlanIdException'
  | 'NoSuchPlanTaskException'
  | 'NoSuchTableException'
  | 'NoSuchViewException'
  | 'NoSuchWarehouseException'
  | 'NotFoundException'
  | 'ProtectedException'
  | 'ServiceUnavailableException'
  | 'UnprocessableEntityException'
  | 'UnsupportedOperationException'

/** An answer that a route has decided on, where the code of a `FloeError` does not tell enough. */
export class ProtocolError extends Error {
  readonly status: number
  readonly type: ErrorType

  constructor(status: number, type: ErrorType, message: string, cause?: unknown) {
    super(message, { cause })
    this.status = status
    this.type = type
  }
}

const types: Readonly<Record<ErrorCode, ErrorType>> = {
  'invalid-input': 'BadRequestException',
  'not-found': 'NotFoundException',
  'already-exists': 'AlreadyExistsException',
  'commit-conflict': 'CommitFailedException',
  'commit-state-unknown': 'CommitStateUnknownException',
  protected: 'ProtectedException',
  unavailable: 'ServiceUnavailableException',
  'corrupt-data': 'InternalServerError',
  unsupported: 'UnsupportedOperationException',
  'permission-denied': 'ForbiddenException',
  'resource-exhausted': 'ServiceUnavailableException',
  cancelled: 'ServiceUnavailableException',
  internal: 'InternalServerError',
}

/** The answer to anything thrown by a route. */
export function errorResponse(error: unknown, context: Context): Response {
  if (error instanceof HTTPException) {
    return protocolErrorResponse(context, error.status, 'BadRequestException', error.message)
  }
  const isOurs = error instanceof ProtocolError || toFloeError(error) === error
  if (!isOurs && context.req.raw.signal.aborted) {
    // Nobody reads this; logs and numbers shall not take it for a failure of the catalog.
    const message = 'the client left before its request ended'
    return protocolErrorResponse(context, 499, 'BadRequestException', message)
  }
  const { code, type, message } = errorModel(error)
  return protocolErrorResponse(context, code, type, message)
}

/** Spec `ErrorModel` of anything thrown, for answers that carry it with other members. */
export function errorModel(error: unknown): { message: string; type: ErrorType; code: number } {
  if (error instanceof ProtocolError) return { message: error.message, type: error.type, code: error.status }
  const floe = toFloeError(error)
  // What is thrown by accident may name anything; only Floe's own messages are made for readers.
  const message = floe === error ? messageOf(floe) : 'the catalog failed unexpectedly'
  return { message, type: types[floe.code], code: errorReactions[floe.code].httpStatus }
}

/** Spec `IcebergErrorResponse`. */
export function protocolErrorResponse(
  context: Context,
  status: number,
  type: ErrorType,
  message: string,
): Response {
  const body = isHead(context) ? null : JSON.stringify({ error: { message, type, code: status } })
  return new Response(body, { status, headers: { 'content-type': 'application/json' } })
}

/** Runs a route's work; a `not-found` in it is answered as `type`. */
export async function namingTheMissing<T>(
  type: 'NoSuchNamespaceException' | 'NoSuchTableException' | 'NoSuchViewException',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const floe = toFloeError(error)
    if (floe.code === 'not-found') throw new ProtocolError(404, type, messageOf(floe), error)
    throw error
  }
}

/**
 * Runs a load; that the metadata file is gone is answered as Java's server does, so that clients neither take the
 * table to be dropped nor try again. A commit must not answer so: clients would clean up after it.
 */
export async function namingLostMetadata<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message, cause } = toFloeError(error)
    const isLost = code === 'corrupt-data' && cause instanceof FloeError && cause.code === 'not-found'
    throw isLost ? new ProtocolError(404, 'NotFoundException', message, error) : error
  }
}

/** Hono runs the GET route for a HEAD request, and keeps its status. */
export function isHead(context: Context): boolean {
  return context.req.raw.method === 'HEAD'
}

/** Java's compatibility kit compares whole messages about names that are missing or taken. */
const plainMessage: ReadonlySet<ErrorCode> = new Set(['not-found', 'already-exists'])

function messageOf({ code, message, hint }: FloeError): string {
  return hint === undefined || plainMessage.has(code) ? message : `${message}; ${hint}`
}
