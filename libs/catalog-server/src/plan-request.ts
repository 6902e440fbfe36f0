import { z } from 'zod'
import { FloeError, parseScanFilter, snapshotById } from '@floe/iceberg'
import { currentSchema, currentSnapshot, findFieldByName } from '@floe/iceberg'
import type { JsonObject, JsonValue, Schema, Snapshot, TableMetadata } from '@floe/iceberg'
import { snapshotSchema } from '@floe/planner'
import type { ScanRequest } from '@floe/planner'

const json: z.ZodType<JsonValue> = z.custom<JsonValue>((value) => value !== undefined)
const long: z.ZodType<bigint> = z
  .union([z.bigint(), z.int()])
  .transform(BigInt)
  .refine((value) => BigInt.asIntN(64, value) === value, 'must be a 64-bit integer')
const names: z.ZodType<readonly string[]> = z.array(z.string())

/** REST spec `PlanTableScanRequest`. Older clients write null for what they leave out. */
export type PlanRequest = {
  readonly 'snapshot-id'?: bigint | null | undefined
  readonly filter?: JsonValue | undefined
  readonly 'min-rows-requested'?: bigint | null | undefined
  readonly 'case-sensitive'?: boolean | null | undefined
  readonly 'use-snapshot-schema'?: boolean | null | undefined
  readonly 'start-snapshot-id'?: bigint | null | undefined
  readonly 'end-snapshot-id'?: bigint | null | undefined
  readonly 'stats-fields'?: readonly string[] | null | undefined
}

export const planRequest: z.ZodType<PlanRequest> = z
  .object({
    'snapshot-id': long.nullish(),
    select: z.array(z.string().nullable()).nullish(),
    filter: json.nullish(),
    'min-rows-requested': long.nullish(),
    'case-sensitive': z.boolean().nullish(),
    'use-snapshot-schema': z.boolean().nullish(),
    'start-snapshot-id': long.nullish(),
    'end-snapshot-id': long.nullish(),
    'stats-fields': names.nullish(),
  })
  .refine(
    (body) => typeof body['start-snapshot-id'] === typeof body['end-snapshot-id'],
    'start-snapshot-id and end-snapshot-id go together',
  )
  .refine(
    (body) => typeof body['snapshot-id'] !== 'bigint' || typeof body['start-snapshot-id'] !== 'bigint',
    'snapshot-id is for a scan of one version, start-snapshot-id for an incremental one',
  )

/**
 * What a scan was asked for, with nothing left that depends on when: the snapshot and the schema are named by id. As
 * JSON it travels in plan tasks.
 */
export type ScanQuery = {
  /** Absent for a table that had no data. */
  readonly snapshot?: bigint | undefined
  /** An incremental scan's start. */
  readonly after?: bigint | undefined
  readonly schema: number
  readonly filter?: JsonValue | undefined
  readonly caseSensitive: boolean
  /** Rows that are enough. */
  readonly rows?: number | undefined
  readonly statsFieldIds: readonly number[]
}

export const scanQuery: z.ZodType<ScanQuery> = z.object({
  snapshot: long.optional(),
  after: long.optional(),
  schema: z.int(),
  filter: json.optional(),
  caseSensitive: z.boolean(),
  rows: z.int().optional(),
  statsFieldIds: z.array(z.int()),
})

/** @throws FloeError invalid-input for unknown snapshots and columns */
export function scanQueryOf(body: PlanRequest, metadata: TableMetadata): ScanQuery {
  const start = body['start-snapshot-id']
  const snapshot = snapshotOf(metadata, body['end-snapshot-id'] ?? body['snapshot-id'])
  const caseSensitive = body['case-sensitive'] ?? true
  const useSnapshotSchema = body['use-snapshot-schema'] === true && snapshot !== undefined
  const schema = useSnapshotSchema ? snapshotSchema(metadata, snapshot) : currentSchema(metadata)
  const { filter } = body
  const rows = Number(body['min-rows-requested'] ?? 0)
  return {
    ...(snapshot === undefined ? {} : { snapshot: snapshot.snapshotId }),
    ...(typeof start === 'bigint' ? { after: start } : {}),
    schema: schema.schemaId,
    ...(filter === undefined || filter === null ? {} : { filter }),
    caseSensitive,
    ...(rows > 0 && Number.isSafeInteger(rows) ? { rows } : {}),
    statsFieldIds: (body['stats-fields'] ?? []).map((name) => fieldIdOf(schema, name, caseSensitive)),
  }
}

function snapshotOf(metadata: TableMetadata, id: bigint | null | undefined): Snapshot | undefined {
  if (typeof id !== 'bigint') return currentSnapshot(metadata)
  const snapshot = snapshotById(metadata, id)
  if (snapshot !== undefined) return snapshot
  throw new FloeError('invalid-input', `no snapshot ${id} in the table at ${metadata.location}`, {
    hint: 'it may have expired: load the table again',
  })
}

function fieldIdOf(schema: Schema, name: string, caseSensitive: boolean): number {
  const field = findFieldByName(schema, name, { caseSensitive })
  if (field !== undefined) return field.id
  throw new FloeError('invalid-input', `stats-fields names "${name}", which is not in the schema`, {
    hint: 'name columns as the schema that is scanned does',
  })
}

/** As the JSON that `scanQuery` reads. */
export function scanQueryToJson({ snapshot, after, filter, rows, ...rest }: ScanQuery): JsonObject {
  return {
    ...rest,
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(after === undefined ? {} : { after }),
    ...(filter === undefined ? {} : { filter }),
    ...(rows === undefined ? {} : { rows }),
  }
}

/** The schema that a query names; `undefined` when the table has it no longer. */
export function querySchema(query: ScanQuery, metadata: TableMetadata): Schema | undefined {
  return metadata.schemas.find(({ schemaId }) => schemaId === query.schema)
}

/** The request of libs/planner for a query with a snapshot. */
export function scanRequestOf(
  query: ScanQuery & { readonly snapshot: bigint },
  metadata: TableMetadata,
  schema: Schema,
): ScanRequest {
  const { snapshot, after, filter, caseSensitive, rows } = query
  return {
    metadata,
    schema,
    selector: { kind: 'id', snapshotId: snapshot },
    caseSensitive,
    ...(after === undefined ? {} : { appendedAfter: after }),
    ...(filter === undefined ? {} : { filter: parseScanFilter(filter).expression }),
    ...(rows === undefined ? {} : { rowsWanted: rows }),
  }
}
