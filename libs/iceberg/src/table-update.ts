import { FloeError } from './error.ts'
import { longToJson, readLong, toLong } from './json-long.ts'
import { isPresent, readArray, readInteger, readIntegers, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { parsePartitionSpec, partitionSpecToJson, type PartitionSpec } from './partition-spec.ts'
import { parseSchema, schemaToJson, type Schema } from './schema.ts'
import {
  parseSnapshot,
  parseSnapshotRef,
  readStrings,
  snapshotRefToJson,
  snapshotToJson,
  type Snapshot,
  type SnapshotRef,
} from './snapshot.ts'
import { parseSortOrder, sortOrderToJson, type SortOrder } from './sort-order.ts'

/**
 * One change of table metadata (REST spec `TableUpdate`). An id of -1 in `set-current-schema`, `set-default-spec` and
 * `set-default-sort-order` means the one that the same commit added last. A partition field with id
 * `unassignedPartitionFieldId` gets its id when the update is applied.
 */
export type TableUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly formatVersion: 1 | 2 | 3 }
  | { readonly action: 'add-schema'; readonly schema: Schema; readonly lastColumnId?: number }
  | { readonly action: 'set-current-schema'; readonly schemaId: number }
  | { readonly action: 'add-spec'; readonly spec: PartitionSpec }
  | { readonly action: 'set-default-spec'; readonly specId: number }
  | { readonly action: 'add-sort-order'; readonly sortOrder: SortOrder }
  | { readonly action: 'set-default-sort-order'; readonly sortOrderId: number }
  | { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
  | { readonly action: 'set-snapshot-ref'; readonly refName: string; readonly ref: SnapshotRef }
  | { readonly action: 'remove-snapshots'; readonly snapshotIds: readonly bigint[] }
  | { readonly action: 'remove-snapshot-ref'; readonly refName: string }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }
  | { readonly action: 'set-statistics'; readonly statistics: JsonObject }
  | { readonly action: 'remove-statistics'; readonly snapshotId: bigint }
  | { readonly action: 'set-partition-statistics'; readonly partitionStatistics: JsonObject }
  | { readonly action: 'remove-partition-statistics'; readonly snapshotId: bigint }
  | { readonly action: 'remove-partition-specs'; readonly specIds: readonly number[] }
  | { readonly action: 'remove-schemas'; readonly schemaIds: readonly number[] }
  | { readonly action: 'add-encryption-key'; readonly encryptionKey: JsonObject }
  | { readonly action: 'remove-encryption-key'; readonly keyId: string }
  | { readonly action: 'enable-row-lineage' }

/** Field id of a partition field that a client left to the catalog to number. */
export const unassignedPartitionFieldId = -1

/** Update from its REST form. Throws `invalid-input`, also for an action that is not known: it must not be lost. */
export function parseTableUpdate(json: JsonValue): TableUpdate {
  const object = readObject(json, 'update')
  const action = readString(object, 'action', 'update').toLowerCase()
  const parse = Object.hasOwn(parsers, action) ? parsers[action as TableUpdate['action']] : undefined
  if (parse === undefined) throw new FloeError('invalid-input', `update "${action}" is not known`)
  return parse(object, action)
}

type Parser = (object: JsonObject, where: string) => TableUpdate

