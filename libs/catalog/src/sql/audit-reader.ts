import { FloeError } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { namespaceSeparator } from '../identifier.ts'
import { auditActions } from '../managed-catalog.ts'
import type { AuditEntry, AuditFilter, AuditObject, EventPage } from '../managed-catalog.ts'
import { pathOf } from './apply-row-change.ts'
import { rowLock } from './sql-database.ts'
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from './sql-database.ts'

/** Who changed something while nobody had to say who asks. */
export const anonymous = 'anonymous'

/** Entries that get their numbers in one transaction. */
const numberedRowsMax = 10_000

const columns = `sequence, at_ms, coalesce(principal, '${anonymous}') AS principal, action, kind, namespace, name, uuid,
  metadata_before, metadata_after, request_key, transaction_id, details`

/**
 * The audit log of one warehouse. A sequence number that is taken at the time of the insert may become visible after a
 * greater one, and a reader that went on from there would miss it; a counter that is locked until the commit would make
 * all writers of PostgreSQL wait for each other's disk. So entries get their numbers here, after they were committed,
 * under a lock that readers share among themselves: what has a number is visible, and what comes later gets a greater
 * one. `position` is taken in the order of the inserts, and with it the changes of one row keep their order: the second
 * one could only begin when the first one was committed.
 */
export class AuditReader {
  readonly #sql: SqlDatabase
  readonly #warehouse: string

  constructor(sql: SqlDatabase, warehouse: string) {
    this.#sql = sql
    this.#warehouse = warehouse
  }

