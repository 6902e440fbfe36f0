import { z } from 'zod'
import { auditActions } from '@floe/catalog'
import type { AuditEntry, AuditObject, DroppedRelation, Protectable } from '@floe/catalog'
import type { JsonObject } from '@floe/iceberg'
import { jsonObject, namespaceLevels } from '../request-body.ts'

// Names are written flat, as those of grants: `{ "kind": "table", "namespace": ["shop"], "name": "orders" }`.

const namespaceObject = z.strictObject({ kind: z.literal('namespace'), namespace: namespaceLevels })
const relationObject = z
  .strictObject({ kind: z.enum(['table', 'view']), namespace: namespaceLevels, name: z.string() })
  .transform(({ kind, namespace, name }) => ({ kind, identifier: { namespace, name } }))

export const protectableSchema: z.ZodType<Protectable> = z.union([namespaceObject, relationObject])
const auditObject: z.ZodType<AuditObject> = z.union([
  z.strictObject({ kind: z.enum(['server', 'warehouse', 'token']) }),
  namespaceObject,
  relationObject,
])

export function auditObjectToJson(on: AuditObject): JsonObject {
  return 'identifier' in on ? { kind: on.kind, ...on.identifier } : on
}

export const droppedSchema: z.ZodType<DroppedRelation> = z
  .object({
    uuid: z.string(),
    kind: z.enum(['table', 'view']),
    namespace: namespaceLevels,
    name: z.string(),
    'metadata-location': z.string(),
    purge: z.boolean(),
    'dropped-by': z.string(),
    'dropped-at-ms': z.number(),
    'expires-at-ms': z.number(),
  })
  .transform((json) => ({
    uuid: json.uuid,
    kind: json.kind,
    identifier: { namespace: json.namespace, name: json.name },
    metadataLocation: json['metadata-location'],
    isPurge: json.purge,
    droppedBy: json['dropped-by'],
    droppedAtMs: json['dropped-at-ms'],
    expiresAtMs: json['expires-at-ms'],
  }))

export function droppedToJson(dropped: DroppedRelation): JsonObject {
  return {
    uuid: dropped.uuid,
    kind: dropped.kind,
    ...dropped.identifier,
    'metadata-location': dropped.metadataLocation,
    purge: dropped.isPurge,
    'dropped-by': dropped.droppedBy,
    'dropped-at-ms': dropped.droppedAtMs,
    'expires-at-ms': dropped.expiresAtMs,
  }
}

export const auditEntrySchema: z.ZodType<AuditEntry> = z
  .object({
    sequence: z.number(),
    'timestamp-ms': z.number(),
    principal: z.string(),
    action: z.enum(auditActions),
    on: auditObject,
    uuid: z.string().optional(),
    'metadata-before': z.string().optional(),
    'metadata-after': z.string().optional(),
    'idempotency-key': z.string().optional(),
    'transaction-id': z.string().optional(),
    details: jsonObject,
  })
  .transform(({ uuid, sequence, principal, action, on, details, ...json }) => {
    const { 'metadata-before': metadataBefore, 'metadata-after': metadataAfter } = json
    const { 'idempotency-key': requestKey, 'transaction-id': transactionId } = json
    return {
      sequence,
      timestampMs: json['timestamp-ms'],
      principal,
      action,
      on,
      details,
      ...(uuid === undefined ? {} : { uuid }),
      ...(metadataBefore === undefined ? {} : { metadataBefore }),
      ...(metadataAfter === undefined ? {} : { metadataAfter }),
      ...(requestKey === undefined ? {} : { requestKey }),
      ...(transactionId === undefined ? {} : { transactionId }),
    }
  })

export function auditEntryToJson(entry: AuditEntry): JsonObject {
  const { sequence, timestampMs, principal, action, on, uuid, details } = entry
  const { metadataBefore, metadataAfter, requestKey, transactionId } = entry
  return {
    sequence,
    'timestamp-ms': timestampMs,
    principal,
    action,
    on: auditObjectToJson(on),
    ...(uuid === undefined ? {} : { uuid }),
    ...(metadataBefore === undefined ? {} : { 'metadata-before': metadataBefore }),
    ...(metadataAfter === undefined ? {} : { 'metadata-after': metadataAfter }),
    ...(requestKey === undefined ? {} : { 'idempotency-key': requestKey }),
    ...(transactionId === undefined ? {} : { 'transaction-id': transactionId }),
    details,
  }
}
