import { FloeError } from '@floe/iceberg/values'
import type { ErrorCode } from '@floe/iceberg'

type Reaction = { readonly code: ErrorCode; readonly hint?: string; readonly retryable?: boolean }

const networkHint = 'check host, port and that the server accepts connections from here'

/** By SQLSTATE, then by SQLSTATE class; https://www.postgresql.org/docs/current/errcodes-appendix.html */
const reactions: Readonly<Record<string, Reaction>> = {
  '28000': { code: 'permission-denied', hint: 'check user, password and pg_hba.conf' },
  '28P01': { code: 'permission-denied', hint: 'check user and password in the URL' },
  '3D000': { code: 'not-found', hint: 'check the database name in the URL' },
  '42501': {
    code: 'permission-denied',
    hint: 'grant SELECT on the table and USAGE on its schema to this user',
  },
  '42P01': { code: 'not-found', hint: 'the table was dropped or renamed after the load was planned' },
  '42703': {
    code: 'not-found',
    hint: 'a column was dropped or renamed after the load was planned: plan again',
  },
  '3F000': { code: 'not-found' },
  '53300': { code: 'unavailable', hint: 'the server has no free connection: use fewer workers' },
  '57014': {
    code: 'cancelled',
    hint: 'the query was cancelled on the server, by a timeout or by an administrator',
  },
  '55P03': { code: 'unavailable', hint: 'another session has locked the table' },
  '0A000': { code: 'unsupported' },
  '08': { code: 'unavailable', hint: networkHint },
  '53': { code: 'resource-exhausted' },
  '57': { code: 'unavailable', hint: 'the server is shutting down, starting or recovering: try again' },
  '58': { code: 'unavailable' },
  '40': {
    code: 'unavailable',
    hint: 'load from the primary, or raise max_standby_streaming_delay on the replica',
  },
  '22': { code: 'invalid-input' },
  '55': { code: 'invalid-input' },
  '42': { code: 'invalid-input' },
  XX: { code: 'corrupt-data' },
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOENT',
  'EAI_AGAIN',
])

/** What node-postgres throws, what a socket throws, and the fields of an ErrorResponse. */
export type SourceFailure = {
  readonly message: string
  readonly code?: string | undefined
  readonly hint?: string | undefined
}

/**
 * Turns a failure of the source into a `FloeError` that says what was being done.
 * @param doing  such as `reading public.orders`
 */
export function sourceError(doing: string, error: unknown): FloeError {
  if (error instanceof FloeError) return error
  const failure = asFailure(error)
  const { code, hint, retryable } = reactionTo(failure)
  const bestHint = rowSecurityHint(failure) ?? snapshotHint(failure) ?? hint ?? failure.hint
  return new FloeError(code, `${doing}: ${failure.message}`, {
    ...(bestHint === undefined ? {} : { hint: bestHint }),
    ...(retryable === undefined ? {} : { retryable }),
    cause: error,
  })
}

function asFailure(error: unknown): SourceFailure {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return asFailure(error.errors[0])
  if (typeof error !== 'object' || error === null) return { message: String(error) }
  const { message, code, hint } = error as { message?: unknown; code?: unknown; hint?: unknown }
  return {
    message: typeof message === 'string' && message !== '' ? message : 'connection lost',
    code: typeof code === 'string' ? code : undefined,
    hint: typeof hint === 'string' ? hint : undefined,
  }
}

function reactionTo({ code, message }: SourceFailure): Reaction {
  if (code !== undefined && networkCodes.has(code)) return { code: 'unavailable', hint: networkHint }
  if (code === undefined) {
    return /connection|timeout|terminated/i.test(message)
      ? { code: 'unavailable', hint: networkHint }
      : { code: 'internal' }
  }
  return reactions[code] ?? reactions[code.slice(0, 2)] ?? { code: 'internal' }
}

function rowSecurityHint({ message }: SourceFailure): string | undefined {
  if (!message.includes('row-level security')) return undefined
  return 'row security would hide rows from this user without a word: load as the owner or as a role with BYPASSRLS'
}

function snapshotHint({ message }: SourceFailure): string | undefined {
  if (!/invalid snapshot identifier|snapshot .* does not exist/.test(message)) return undefined
  return 'the exporting session ended, or the URL leads to another server or through a pooler: connect to one server directly'
}