const parsers: Readonly<Record<TableUpdate['action'], Parser>> = {
  'assign-uuid': (object, where) => ({ action: 'assign-uuid', uuid: readString(object, 'uuid', where) }),
  'upgrade-format-version': (object, where) => ({
    action: 'upgrade-format-version',
    formatVersion: readVersion(object, where),
  }),
  'add-schema': (object, where) => ({
    action: 'add-schema',
    schema: parseSchema(object['schema'] ?? null),
    ...(isPresent(object['last-column-id'])
      ? { lastColumnId: readInteger(object, 'last-column-id', where) }
      : {}),
  }),
  'set-current-schema': (object, where) => ({
    action: 'set-current-schema',
    schemaId: readInteger(object, 'schema-id', where),
  }),
  'add-spec': (object) => ({ action: 'add-spec', spec: parseUnboundSpec(object['spec']) }),
  'set-default-spec': (object, where) => ({
    action: 'set-default-spec',
    specId: readInteger(object, 'spec-id', where),
  }),
  'add-sort-order': (object) => ({
    action: 'add-sort-order',
    sortOrder: parseSortOrder(object['sort-order'] ?? null),
  }),
  'set-default-sort-order': (object, where) => ({
    action: 'set-default-sort-order',
    sortOrderId: readInteger(object, 'sort-order-id', where),
  }),
  'add-snapshot': (object) => ({ action: 'add-snapshot', snapshot: parseSnapshot(object['snapshot']) }),
  'set-snapshot-ref': (object, where) => {
    const refName = readString(object, 'ref-name', where)
    return {
      action: 'set-snapshot-ref',
      refName,
      ref: parseSnapshotRef(object, refName, ['action', 'ref-name']),
    }
  },
  'remove-snapshots': (object, where) => ({
    action: 'remove-snapshots',
    snapshotIds: readArray(object['snapshot-ids'], where).map((id) => toLong(id, `${where}: "snapshot-ids"`)),
  }),
  'remove-snapshot-ref': (object, where) => ({
    action: 'remove-snapshot-ref',
    refName: readString(object, 'ref-name', where),
  }),
  'set-location': (object, where) => ({
    action: 'set-location',
    location: readString(object, 'location', where),
  }),
  // Clients before 1.0 said "updated" and "removed".
  'set-properties': (object, where) => ({
    action: 'set-properties',
    updates: readStrings(object['updates'] ?? object['updated'], `${where}: "updates"`),
  }),
  'remove-properties': (object, where) => ({
    action: 'remove-properties',
    removals: readArray(object['removals'] ?? object['removed'], `${where}: "removals"`).map((key) =>
      readString({ key }, 'key', where),
    ),
  }),
  'set-statistics': (object, where) => ({
    action: 'set-statistics',
    statistics: readStatistics(object['statistics'], where),
  }),
  'remove-statistics': (object, where) => ({
    action: 'remove-statistics',
    snapshotId: readLong(object, 'snapshot-id', where),
  }),
  'set-partition-statistics': (object, where) => ({
    action: 'set-partition-statistics',
    partitionStatistics: readStatistics(object['partition-statistics'], where),
  }),
  'remove-partition-statistics': (object, where) => ({
    action: 'remove-partition-statistics',
    snapshotId: readLong(object, 'snapshot-id', where),
  }),
  'remove-partition-specs': (object, where) => ({
    action: 'remove-partition-specs',
    specIds: readIntegers(object['spec-ids'], `${where}: "spec-ids"`),
  }),
  'remove-schemas': (object, where) => ({
    action: 'remove-schemas',
    schemaIds: readIntegers(object['schema-ids'], `${where}: "schema-ids"`),
  }),
  'add-encryption-key': (object, where) => {
    const encryptionKey = readObject(object['encryption-key'], `${where}: "encryption-key"`)
    readString(encryptionKey, 'key-id', where)
    return { action: 'add-encryption-key', encryptionKey }
  },
  'remove-encryption-key': (object, where) => ({
    action: 'remove-encryption-key',
    keyId: readString(object, 'key-id', where),
  }),
  'enable-row-lineage': () => ({ action: 'enable-row-lineage' }),
}

function readVersion(object: JsonObject, where: string): 1 | 2 | 3 {
  const version = readInteger(object, 'format-version', where)
  if (version === 1 || version === 2 || version === 3) return version
  throw new FloeError('invalid-input', `${where}: format version ${version} is not supported`, {
    hint: 'use 1, 2 or 3',
  })
}

