import type { Answer } from '@floe/agent'
import type { QueryResult } from '@floe/engine'
import type { JsonObject, JsonValue } from '@floe/iceberg'

/** A value as JSON; NaN and the infinities, which JSON lacks, become strings, bytes become `\x` and hex. */
export function jsonOf(value: unknown): JsonValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (Array.isArray(value)) return value.map(jsonOf)
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (value instanceof Map) return [...value].map(([key, entry]) => [jsonOf(key), jsonOf(entry)])
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, jsonOf(entry)]))
}

/** The snapshots that a query read: what makes its result repeatable. */
export function snapshotsOf(references: QueryResult['references']): readonly JsonObject[] {
  return references.map(({ table, snapshotId, timestampMs }) => ({
    table,
    'snapshot-id': snapshotId ?? null,
    ...(timestampMs === undefined ? {} : { 'committed-at': new Date(timestampMs).toISOString() }),
  }))
}

export function answerToJson(answer: Answer): JsonObject {
  if (answer.kind !== 'answer')
    return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, jsonOf(value)]))
  const { kind, text, sql, columns, rows, references, provider, provenance, attempts } = answer
  return {
    kind,
    text,
    sql,
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows.map((row) => row.map(jsonOf)),
    snapshots: snapshotsOf(references),
    provider,
    provenance,
    attempts,
  }
}
