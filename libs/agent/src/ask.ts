import { FloeError, toFloeError, type ErrorCode } from '@floe/iceberg'
import type { Answer } from './answer.ts'
import type { Clock, FailedAttempt, Proposal, Provider } from './provider.ts'
import type { SqlResult, SqlRunner } from './sql-runner.ts'
import type { TableDirectory } from './table-directory.ts'

export type AskComponents = {
  readonly directory: TableDirectory
  readonly runner: SqlRunner
  readonly provider: Provider
  readonly clock: Clock
}

export type AskOptions = {
  /** Rows kept of the result. Default 1,000. */
  readonly rowsMax?: number
  /** Characters of a question. Default 2,000. */
  readonly questionCharactersMax?: number
  readonly signal?: AbortSignal
}

/** Errors that another statement can avoid. All others end the question. */
const repairableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid-input',
  'not-found',
  'unsupported',
  'permission-denied',
])

/**
 * Answers one question: the provider proposes SQL, the runner checks and runs it, and a refused or failed statement goes
 * back to the provider with its error while attempts are left.
 * @throws FloeError `invalid-input` for an empty or overlong question, `cancelled` on abort, and whatever the runner
 *   or the provider throws that no other SQL would avoid
 */
export async function ask(
  question: string,
  components: AskComponents,
  options: AskOptions = {},
): Promise<Answer> {
  const asked = checkQuestion(question, options.questionCharactersMax ?? 2000)
  const { provider, runner, clock } = components
  const tables = await components.directory.listTables()
  if (tables.length === 0) return noTables()
  const failures: FailedAttempt[] = []
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  for (;;) {
    if (options.signal?.aborted === true) throw new FloeError('cancelled', 'the question was cancelled')
    const proposal = await provider.propose({
      question: asked,
      tables,
      runner,
      clock,
      failures: [...failures],
      ...signal,
    })
    if (proposal.kind === 'clarification' || proposal.kind === 'cannot') return proposal
    const outcome = await tryProposal(proposal, runner, options)
    const attempts = failures.length + 1
    if (outcome.kind === 'result') {
      const { name, provenance } = provider
      const { columns, rows, references } = outcome.result
      const text = outcome.proposal.describe(outcome.result)
      const { sql } = outcome.proposal
      return { kind: 'answer', text, sql, columns, rows, references, provider: name, provenance, attempts }
    }
    // A deterministic provider's statement is ours: its failure is an error, not an answer.
    if (provider.attemptsMax === 1) throw outcome.error
    failures.push({ sql: outcome.sql, message: outcome.error.message })
    if (attempts >= provider.attemptsMax) return noValidSql(failures)
  }
}

type Outcome =
  | {
      readonly kind: 'result'
      readonly proposal: Extract<Proposal, { kind: 'sql' }>
      readonly result: SqlResult
    }
  | { readonly kind: 'failure'; readonly sql: string; readonly error: FloeError }

async function tryProposal(
  proposal: Extract<Proposal, { kind: 'sql' | 'unusable' }>,
  runner: SqlRunner,
  options: AskOptions,
): Promise<Outcome> {
  if (proposal.kind === 'unusable') {
    return { kind: 'failure', sql: proposal.text, error: new FloeError('invalid-input', proposal.message) }
  }
  try {
    await runner.checkSelect(proposal.sql)
    const rowsMax = options.rowsMax ?? 1000
    const result = await runner.run(proposal.sql, {
      rowsMax,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    return { kind: 'result', proposal, result }
  } catch (error) {
    const failure = toFloeError(error)
    if (!repairableCodes.has(failure.code)) throw failure
    return { kind: 'failure', sql: proposal.sql, error: failure }
  }
}

function checkQuestion(question: string, charactersMax: number): string {
  const trimmed = question.trim()
  if (trimmed === '') {
    throw new FloeError('invalid-input', 'the question is empty', {
      hint: 'ask something, for example "which tables are there"',
    })
  }
  if (trimmed.length > charactersMax) {
    throw new FloeError(
      'invalid-input',
      `the question has ${trimmed.length} characters, more than ${charactersMax}`,
      {
        hint: 'ask a shorter question, or raise questionCharactersMax',
      },
    )
  }
  return trimmed
}

function noTables(): Answer {
  return {
    kind: 'cannot',
    reason: 'no-tables',
    text: 'There are no tables to ask about yet. Load one first.',
    suggestions: [],
  }
}

function noValidSql(failures: readonly FailedAttempt[]): Answer {
  const last = failures.at(-1)
  const text = `No usable SQL came back in ${failures.length} attempts. The last error was: ${last?.message ?? 'none'}`
  return { kind: 'cannot', reason: 'no-valid-sql', text, suggestions: ['which tables are there'] }
}