/** REST clients may leave field ids to the catalog, which then must not be those that v1 numbering gives. */
function parseUnboundSpec(json: JsonValue | undefined): PartitionSpec {
  const object = readObject(json, 'partition spec')
  const fields = readArray(object['fields'], 'partition spec fields').map((field) => {
    const member = readObject(field, 'partition field')
    return isPresent(member['field-id']) ? member : { ...member, 'field-id': unassignedPartitionFieldId }
  })
  return parsePartitionSpec({ ...object, fields })
}

function readStatistics(json: JsonValue | undefined, where: string): JsonObject {
  const statistics = readObject(json, where)
  readLong(statistics, 'snapshot-id', where)
  return statistics
}

/** Inverse of `parseTableUpdate`. */
export function tableUpdateToJson(update: TableUpdate): JsonObject {
  const { action } = update
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: update.uuid }
    case 'upgrade-format-version':
      return { action, 'format-version': update.formatVersion }
    case 'add-schema':
      return {
        action,
        schema: schemaToJson(update.schema),
        ...(update.lastColumnId === undefined ? {} : { 'last-column-id': update.lastColumnId }),
      }
    case 'set-current-schema':
      return { action, 'schema-id': update.schemaId }
    case 'add-spec':
      return { action, spec: unboundSpecToJson(update.spec) }
    case 'set-default-spec':
      return { action, 'spec-id': update.specId }
    case 'add-sort-order':
      return { action, 'sort-order': sortOrderToJson(update.sortOrder) }
    case 'set-default-sort-order':
      return { action, 'sort-order-id': update.sortOrderId }
    case 'remove-partition-specs':
      return { action, 'spec-ids': update.specIds }
    case 'remove-schemas':
      return { action, 'schema-ids': update.schemaIds }
    case 'enable-row-lineage':
      return { action }
    default:
      return dataUpdateToJson(update)
  }
}

type LayoutAction =
  | 'assign-uuid'
  | 'upgrade-format-version'
  | 'add-schema'
  | 'set-current-schema'
  | 'add-spec'
  | 'set-default-spec'
  | 'add-sort-order'
  | 'set-default-sort-order'
  | 'remove-partition-specs'
  | 'remove-schemas'
  | 'enable-row-lineage'

/** Updates of snapshots and of what hangs on them. */
function dataUpdateToJson(update: Exclude<TableUpdate, { action: LayoutAction }>): JsonObject {
  const { action } = update
  switch (action) {
    case 'add-snapshot':
      return { action, snapshot: snapshotToJson(update.snapshot) }
    case 'set-snapshot-ref':
      return { action, 'ref-name': update.refName, ...snapshotRefToJson(update.ref) }
    case 'remove-snapshots':
      return { action, 'snapshot-ids': update.snapshotIds.map(longToJson) }
    case 'remove-snapshot-ref':
      return { action, 'ref-name': update.refName }
    case 'set-location':
      return { action, location: update.location }
    case 'set-properties':
      return { action, updates: update.updates }
    case 'remove-properties':
      return { action, removals: update.removals }
    case 'set-statistics':
      // The member of the update itself is deprecated, but required by clients and servers of before.
      return {
        action,
        'snapshot-id': update.statistics['snapshot-id'] ?? null,
        statistics: update.statistics,
      }
    case 'set-partition-statistics':
      return { action, 'partition-statistics': update.partitionStatistics }
    case 'remove-statistics':
    case 'remove-partition-statistics':
      return { action, 'snapshot-id': longToJson(update.snapshotId) }
    case 'add-encryption-key':
      return { action, 'encryption-key': update.encryptionKey }
    case 'remove-encryption-key':
      return { action, 'key-id': update.keyId }
  }
}

function unboundSpecToJson(spec: PartitionSpec): JsonObject {
  const json = partitionSpecToJson(spec)
  const fields = readArray(json['fields'], 'partition spec fields').map((field) => {
    const { 'field-id': id, ...rest } = readObject(field, 'partition field')
    return id === unassignedPartitionFieldId ? rest : { ...rest, 'field-id': id as JsonValue }
  })
  return { ...json, fields }
}
