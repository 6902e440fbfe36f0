import { FloeError } from './error.ts'
import { longToJson, readOptionalLong } from './json-long.ts'
import { readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { findRef, type TableMetadata } from './table-metadata.ts'

/** One condition of a commit (REST spec `TableRequirement`), checked against the metadata that the commit starts from. */
export type TableRequirement =
  | { readonly type: 'assert-create' }
  | { readonly type: 'assert-table-uuid'; readonly uuid: string }
  /** Without `snapshotId` the ref must not exist. */
  | { readonly type: 'assert-ref-snapshot-id'; readonly ref: string; readonly snapshotId: bigint | undefined }
  | { readonly type: 'assert-last-assigned-field-id'; readonly lastAssignedFieldId: number }
  | { readonly type: 'assert-current-schema-id'; readonly currentSchemaId: number }
  | { readonly type: 'assert-last-assigned-partition-id'; readonly lastAssignedPartitionId: number }
  | { readonly type: 'assert-default-spec-id'; readonly defaultSpecId: number }
  | { readonly type: 'assert-default-sort-order-id'; readonly defaultSortOrderId: number }

/** Requirement from its REST form. Throws `invalid-input`, also for a type that is not known: it must not pass unchecked. */
export function parseTableRequirement(json: JsonValue): TableRequirement {
  const object = readObject(json, 'requirement')
  const type = readString(object, 'type', 'requirement').toLowerCase()
  switch (type) {
    case 'assert-create':
      return { type }
    case 'assert-table-uuid':
      return { type, uuid: readString(object, 'uuid', type) }
    case 'assert-ref-snapshot-id':
      return {
        type,
        ref: readString(object, 'ref', type),
        snapshotId: readOptionalLong(object, 'snapshot-id', type),
      }
    case 'assert-last-assigned-field-id':
      return { type, lastAssignedFieldId: readInteger(object, 'last-assigned-field-id', type) }
    case 'assert-current-schema-id':
      return { type, currentSchemaId: readInteger(object, 'current-schema-id', type) }
    case 'assert-last-assigned-partition-id':
      return { type, lastAssignedPartitionId: readInteger(object, 'last-assigned-partition-id', type) }
    case 'assert-default-spec-id':
      return { type, defaultSpecId: readInteger(object, 'default-spec-id', type) }
    case 'assert-default-sort-order-id':
      return { type, defaultSortOrderId: readInteger(object, 'default-sort-order-id', type) }
    default:
      throw new FloeError('invalid-input', `requirement "${type}" is not known`)
  }
}

/** Inverse of `parseTableRequirement`. */
export function tableRequirementToJson(requirement: TableRequirement): JsonObject {
  const { type } = requirement
  switch (type) {
    case 'assert-create':
      return { type }
    case 'assert-table-uuid':
      return { type, uuid: requirement.uuid }
    case 'assert-ref-snapshot-id': {
      const { ref, snapshotId } = requirement
      return { type, ref, 'snapshot-id': snapshotId === undefined ? null : longToJson(snapshotId) }
    }
    case 'assert-last-assigned-field-id':
      return { type, 'last-assigned-field-id': requirement.lastAssignedFieldId }
    case 'assert-current-schema-id':
      return { type, 'current-schema-id': requirement.currentSchemaId }
    case 'assert-last-assigned-partition-id':
      return { type, 'last-assigned-partition-id': requirement.lastAssignedPartitionId }
    case 'assert-default-spec-id':
      return { type, 'default-spec-id': requirement.defaultSpecId }
    case 'assert-default-sort-order-id':
      return { type, 'default-sort-order-id': requirement.defaultSortOrderId }
  }
}

/**
 * Checks a requirement against the table as it is, `undefined` when there is none.
 * @throws FloeError commit-conflict, not retryable as it stands: the writer has to reload and decide again
 */
export function checkRequirement(base: TableMetadata | undefined, requirement: TableRequirement): void {
  if (requirement.type === 'assert-create') {
    if (base !== undefined) failed('table already exists')
    return
  }
  if (base === undefined) return checkMissing(requirement.type)
  switch (requirement.type) {
    case 'assert-table-uuid':
      if (requirement.uuid.toLowerCase() !== base.tableUuid.toLowerCase()) {
        failed(`UUID does not match: expected ${base.tableUuid} != ${requirement.uuid}`)
      }
      return
    case 'assert-ref-snapshot-id':
      return checkRef(base, requirement.ref, requirement.snapshotId)
    case 'assert-last-assigned-field-id':
      return checkId('last assigned field id', requirement.lastAssignedFieldId, base.lastColumnId)
    case 'assert-current-schema-id':
      return checkId('current schema', requirement.currentSchemaId, base.currentSchemaId)
    case 'assert-last-assigned-partition-id':
      return checkId('last assigned partition id', requirement.lastAssignedPartitionId, base.lastPartitionId)
    case 'assert-default-spec-id':
      return checkId('default partition spec', requirement.defaultSpecId, base.defaultSpecId)
    case 'assert-default-sort-order-id':
      return checkId('default sort order', requirement.defaultSortOrderId, base.defaultSortOrderId)
  }
}

/** Java lets the last assigned ids pass for a table that is being created: there are none yet. */
function checkMissing(type: TableRequirement['type']): void {
  if (type !== 'assert-last-assigned-field-id' && type !== 'assert-last-assigned-partition-id') {
    failed('table does not exist')
  }
}

function checkRef(base: TableMetadata, name: string, snapshotId: bigint | undefined): void {
  const ref = findRef(base, name)
  if (ref === undefined) {
    if (snapshotId !== undefined) failed(`branch or tag ${name} is missing, expected ${snapshotId}`)
  } else if (snapshotId === undefined) {
    failed(`${ref.type} ${name} was created concurrently`)
  } else if (snapshotId !== ref.snapshotId) {
    failed(`${ref.type} ${name} has changed: expected id ${snapshotId} != ${ref.snapshotId}`)
  }
}

function checkId(what: string, expected: number, actual: number): void {
  if (expected !== actual) failed(`${what} changed: expected id ${expected} != ${actual}`)
}

function failed(what: string): never {
  throw new FloeError('commit-conflict', `Requirement failed: ${what}`, {
    hint: 'reload the table and prepare the commit again',
  })
}
