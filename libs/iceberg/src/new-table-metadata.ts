import { FloeError } from './error.ts'
import { firstPartitionFieldId, unpartitionedSpec, type PartitionSpec } from './partition-spec.ts'
import { assignFreshIds, type Schema } from './schema.ts'
import { checkSchema, checkSortOrder, checkSpec } from './schema-fit.ts'
import { unsortedOrder, type SortOrder } from './sort-order.ts'
import { isReservedProperty } from './reserved-property.ts'
import { defaultFormatVersion, type FormatVersion, type TableMetadata } from './table-metadata.ts'

export type NewTable = {
  /** Ids may be arbitrary but unique: fresh ones are assigned. */
  readonly schema: Schema
  readonly spec?: PartitionSpec
  readonly sortOrder?: SortOrder
  readonly location: string
  readonly properties?: Readonly<Record<string, string>>
  readonly uuid: string
  readonly nowMs: number
  /** Default: the reserved property `format-version`, else 2. */
  readonly formatVersion?: FormatVersion
}

/**
 * Metadata of a table without data: fresh ids in schema, spec and order; schema 0, spec 0, order 1 (0 when unsorted).
 * Reserved properties are not kept.
 * @throws FloeError invalid-input when spec or order do not fit the schema
 */
export function newTableMetadata(table: NewTable): TableMetadata {
  const properties = table.properties ?? {}
  const formatVersion = table.formatVersion ?? versionFromProperties(properties)
  let lastColumnId = 0
  const { schema: fresh, freshIds } = assignFreshIds(table.schema, () => ++lastColumnId)
  const schema: Schema = { ...fresh, schemaId: 0 }
  const spec = freshSpec(table.spec ?? unpartitionedSpec, freshIds)
  const sortOrder = freshSortOrder(table.sortOrder ?? unsortedOrder, freshIds)
  checkSchema(schema, formatVersion)
  checkSpec(spec, schema)
  checkSortOrder(sortOrder, schema)
  return {
    formatVersion,
    tableUuid: table.uuid,
    location: withoutTrailingSlash(table.location),
    lastSequenceNumber: 0n,
    lastUpdatedMs: table.nowMs,
    lastColumnId,
    schemas: [schema],
    currentSchemaId: schema.schemaId,
    partitionSpecs: [spec],
    defaultSpecId: spec.specId,
    lastPartitionId: firstPartitionFieldId - 1 + spec.fields.length,
    sortOrders: [sortOrder],
    defaultSortOrderId: sortOrder.orderId,
    properties: Object.fromEntries(Object.entries(properties).filter(([key]) => !isReservedProperty(key))),
    snapshots: [],
    snapshotLog: [],
    metadataLog: [],
    refs: {},
    ...(formatVersion === 3 ? { nextRowId: 0n } : {}),
    statistics: [],
    partitionStatistics: [],
    encryptionKeys: [],
  }
}

function versionFromProperties(properties: Readonly<Record<string, string>>): FormatVersion {
  const text = properties['format-version']
  if (text === undefined) return defaultFormatVersion
  if (text === '1' || text === '2' || text === '3') return Number(text) as FormatVersion
  throw new FloeError('invalid-input', `property format-version is "${text}"; it may be 1, 2 or 3`)
}

function freshSpec(spec: PartitionSpec, freshIds: ReadonlyMap<number, number>): PartitionSpec {
  return {
    specId: 0,
    fields: spec.fields.map((field, at) => ({
      ...field,
      sourceIds: freshSources(field.sourceIds, freshIds, `partition field "${field.name}"`),
      fieldId: firstPartitionFieldId + at,
    })),
  }
}

function freshSortOrder(order: SortOrder, freshIds: ReadonlyMap<number, number>): SortOrder {
  if (order.fields.length === 0) return unsortedOrder
  const fields = order.fields.map((field) => ({
    ...field,
    sourceIds: freshSources(field.sourceIds, freshIds, 'sort field'),
  }))
  return { orderId: 1, fields }
}

function freshSources(
  ids: readonly number[],
  freshIds: ReadonlyMap<number, number>,
  where: string,
): readonly number[] {
  return ids.map((id) => {
    const fresh = freshIds.get(id)
    if (fresh === undefined)
      throw new FloeError('invalid-input', `${where}: there is no column with id ${id}`)
    return fresh
  })
}

/** Spec: paths are made by appending `/data` and `/metadata`, so Java strips the slash too. */
export function withoutTrailingSlash(location: string): string {
  return location.endsWith('/') && !location.endsWith('//') ? location.slice(0, -1) : location
}
