import { changeDraft, resolveLastAdded, type Draft } from './apply-update-draft.ts'
import { FloeError } from './error.ts'
import { jsonEqual } from './json.ts'
import { withoutTrailingSlash } from './new-table-metadata.ts'
import {
  firstPartitionFieldId,
  partitionSpecsCompatible,
  type PartitionField,
  type PartitionSpec,
} from './partition-spec.ts'
import { isReservedProperty } from './reserved-property.ts'
import { checkSchema, checkSortOrder, checkSpec } from './schema-fit.ts'
import { highestFieldId, schemasEqual, type Schema } from './schema.ts'
import { sortOrderToJson, type SortOrder } from './sort-order.ts'
import type { SnapshotUpdate } from './apply-update-snapshot.ts'
import { currentSchema, type FormatVersion, type TableMetadata } from './table-metadata.ts'
import { unassignedPartitionFieldId, type TableUpdate } from './table-update.ts'
import { transformsEqual } from './transform.ts'

/** Applies an update of everything but snapshots. */
export function applyLayoutUpdate(draft: Draft, update: Exclude<TableUpdate, SnapshotUpdate>): Draft {
  switch (update.action) {
    case 'assign-uuid':
      return assignUuid(draft, update.uuid)
    case 'upgrade-format-version':
      return upgradeFormatVersion(draft, update.formatVersion)
    case 'add-schema':
      return addSchema(draft, update.schema)
    case 'set-current-schema':
      return setCurrentSchema(draft, update.schemaId)
    case 'remove-schemas':
      return removeSchemas(draft, update.schemaIds)
    case 'add-spec':
      return addSpec(draft, update.spec)
    case 'set-default-spec':
      return setDefaultSpec(draft, update.specId)
    case 'remove-partition-specs':
      return removeSpecs(draft, update.specIds)
    case 'add-sort-order':
      return addSortOrder(draft, update.sortOrder)
    case 'set-default-sort-order':
      return setDefaultSortOrder(draft, update.sortOrderId)
    case 'set-location':
      return setLocation(draft, withoutTrailingSlash(update.location))
    case 'set-properties':
      return setProperties(draft, update.updates)
    case 'remove-properties':
      return removeProperties(draft, update.removals)
    case 'add-encryption-key': {
      const { encryptionKeys } = draft.metadata
      const known = encryptionKeys.some((key) => key['key-id'] === update.encryptionKey['key-id'])
      return known ? draft : changeDraft(draft, { encryptionKeys: [...encryptionKeys, update.encryptionKey] })
    }
    case 'remove-encryption-key': {
      const kept = draft.metadata.encryptionKeys.filter((key) => key['key-id'] !== update.keyId)
      return kept.length === draft.metadata.encryptionKeys.length
        ? draft
        : changeDraft(draft, { encryptionKeys: kept })
    }
    case 'enable-row-lineage':
      if (draft.metadata.formatVersion === 3) return draft
      throw new FloeError('invalid-input', 'row lineage needs format version 3', {
        hint: 'send upgrade-format-version',
      })
  }
}

function assignUuid(draft: Draft, uuid: string): Draft {
  const old = draft.metadata.tableUuid
  if (old.toLowerCase() === uuid.toLowerCase()) return draft
  if (old !== '') throw new FloeError('invalid-input', `the table has uuid ${old}, it cannot become ${uuid}`)
  return changeDraft(draft, { tableUuid: uuid })
}

function upgradeFormatVersion(draft: Draft, formatVersion: FormatVersion): Draft {
  const old = draft.metadata.formatVersion
  if (formatVersion === old) return draft
  if (formatVersion < old)
    throw new FloeError('invalid-input', `cannot downgrade v${old} table to v${formatVersion}`)
  return changeDraft(draft, {
    formatVersion,
    ...(formatVersion === 3 ? { nextRowId: draft.metadata.nextRowId ?? 0n } : {}),
  })
}

function addSchema(draft: Draft, schema: Schema): Draft {
  const { metadata } = draft
  checkSchema(schema, metadata.formatVersion)
  const lastColumnId = Math.max(metadata.lastColumnId, highestFieldId(schema))
  const equal = metadata.schemas.find((known) => schemasEqual(known, schema))
  if (equal !== undefined) return { ...draft, lastAddedSchemaId: equal.schemaId }
  const highest = Math.max(...metadata.schemas.map((known) => known.schemaId))
  const schemaId = metadata.schemas.length === 0 ? 0 : Math.max(metadata.currentSchemaId, highest + 1)
  const schemas = [...metadata.schemas, { ...schema, schemaId }]
  return { ...changeDraft(draft, { schemas, lastColumnId }), lastAddedSchemaId: schemaId }
}

function setCurrentSchema(draft: Draft, id: number): Draft {
  const schemaId = resolveLastAdded(id, draft.lastAddedSchemaId, 'schema')
  if (schemaId === draft.metadata.currentSchemaId) return draft
  if (!draft.metadata.schemas.some((schema) => schema.schemaId === schemaId))
    throw unknown('schema', schemaId)
  return changeDraft(draft, { currentSchemaId: schemaId })
}

function removeSchemas(draft: Draft, ids: readonly number[]): Draft {
  const { schemas, currentSchemaId } = draft.metadata
  if (ids.includes(currentSchemaId)) throw new FloeError('invalid-input', 'cannot remove the current schema')
  const kept = schemas.filter((schema) => !ids.includes(schema.schemaId))
  return kept.length === schemas.length ? draft : changeDraft(draft, { schemas: kept })
}

