import { longToJson, readLong, readOptionalLong } from './json-long.ts'
import { extraMembers, isPresent, readArray, readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { FloeError } from './error.ts'

export type SnapshotOperation = 'append' | 'replace' | 'overwrite' | 'delete'

export type Snapshot = {
  readonly snapshotId: bigint
  readonly parentSnapshotId?: bigint
  /** 0n in v1. */
  readonly sequenceNumber: bigint
  readonly timestampMs: number
  /** Absent only in v1 snapshots that list `manifests` inline. */
  readonly manifestList?: string
  readonly manifests?: readonly string[]
  /** Always holds `operation` when written by Floe; v1 snapshots may have none. */
  readonly summary?: Readonly<Record<string, string>>
  readonly schemaId?: number
  readonly firstRowId?: bigint
  readonly addedRows?: bigint
  readonly keyId?: string
  readonly extra?: JsonObject
}

const snapshotMembers: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'sequence-number',
  'timestamp-ms',
  'manifest-list',
  'manifests',
  'summary',
  'schema-id',
  'first-row-id',
  'added-rows',
  'key-id',
])

/** Snapshot from its JSON form; one without `sequence-number` was written by v1 and gets 0. Throws `invalid-input`. */
export function parseSnapshot(json: JsonValue | undefined): Snapshot {
  const object = readObject(json, 'snapshot')
  const snapshotId = readLong(object, 'snapshot-id', 'snapshot')
  const where = `snapshot ${snapshotId}`
  const parentSnapshotId = readOptionalLong(object, 'parent-snapshot-id', where)
  const firstRowId = readOptionalLong(object, 'first-row-id', where)
  const addedRows = readOptionalLong(object, 'added-rows', where)
  return {
    snapshotId,
    ...(parentSnapshotId === undefined ? {} : { parentSnapshotId }),
    sequenceNumber: readOptionalLong(object, 'sequence-number', where) ?? 0n,
    timestampMs: readInteger(object, 'timestamp-ms', where),
    ...parseManifestReference(object, where),
    ...(isPresent(object['summary'])
      ? { summary: readStrings(object['summary'], `${where}: "summary"`) }
      : {}),
    ...(isPresent(object['schema-id']) ? { schemaId: readInteger(object, 'schema-id', where) } : {}),
    ...(firstRowId === undefined ? {} : { firstRowId }),
    ...(addedRows === undefined ? {} : { addedRows }),
    ...(isPresent(object['key-id']) ? { keyId: readString(object, 'key-id', where) } : {}),
    ...extraMembers(object, snapshotMembers),
  }
}

function parseManifestReference(
  object: JsonObject,
  where: string,
): Pick<Snapshot, 'manifestList' | 'manifests'> {
  if (isPresent(object['manifest-list'])) return { manifestList: readString(object, 'manifest-list', where) }
  const manifests = readArray(object['manifests'], `${where}: "manifests" without a "manifest-list"`)
  return {
    manifests: manifests.map((path, at) => readString({ [at]: path }, String(at), `${where}: "manifests"`)),
  }
}

/** A JSON object of strings, such as table properties. */
export function readStrings(json: JsonValue | undefined, where: string): Readonly<Record<string, string>> {
  const object = readObject(json, where)
  for (const key of Object.keys(object)) readString(object, key, where)
  return object as Readonly<Record<string, string>>
}

/** Inverse of `parseSnapshot`. v1 metadata has no sequence numbers. */
export function snapshotToJson(snapshot: Snapshot, formatVersion: 1 | 2 | 3 = 2): JsonObject {
  const { parentSnapshotId, sequenceNumber, manifestList, manifests, summary, firstRowId, addedRows } =
    snapshot
  return {
    ...(formatVersion === 1 && sequenceNumber === 0n
      ? {}
      : { 'sequence-number': longToJson(sequenceNumber) }),
    'snapshot-id': longToJson(snapshot.snapshotId),
    ...(parentSnapshotId === undefined ? {} : { 'parent-snapshot-id': longToJson(parentSnapshotId) }),
    'timestamp-ms': snapshot.timestampMs,
    ...(summary === undefined ? {} : { summary }),
    ...(manifestList === undefined ? { manifests: manifests ?? [] } : { 'manifest-list': manifestList }),
    ...(snapshot.schemaId === undefined ? {} : { 'schema-id': snapshot.schemaId }),
    ...(firstRowId === undefined ? {} : { 'first-row-id': longToJson(firstRowId) }),
    ...(addedRows === undefined ? {} : { 'added-rows': longToJson(addedRows) }),
    ...(snapshot.keyId === undefined ? {} : { 'key-id': snapshot.keyId }),
    ...snapshot.extra,
  }
}

export type SnapshotRef = {
  readonly snapshotId: bigint
  readonly type: 'branch' | 'tag'
  readonly minSnapshotsToKeep?: number
  readonly maxSnapshotAgeMs?: number
  readonly maxRefAgeMs?: number
  readonly extra?: JsonObject
}

/** The branch whose head is the current snapshot (spec "Snapshot References"). */
export const mainBranch = 'main'

const refMembers: ReadonlySet<string> = new Set([
  'snapshot-id',
  'type',
  'min-snapshots-to-keep',
  'max-snapshot-age-ms',
  'max-ref-age-ms',
])

/**
 * Branch or tag from its JSON form. Throws `invalid-input`.
 * @param ignored  members of the object around it that are none of the ref's
 */
export function parseSnapshotRef(
  json: JsonValue | undefined,
  name: string,
  ignored: readonly string[] = [],
): SnapshotRef {
  const where = `ref "${name}"`
  const object = readObject(json, where)
  const type = readString(object, 'type', where).toLowerCase()
  if (type !== 'branch' && type !== 'tag') {
    throw new FloeError('invalid-input', `${where} must be of type branch or tag`)
  }
  return {
    snapshotId: readLong(object, 'snapshot-id', where),
    type,
    ...(isPresent(object['min-snapshots-to-keep'])
      ? { minSnapshotsToKeep: readInteger(object, 'min-snapshots-to-keep', where) }
      : {}),
    ...(isPresent(object['max-snapshot-age-ms'])
      ? { maxSnapshotAgeMs: readInteger(object, 'max-snapshot-age-ms', where) }
      : {}),
    ...(isPresent(object['max-ref-age-ms'])
      ? { maxRefAgeMs: readInteger(object, 'max-ref-age-ms', where) }
      : {}),
    ...extraMembers(object, ignored.length === 0 ? refMembers : new Set([...refMembers, ...ignored])),
  }
}

/** Inverse of `parseSnapshotRef`. */
export function snapshotRefToJson(ref: SnapshotRef): JsonObject {
  return {
    'snapshot-id': longToJson(ref.snapshotId),
    type: ref.type,
    ...(ref.minSnapshotsToKeep === undefined ? {} : { 'min-snapshots-to-keep': ref.minSnapshotsToKeep }),
    ...(ref.maxSnapshotAgeMs === undefined ? {} : { 'max-snapshot-age-ms': ref.maxSnapshotAgeMs }),
    ...(ref.maxRefAgeMs === undefined ? {} : { 'max-ref-age-ms': ref.maxRefAgeMs }),
    ...ref.extra,
  }
}
