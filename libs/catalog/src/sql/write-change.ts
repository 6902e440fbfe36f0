import type { Removal, RequestOutcome, StoreRequest } from './catalog-store.ts'
import { insertAudit } from './audit-log.ts'
import type { AuditDraft } from './audit-log.ts'
import type { RequestLog } from './request-log.ts'
import type { DoneOutcome } from './run-once.ts'
import type { Constraint, SqlDatabase, SqlSession } from './sql-database.ts'

/** Where times and the ids of transactions come from. */
export type StoreComponents = { readonly clock: { now(): number }; readonly uuid: () => string }

export type WriterParts = {
  readonly sql: SqlDatabase
  readonly warehouse: string
  readonly components: StoreComponents
  readonly requests: RequestLog
}

/** What is kept with a change: the answer to its request, and its entries in the audit log. */
export type Kept = { readonly outcome: RequestOutcome; readonly audit: readonly AuditDraft[] }

/**
 * One transaction: `work`, and what is kept with it. Nothing is kept, and nothing has happened, when `keptOf` gives
 * nothing for the outcome.
 */
export async function writeChange<T>(
  parts: WriterParts,
  request: StoreRequest,
  work: (session: SqlSession) => Promise<T>,
  keptOf: (outcome: T) => Kept | undefined,
  broken: Partial<Record<Constraint, T>> = {},
): Promise<T> {
  const { sql, requests } = parts
  const { record } = request
  const recorded = async (session: SqlSession): Promise<T> => {
    const outcome = await work(session)
    const done = keptOf(outcome)
    if (done === undefined) return outcome
    if (record !== undefined) await requests.record(session, record, done.outcome)
    await insertEntries(parts, request, session, done.audit)
    return outcome
  }
  const isKept = (outcome: T): boolean => keptOf(outcome) !== undefined
  const outcome = await sql.settle(() => sql.transaction(recorded, isKept), broken)
  // What is done is done: old outcomes that stay for now are no failure.
  if (record !== undefined) await requests.forget(record).catch(() => undefined)
  return outcome
}

async function insertEntries(
  { warehouse, components: { clock, uuid } }: WriterParts,
  { principal, record }: StoreRequest,
  session: SqlSession,
  drafts: readonly AuditDraft[],
): Promise<void> {
  if (drafts.length === 0) return
  const stamp = {
    warehouse,
    nowMs: clock.now(),
    ...(principal === undefined ? {} : { principal }),
    ...(record === undefined ? {} : { requestKey: record.key }),
    ...(drafts.length === 1 ? {} : { transactionId: uuid() }),
  }
  await insertAudit(session, stamp, drafts)
}

export function kept(draft: AuditDraft, answer: Omit<DoneOutcome, 'kind'> = {}): Kept {
  return { outcome: { kind: 'done', ...answer }, audit: [draft] }
}

export function removalDetails(removal: Removal): Pick<AuditDraft, 'details'> {
  if (removal.action !== 'drop') return {}
  const { isPurge, expiresAtMs } = removal
  const expiry = expiresAtMs === undefined ? {} : { 'expires-at-ms': expiresAtMs }
  return { details: { purge: isPurge, ...expiry } }
}
