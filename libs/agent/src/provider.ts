import type { CannotReason, Provenance } from './answer.ts'
import type { SqlResult, SqlRunner } from './sql-runner.ts'
import type { TableDescription } from './table-directory.ts'

/** Milliseconds since the epoch; "last month" is counted from here. */
export type Clock = { now(): number }

/** A statement that was proposed before and refused or failed. */
export type FailedAttempt = { readonly sql: string; readonly message: string }

export type ProposalRequest = {
  readonly question: string
  readonly tables: readonly TableDescription[]
  readonly runner: SqlRunner
  readonly clock: Clock
  readonly failures: readonly FailedAttempt[]
  readonly signal?: AbortSignal
}

export type Proposal =
  | { readonly kind: 'sql'; readonly sql: string; describe(result: SqlResult): string }
  /** The provider produced nothing that could be run; worth another attempt. */
  | { readonly kind: 'unusable'; readonly text: string; readonly message: string }
  | { readonly kind: 'clarification'; readonly text: string; readonly choices: readonly string[] }
  | {
      readonly kind: 'cannot'
      readonly text: string
      readonly reason: CannotReason
      readonly suggestions: readonly string[]
    }

/** Turns a question over described tables into one SELECT, a question back, or a refusal. */
export interface Provider {
  readonly name: string
  readonly provenance: Provenance
  /** Proposals worth asking for in total when SQL is refused or fails; 1 for a deterministic provider. */
  readonly attemptsMax: number
  propose(request: ProposalRequest): Promise<Proposal>
}
