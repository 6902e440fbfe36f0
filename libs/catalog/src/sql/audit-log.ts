import type { JsonObject } from '@floe/iceberg'
import type { AuditAction, AuditObject } from '../managed-catalog.ts'
import { pathOf } from './apply-row-change.ts'
import type { SqlSession, SqlValue } from './sql-database.ts'

/** A change, before it is in the log. */
export type AuditDraft = {
  readonly action: AuditAction
  readonly on: AuditObject
  readonly uuid?: string
  readonly before?: string
  readonly after?: string
  readonly details?: JsonObject
}

/** Whose change it is, and when. */
export type AuditStamp = {
  readonly warehouse: string
  readonly nowMs: number
  readonly principal?: string
  readonly requestKey?: string
  readonly transactionId?: string
}

const insertSql = `INSERT INTO audit_log (warehouse, at_ms, principal, action, kind, namespace, name, uuid,
    metadata_before, metadata_after, request_key, transaction_id, details)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

/**
 * In the transaction of the change itself: both happen, or neither. Entries have no number yet, so that writers wait for
 * nobody; `AuditReader` gives it to them once they are committed.
 */
export async function insertAudit(
  session: SqlSession,
  { warehouse, nowMs, principal, requestKey, transactionId }: AuditStamp,
  drafts: readonly AuditDraft[],
): Promise<void> {
  for (const { action, on, uuid, before, after, details } of drafts) {
    const [namespace, name] = nameOf(on)
    const object = [on.kind, namespace, name, uuid ?? null]
    const metadata = [before ?? null, after ?? null]
    const request = [requestKey ?? null, transactionId ?? null]
    const more = details === undefined ? null : JSON.stringify(details)
    const head = [warehouse, nowMs, principal ?? null, action]
    await session.run(insertSql, ...head, ...object, ...metadata, ...request, more)
  }
}

function nameOf(on: AuditObject): readonly [namespace: SqlValue, name: SqlValue] {
  if ('identifier' in on) return [pathOf(on.identifier.namespace), on.identifier.name]
  return ['namespace' in on ? pathOf(on.namespace) : null, null]
}