  /** Newest first. */
  async readNewest(
    filter: AuditFilter,
    { before, limit }: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditEntry[]> {
    await this.#number()
    return this.#read({ ...filter, ...(before === undefined ? {} : { before }) }, 'DESC', limit)
  }

  async readAfter(after: number, limit: number, filter: AuditFilter): Promise<EventPage> {
    const last = await this.#number()
    const events = await this.#read({ ...filter, after }, 'ASC', limit)
    const next = events.length < limit ? last : (events.at(-1)?.sequence ?? last)
    return { events, next: Math.max(next, events.at(-1)?.sequence ?? 0, after) }
  }

  /** Gives every committed entry its number; returns the last one. */
  async #number(): Promise<number> {
    const unnumbered = 'SELECT 1 AS one FROM audit_log WHERE warehouse = $1 AND sequence IS NULL LIMIT 1'
    // Before the look for entries: the last number may only be too small, or others would be passed over.
    let last = await this.#lastSequence()
    while ((await this.#sql.all(unnumbered, this.#warehouse)).length > 0)
      last = await this.#sql.transaction((session) => this.#numberSome(session))
    return last
  }

  async #lastSequence(): Promise<number> {
    const sql = 'SELECT last_sequence FROM audit_counters WHERE warehouse = $1'
    const [row] = await this.#sql.all(sql, this.#warehouse)
    return Number(row?.['last_sequence'] ?? 0)
  }

  async #numberSome(session: SqlSession): Promise<number> {
    await session.run(
      'INSERT INTO audit_counters (warehouse, last_sequence) VALUES ($1, 0) ON CONFLICT DO NOTHING',
      this.#warehouse,
    )
    const counter = 'SELECT last_sequence FROM audit_counters WHERE warehouse = $1'
    const [row] = await session.all(counter + rowLock(this.#sql), this.#warehouse)
    const last = Number(row?.['last_sequence'] ?? 0)
    const numbered = await session.run(
      `UPDATE audit_log SET sequence = numbered.sequence
       FROM (
         SELECT position AS place, CAST($2 AS BIGINT) + row_number() OVER (ORDER BY position) AS sequence FROM (
           SELECT position FROM audit_log WHERE warehouse = $1 AND sequence IS NULL ORDER BY position LIMIT ${numberedRowsMax}
         ) AS oldest
       ) AS numbered
       WHERE audit_log.position = numbered.place`,
      this.#warehouse,
      last,
    )
    const update = 'UPDATE audit_counters SET last_sequence = $2 WHERE warehouse = $1'
    await session.run(update, this.#warehouse, last + numbered)
    return last + numbered
  }

  async #read(bounds: Bounds, order: 'ASC' | 'DESC', limit: number): Promise<readonly AuditEntry[]> {
    const values: SqlValue[] = [this.#warehouse]
    const conditions = conditionsOf(bounds, (value) => `$${values.push(value)}`)
    const rows = await this.#sql.all(
      `SELECT ${columns} FROM audit_log
       WHERE ${['warehouse = $1', 'sequence IS NOT NULL', ...conditions].join(' AND ')}
       ORDER BY sequence ${order} LIMIT $${values.push(limit)}`,
      ...values,
    )
    return rows.map(entryOf)
  }
}

type Bounds = AuditFilter & { readonly before?: number; readonly after?: number }

/** @param bind  gives the parameter of a value */
function conditionsOf(bounds: Bounds, bind: (value: SqlValue) => string): readonly string[] {
  const { table, namespace, principal, action, sinceMs, untilMs, before, after } = bounds
  const conditions: string[] = []
  if (before !== undefined) conditions.push(`sequence < ${bind(before)}`)
  if (after !== undefined) conditions.push(`sequence > ${bind(after)}`)
  if (sinceMs !== undefined) conditions.push(`at_ms >= ${bind(sinceMs)}`)
  if (untilMs !== undefined) conditions.push(`at_ms < ${bind(untilMs)}`)
  if (action !== undefined) conditions.push(`action = ${bind(action)}`)
  if (principal !== undefined) conditions.push(`coalesce(principal, '${anonymous}') = ${bind(principal)}`)
  if (namespace !== undefined) {
    const path = pathOf(namespace)
    // Paths below it begin with it and the separator, after which comes the space.
    const below = `namespace >= ${bind(path + namespaceSeparator)} AND namespace < ${bind(`${path} `)}`
    conditions.push(`(namespace = ${bind(path)} OR (${below}))`)
  }
  if (table !== undefined) {
    const at = `namespace = ${bind(pathOf(table.namespace))} AND name = ${bind(table.name)}`
    const uuid = `SELECT relations.uuid FROM relations WHERE warehouse = $1 AND ${at}`
    conditions.push(`((${at}) OR uuid = (${uuid}))`)
  }
  return conditions
}

function entryOf(row: SqlRow): AuditEntry {
  const action = auditActions.find((candidate) => candidate === row['action'])
  if (action === undefined)
    throw new FloeError('corrupt-data', 'an entry of the audit log has an unknown action')
  const [uuid, before, after] = [row['uuid'], row['metadata_before'], row['metadata_after']]
  const [requestKey, transactionId, details] = [row['request_key'], row['transaction_id'], row['details']]
  return {
    sequence: Number(row['sequence']),
    timestampMs: Number(row['at_ms']),
    principal: String(row['principal']),
    action,
    on: objectOf(row),
    ...(typeof uuid === 'string' ? { uuid } : {}),
    ...(typeof before === 'string' ? { metadataBefore: before } : {}),
    ...(typeof after === 'string' ? { metadataAfter: after } : {}),
    ...(typeof requestKey === 'string' ? { requestKey } : {}),
    ...(typeof transactionId === 'string' ? { transactionId } : {}),
    details: typeof details === 'string' ? (JSON.parse(details) as JsonObject) : {},
  }
}

function objectOf({ kind, namespace, name }: SqlRow): AuditObject {
  const levels = typeof namespace === 'string' ? namespace.split(namespaceSeparator) : []
  switch (kind) {
    case 'namespace':
      return { kind, namespace: levels }
    case 'table':
    case 'view':
      return { kind, identifier: { namespace: levels, name: String(name) } }
    case 'server':
    case 'warehouse':
    case 'token':
      return { kind }
    default:
      throw new FloeError('corrupt-data', 'an entry of the audit log is on an unknown kind of object')
  }
}
