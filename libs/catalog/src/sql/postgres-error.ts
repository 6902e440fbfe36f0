import { DatabaseError } from 'pg'
import { FloeError } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'
import type { Constraint } from './sql-database.ts'

// SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html.
const foreignKeyViolation = '23503'
const uniqueViolation = '23505'

/** The server rolled a transaction back that stood in the way of another one: done again, it may succeed. */
const rolledBackForOthers: ReadonlySet<string> = new Set(['40001', '40P01'])

/** The server ends the session with these; without a code it was the network, or this side's timeout. */
const sessionEnds = /^(?:08|57P0|25P0[34])/

type Reaction = { readonly code: ErrorCode; readonly hint: string }

/** By SQLSTATE, or by its class. */
const reactions: Readonly<Record<string, Reaction>> = {
  '25006': { code: 'unavailable', hint: 'this server is a read-only standby; connect to the primary' },
  '3D000': { code: 'invalid-input', hint: 'create the database first' },
  '28': { code: 'permission-denied', hint: 'check user and password of the catalog database' },
  '42501': {
    code: 'permission-denied',
    hint: 'let the user create a schema in the catalog database, and own it',
  },
  '40': { code: 'unavailable', hint: 'others hold the same rows; try again' },
  '55P03': { code: 'unavailable', hint: 'others hold the same rows; try again' },
  '57014': { code: 'unavailable', hint: 'the database took too long; try again' },
  '53': { code: 'unavailable', hint: 'the database has no connection or memory left; try again' },
  '53100': { code: 'resource-exhausted', hint: 'free disk space of the database' },
  '54000': {
    code: 'invalid-input',
    hint: 'use shorter names: PostgreSQL indexes about 2,700 bytes of a path',
  },
  '22': { code: 'invalid-input', hint: 'use names and locations that are valid text for PostgreSQL' },
  XX: { code: 'corrupt-data', hint: 'look into the log of the database server' },
}

/** Which constraint a statement broke; `undefined` when the error is something else. */
export function brokenConstraint(error: unknown): Constraint | undefined {
  if (!(error instanceof DatabaseError)) return undefined
  if (error.code === foreignKeyViolation) return 'foreign-key'
  if (error.code !== uniqueViolation) return undefined
  return error.constraint?.endsWith('_pkey') === true ? 'primary-key' : 'unique'
}

/** The session is gone; whether its last statement was done cannot be seen from the error of the driver. */
export function isSessionLost(error: unknown): boolean {
  return !(error instanceof DatabaseError) || error.code === undefined || sessionEnds.test(error.code)
}

export function isRolledBackForOthers(error: unknown): boolean {
  const cause = error instanceof FloeError ? error.cause : error
  return cause instanceof DatabaseError && rolledBackForOthers.has(cause.code ?? '')
}

/** An error of the driver as the reaction it asks for. `place` names the database, without user and password. */
export function postgresError(error: unknown, place: string): FloeError {
  if (error instanceof FloeError) return error
  const message = `the catalog at ${place} failed: ${error instanceof Error ? error.message : String(error)}`
  if (isSessionLost(error)) {
    return new FloeError('unavailable', message, {
      hint: 'check that the database server runs and can be reached; try again',
      cause: error,
    })
  }
  const state = error instanceof DatabaseError ? (error.code ?? '') : ''
  const reaction = reactions[state] ?? reactions[state.slice(0, 2)]
  if (reaction === undefined) return new FloeError('internal', message, { cause: error })
  return new FloeError(reaction.code, message, { hint: reaction.hint, cause: error })
}

/** A write whose answer was lost. */
export function unknownOutcome(error: unknown, place: string): FloeError {
  const message = `the connection to the catalog at ${place} was lost while a change was being made durable`
  return new FloeError('commit-state-unknown', message, {
    hint: 'look whether the change is there before making it again',
    cause: error,
  })
}
