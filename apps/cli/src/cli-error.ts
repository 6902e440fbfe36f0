import { errorReactions, toFloeError } from '@floe/iceberg'

/** Prints code, message and hint to stderr. Returns the exit code of the error's code. */
export function printError(error: unknown): number {
  const { code, message, hint, cause, stack } = toFloeError(error)
  process.stderr.write(`floe: ${code}: ${message}\n`)
  if (hint !== undefined) process.stderr.write(`  hint: ${hint}\n`)
  if (cause instanceof Error && !message.includes(cause.message))
    process.stderr.write(`  cause: ${cause.message}\n`)
  if (code === 'internal' || process.env['FLOE_DEBUG'] !== undefined) process.stderr.write(`${stack ?? ''}\n`)
  return errorReactions[code].exitCode
}
