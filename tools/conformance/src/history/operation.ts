/** What a client knows of a change: it is there, it is not, or the answer was lost and it may be either. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'

type OperationKind = 'append' | 'properties' | 'transaction' | 'create' | 'rename' | 'drop'

/** One change that a client asked for. Times are ticks of one counter, taken before and after. */
export type Operation = {
  readonly kind: OperationKind
  readonly client: number
  /** Written into what the change leaves behind: a snapshot's summary or a table property. */
  readonly token: string
  /** Uuids of the tables that it changes; of a create none. */
  readonly tables: readonly string[]
  /** Name that a create or a rename gives. */
  readonly name?: string
  /** Its Idempotency-Key. */
  readonly key?: string
  readonly outcome: Outcome
  /** Statuses and lost connections in order: more than one when it was sent again under its key. */
  readonly answers: readonly string[]
  /** What the same key was answered with after the last restart. */
  readonly replayed?: Outcome
  readonly invokedAt: number
  readonly completedAt: number
}

/** A table as a client saw it. */
export type Read = {
  readonly client: number
  readonly table: string
  readonly name: string
  readonly snapshotId: bigint | undefined
  readonly invokedAt: number
  readonly completedAt: number
}

export type RecordedHistory = { readonly operations: readonly Operation[]; readonly reads: readonly Read[] }

/** One line for people. */
export function formatOperation(operation: Operation): string {
  const { kind, client, token, tables, name, key, outcome, answers, invokedAt, completedAt } = operation
  const parts = [
    `[${invokedAt}, ${completedAt}] client ${client}: ${kind} ${token}`,
    tables.length === 0 ? '' : `on ${tables.join(', ')}`,
    name === undefined ? '' : `as ${name}`,
    key === undefined ? '' : `with key ${key}`,
    `-> ${outcome} (${answers.join(', ')})`,
    operation.replayed === undefined ? '' : `replayed: ${operation.replayed}`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}