function addSpec(draft: Draft, spec: PartitionSpec): Draft {
  const { metadata } = draft
  const equal = metadata.partitionSpecs.find((known) => partitionSpecsCompatible(known, spec))
  if (equal !== undefined) return { ...draft, lastAddedSpecId: equal.specId }
  if (metadata.schemas.length === 0)
    throw new FloeError('invalid-input', 'add a schema before a partition spec')
  const specId = Math.max(-1, ...metadata.partitionSpecs.map((known) => known.specId)) + 1
  const added: PartitionSpec = { ...spec, specId, fields: assignFieldIds(metadata, spec.fields) }
  checkSpec(added, currentSchema(metadata))
  checkSequentialIds(metadata, added)
  const lastPartitionId = Math.max(metadata.lastPartitionId, ...added.fields.map((field) => field.fieldId))
  const partitionSpecs = [...metadata.partitionSpecs, added]
  return { ...changeDraft(draft, { partitionSpecs, lastPartitionId }), lastAddedSpecId: specId }
}

/** Spec "Partition Evolution": a field that was there before gets its id back, others get ids never used. */
function assignFieldIds(
  metadata: TableMetadata,
  fields: readonly PartitionField[],
): readonly PartitionField[] {
  const known = metadata.partitionSpecs.flatMap((spec) => spec.fields)
  let next = Math.max(metadata.lastPartitionId, ...fields.map((field) => field.fieldId)) + 1
  return fields.map((field) => {
    if (field.fieldId !== unassignedPartitionFieldId) return field
    const same = known.find(
      ({ sourceIds, transform }) =>
        String(sourceIds) === String(field.sourceIds) && transformsEqual(transform, field.transform),
    )
    return { ...field, fieldId: same?.fieldId ?? next++ }
  })
}

function checkSequentialIds(metadata: TableMetadata, spec: PartitionSpec): void {
  // v1 readers number the fields themselves, by position.
  if (
    metadata.formatVersion > 1 ||
    spec.fields.every((field, at) => field.fieldId === firstPartitionFieldId + at)
  )
    return
  throw new FloeError('invalid-input', 'partition field ids must be 1000, 1001 and so on in a v1 table', {
    hint: 'keep dropped fields as void, or upgrade the table to format version 2',
  })
}

function setDefaultSpec(draft: Draft, id: number): Draft {
  const specId = resolveLastAdded(id, draft.lastAddedSpecId, 'partition spec')
  if (specId === draft.metadata.defaultSpecId) return draft
  if (!draft.metadata.partitionSpecs.some((spec) => spec.specId === specId))
    throw unknown('partition spec', specId)
  return changeDraft(draft, { defaultSpecId: specId })
}

function removeSpecs(draft: Draft, ids: readonly number[]): Draft {
  const { partitionSpecs, defaultSpecId } = draft.metadata
  if (ids.includes(defaultSpecId))
    throw new FloeError('invalid-input', 'cannot remove the default partition spec')
  const kept = partitionSpecs.filter((spec) => !ids.includes(spec.specId))
  return kept.length === partitionSpecs.length ? draft : changeDraft(draft, { partitionSpecs: kept })
}

function addSortOrder(draft: Draft, order: SortOrder): Draft {
  const { metadata } = draft
  const equal = metadata.sortOrders.find((known) => sameOrder(known, order))
  if (equal !== undefined) return { ...draft, lastAddedSortOrderId: equal.orderId }
  if (metadata.schemas.length === 0) throw new FloeError('invalid-input', 'add a schema before a sort order')
  const orderId =
    order.fields.length === 0 ? 0 : Math.max(0, ...metadata.sortOrders.map((known) => known.orderId)) + 1
  const added: SortOrder = { ...order, orderId }
  checkSortOrder(added, currentSchema(metadata))
  return {
    ...changeDraft(draft, { sortOrders: [...metadata.sortOrders, added] }),
    lastAddedSortOrderId: orderId,
  }
}

function sameOrder(a: SortOrder, b: SortOrder): boolean {
  return jsonEqual(sortOrderToJson(a)['fields'], sortOrderToJson(b)['fields'])
}

function setDefaultSortOrder(draft: Draft, id: number): Draft {
  const orderId = resolveLastAdded(id, draft.lastAddedSortOrderId, 'sort order')
  if (orderId === draft.metadata.defaultSortOrderId) return draft
  if (!draft.metadata.sortOrders.some((order) => order.orderId === orderId))
    throw unknown('sort order', orderId)
  return changeDraft(draft, { defaultSortOrderId: orderId })
}

function setLocation(draft: Draft, location: string): Draft {
  return location === draft.metadata.location ? draft : changeDraft(draft, { location })
}

function setProperties(draft: Draft, updates: Readonly<Record<string, string>>): Draft {
  const reserved = Object.keys(updates).find(isReservedProperty)
  if (reserved !== undefined) {
    throw new FloeError('invalid-input', `property "${reserved}" is reserved: it cannot be set`, {
      hint: 'use the update that changes what it stands for, such as upgrade-format-version',
    })
  }
  const properties = { ...draft.metadata.properties, ...updates }
  return jsonEqual(properties, draft.metadata.properties) ? draft : changeDraft(draft, { properties })
}

function removeProperties(draft: Draft, removals: readonly string[]): Draft {
  const entries = Object.entries(draft.metadata.properties)
  const kept = entries.filter(([key]) => !removals.includes(key))
  return kept.length === entries.length ? draft : changeDraft(draft, { properties: Object.fromEntries(kept) })
}

function unknown(what: string, id: number): FloeError {
  return new FloeError('invalid-input', `the table has no ${what} ${id}`)
}
