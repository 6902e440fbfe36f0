import { FloeError } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'

/** DuckDB names the class of an error in front of its message, as in `Binder Error: ...`. */
const codes: Readonly<Record<string, ErrorCode>> = {
  'Parser Error': 'invalid-input',
  'Binder Error': 'invalid-input',
  'Catalog Error': 'invalid-input',
  'Conversion Error': 'invalid-input',
  'Out of Range Error': 'invalid-input',
  'Invalid Input Error': 'invalid-input',
  'Mismatch Type Error': 'invalid-input',
  'Invalid Type Error': 'invalid-input',
  'Not implemented Error': 'unsupported',
  'Permission Error': 'permission-denied',
  'Out of Memory Error': 'resource-exhausted',
  'INTERRUPT Error': 'cancelled',
  'IO Error': 'unavailable',
  'HTTP Error': 'unavailable',
}

/** Classes whose messages quote values of rows. */
const quotesValues: ReadonlySet<string> = new Set([
  'Conversion Error',
  'Out of Range Error',
  'Invalid Input Error',
  'Mismatch Type Error',
])

const hints: Partial<Record<ErrorCode, string>> = {
  'resource-exhausted': 'select fewer rows or columns, or raise memoryMaxMb or set tempDirectory',
  'permission-denied': 'SQL may read catalog tables only, no files or settings',
}

/** What DuckDB threw as a `FloeError`: its own message without the SQL excerpt, and without values of rows. */
export function toEngineError(error: unknown): FloeError {
  if (error instanceof FloeError) return error
  const whole = (error instanceof Error ? error.message : String(error)).replace(/^Failed to [a-z ]+: /, '')
  const [, kind = '', rest = whole] = /^([A-Z][A-Za-z ]+ Error): ([\s\S]*)$/.exec(whole) ?? []
  const code = httpCode(kind, rest) ?? codes[kind] ?? 'internal'
  const [message = '', ...more] =
    rest
      .split(/\n\s*LINE \d+:/)[0]
      ?.trim()
      .split('\n\n') ?? []
  const shown = quotesValues.has(kind) ? withoutValues(message) : message
  const known = kind === 'HTTP Error' ? undefined : hints[code]
  const hint = more.join(' ').replaceAll('\n', ' ') || didYouMean(message) || known
  return new FloeError(code, `${kind === '' ? 'DuckDB' : kind}: ${firstLine(shown)}`, {
    cause: error,
    ...(hint === undefined || quotesValues.has(kind) ? {} : { hint }),
  })
}

/** What a store answered to httpfs. */
function httpCode(kind: string, message: string): ErrorCode | undefined {
  const [, status] = /\(HTTP (\d+)/.exec(kind === 'HTTP Error' ? message : '') ?? []
  if (status === '404') return 'not-found'
  return status === '401' || status === '403' ? 'permission-denied' : undefined
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? ''
}

/** `Did you mean ...` and `Candidate bindings: ...`, which DuckDB puts on lines of their own. */
function didYouMean(message: string): string | undefined {
  return message
    .split('\n')
    .slice(1)
    .find((line) => /did you mean|candidate/i.test(line))
}

function withoutValues(message: string): string {
  return message.replaceAll(/'[^']*'|"[^"]*"/g, '...')
}
