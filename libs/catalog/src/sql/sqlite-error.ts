import { FloeError } from '@floe/iceberg'
import type { ErrorCode, FloeErrorOptions } from '@floe/iceberg'
import type { Constraint } from './sql-database.ts'

// SQLite's primary result codes: the low byte of an extended one (https://www.sqlite.org/rescode.html).
const primaryCodeMask = 0xff
const busy = 5
const constraintForeignKey = 787
const constraintPrimaryKey = 1555
const constraintUnique = 2067

type Reaction = { readonly code: ErrorCode; readonly hint: string }

const reactions: Readonly<Record<number, Reaction>> = {
  [busy]: { code: 'unavailable', hint: 'another process holds the catalog; try again' },
  6: { code: 'unavailable', hint: 'another statement holds the catalog; try again' },
  8: { code: 'permission-denied', hint: 'make the catalog file and its folder writable for this process' },
  10: { code: 'commit-state-unknown', hint: 'check the disk, then look whether the change is there' },
  11: { code: 'corrupt-data', hint: 'restore the catalog file from a backup' },
  13: { code: 'resource-exhausted', hint: 'free disk space' },
  14: { code: 'unavailable', hint: 'check that the folder of the catalog file exists and is writable' },
  26: { code: 'corrupt-data', hint: 'name a catalog file of Floe, or a path where none is yet' },
}

/** Which constraint a statement broke; `undefined` when the error is something else. */
export function brokenConstraint(error: unknown): Constraint | undefined {
  switch (resultCode(error)) {
    case constraintForeignKey:
      return 'foreign-key'
    case constraintPrimaryKey:
      return 'primary-key'
    case constraintUnique:
      return 'unique'
    default:
      return undefined
  }
}

/** An error of SQLite as the reaction it asks for. */
export function sqliteError(error: unknown, path: string): FloeError {
  if (error instanceof FloeError) return error
  const code = resultCode(error)
  const reaction = code === undefined ? undefined : reactions[code & primaryCodeMask]
  const message = `the catalog at ${path} failed: ${error instanceof Error ? error.message : String(error)}`
  const options: FloeErrorOptions = { cause: error }
  if (reaction === undefined) return new FloeError('internal', message, options)
  return new FloeError(reaction.code, message, { ...options, hint: reaction.hint })
}

/** Another connection holds the file: nothing has happened, and the same call may succeed soon. */
export function isBusy(error: unknown): boolean {
  const code = error instanceof FloeError ? resultCode(error.cause) : undefined
  return code !== undefined && (code & primaryCodeMask) === busy
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
