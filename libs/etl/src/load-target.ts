import {
  applyTableUpdates,
  FloeError,
  newTableMetadata,
  parsePartitionExpression,
  parseSortExpression,
  partitionSpecsCompatible,
  sortOrdersEqual,
  unsortedOrder,
} from '@floe/iceberg'
import type { PartitionSpec, Schema, SortOrder, TableMetadata, TableUpdate } from '@floe/iceberg'
import type { Catalog, LoadedTable, TableIdentifier } from '@floe/catalog'
import type { ColumnPlan, SourceTable } from '@floe/postgres'
import { createSchema, reconcileSchema } from './reconcile-schema.ts'
import type { ReconciledSchema, SchemaChange } from './reconcile-schema.ts'
import { parseSourceMapping, sourceMappingProperties } from './source-mapping.ts'
import { positionProperty } from './source-position.ts'

/** `incremental` makes the table when it does not exist, and then adds what the source has got since. */
export type LoadMode = 'create' | 'append' | 'replace' | 'incremental'

export type TargetRequest = {
  readonly identifier: TableIdentifier
  readonly mode: LoadMode
  readonly source: SourceTable
  readonly columns: readonly ColumnPlan[]
  readonly partitionBy?: string
  readonly sortBy?: string
  readonly properties?: Readonly<Record<string, string>>
  /** Nothing will be written: the namespace need not exist. */
  readonly dryRun?: boolean
  /** Delete files of all partitions will be written: they need a spec without fields. */
  readonly needsGlobalDeletes?: boolean
}

/** The table that a load writes to: as it is, as it will be, and the updates that lie between. */
export type LoadTarget = {
  readonly base: LoadedTable
  readonly metadata: TableMetadata
  readonly updates: readonly TableUpdate[]
  readonly schema: Schema
  readonly fileSchema: Schema
  readonly spec: PartitionSpec
  /** The table's, which files are sorted by; without fields for tables that have none. */
  readonly sortOrder: SortOrder
  readonly changes: readonly SchemaChange[]
}

type TargetComponents = {
  readonly catalog: Catalog
  readonly clock: { now(): number }
  readonly uuid: () => string
}

/** Decides schema, partition spec and metadata updates of a load; makes nothing visible. */
export async function planTarget(
  request: TargetRequest,
  existing: LoadedTable | undefined,
  components: TargetComponents,
): Promise<LoadTarget> {
  return existing === undefined
    ? planNewTable(request, components)
    : planExistingTable(request, existing, components)
}

export function tableName({ namespace, name }: TableIdentifier): string {
  return [...namespace, name].join('.')
}

/** The table that the load goes to, if there is one; whether there has to be, the mode says. */
export async function findTargetTable(
  { identifier, mode }: Pick<TargetRequest, 'identifier' | 'mode'>,
  catalog: Catalog,
): Promise<LoadedTable | undefined> {
  // The marks of earlier loads are in the summaries of old snapshots.
  const snapshots = mode === 'incremental' ? 'all' : 'refs'
  const found = await catalog.loadTable(identifier, { snapshots }).catch((error: unknown) => {
    if (error instanceof FloeError && error.code === 'not-found') return undefined
    throw error
  })
  const table = tableName(identifier)
  if (found !== undefined && mode === 'create') {
    throw new FloeError('already-exists', `table ${table} exists already`, {
      hint: 'use --mode append to add rows, or --mode replace to load it anew',
    })
  }
  if (found === undefined && mode === 'append') {
    throw new FloeError('not-found', `table ${table} does not exist`, {
      hint: 'use --mode create for the first load',
    })
  }
  return found
}

async function planNewTable(request: TargetRequest, components: TargetComponents): Promise<LoadTarget> {
  const { columns, source } = request
  const { clock } = components
  const staged = await stageNewTable(request, components)
  const schema = currentSchemaOf(staged.metadata)
  // Ids are the catalog's to assign: the mapping has to name those, and so do the files.
  const fieldIds = new Map(columns.map(({ attnum }, index) => [attnum, schema.fields[index]?.id ?? 0]))
  const mapping: TableUpdate = {
    action: 'set-properties',
    updates: mappingProperties(source, { fieldIdByAttnum: fieldIds }),
  }
  const metadata = applyTableUpdates(staged.metadata, [mapping], { nowMs: clock.now() })
  return {
    base: staged,
    metadata,
    updates: creationUpdates(metadata),
    schema,
    fileSchema: schema,
    spec: defaultSpecOf(metadata),
    sortOrder: sortOrderOf(metadata),
    changes: [],
  }
}

/** The same new table at the place, and with the uuid, that an earlier load of it was given. */
export function adoptStaged(
  target: LoadTarget,
  { location, uuid }: { readonly location: string; readonly uuid: string },
): LoadTarget {
  const at = { location, tableUuid: uuid }
  const metadata = { ...target.metadata, ...at }
  const base = { ...target.base, metadata: { ...target.base.metadata, ...at } }
  return { ...target, base, metadata, updates: creationUpdates(metadata) }
}

async function stageNewTable(
  request: TargetRequest,
  { catalog, clock, uuid }: TargetComponents,
): Promise<LoadedTable> {
  const { identifier, columns, source, partitionBy, sortBy, properties, dryRun } = request
  const created = createSchema(columns, source.primaryKey)
  const partitionSpec =
    partitionBy === undefined ? undefined : parsePartitionExpression(partitionBy, created.schema)
  const sortOrder = sortBy === undefined ? undefined : parseSortExpression(sortBy, created.schema)
  const definition = {
    schema: created.schema,
    ...(sortOrder === undefined ? {} : { sortOrder }),
    ...(partitionSpec === undefined ? {} : { partitionSpec }),
    properties: { ...commentProperties(source), ...properties, ...mappingProperties(source, created) },
  }
  if (dryRun !== true) return catalog.stageTable(identifier, definition)
  const { schema, properties: all } = definition
  const metadata = newTableMetadata({
    schema,
    properties: all,
    location: 'not-assigned',
    uuid: uuid(),
    nowMs: clock.now(),
    formatVersion: 2,
    ...(partitionSpec === undefined ? {} : { spec: partitionSpec }),
    ...(sortOrder === undefined ? {} : { sortOrder }),
  })
  return { identifier, metadata, metadataLocation: undefined, config: {} }
}

function planExistingTable(
  request: TargetRequest,
  base: LoadedTable,
  { clock }: TargetComponents,
): LoadTarget {
  const { identifier, columns, source, mode } = request
  const name = tableName(identifier)
  assertSameSource(name, base.metadata, source)
  const reconciled = reconcileSchema(name, base.metadata, columns, mode === 'replace' ? 'drop' : 'keep')
  const updates = [
    ...schemaUpdates(base.metadata, reconciled),
    ...specUpdates(request, base.metadata, reconciled.schema),
    ...sortUpdates(request, base.metadata, reconciled.schema),
    ...globalSpecUpdates(request, base.metadata),
    ...positionRemoval(request, base.metadata),
    {
      action: 'set-properties',
      updates: {
        ...commentProperties(source),
        ...request.properties,
        ...mappingProperties(source, reconciled),
      },
    },
  ] satisfies TableUpdate[]
  const metadata = applyTableUpdates(base.metadata, updates, { nowMs: clock.now() })
  return {
    base,
    metadata,
    updates,
    schema: currentSchemaOf(metadata),
    fileSchema: reconciled.fileSchema,
    spec: defaultSpecOf(metadata),
    sortOrder: sortOrderOf(metadata),
    changes: reconciled.changes,
  }
}

/** Spec "Scan Planning": equality deletes of an unpartitioned spec apply to every partition. */
function globalSpecUpdates({ needsGlobalDeletes }: TargetRequest, base: TableMetadata): TableUpdate[] {
  if (needsGlobalDeletes !== true || globalSpecOf(base) !== undefined) return []
  const specId = Math.max(...base.partitionSpecs.map((known) => known.specId)) + 1
  return [{ action: 'add-spec', spec: { specId, fields: [] } }]
}

export function globalSpecOf({ partitionSpecs }: TableMetadata): PartitionSpec | undefined {
  return partitionSpecs.find(({ fields }) => fields.length === 0)
}

/** Where a table stood before its rows were replaced says nothing about the new ones. */
function positionRemoval({ mode, properties }: TargetRequest, base: TableMetadata): TableUpdate[] {
  const isStale =
    mode === 'replace' &&
    properties?.[positionProperty] === undefined &&
    base.properties[positionProperty] !== undefined
  return isStale ? [{ action: 'remove-properties', removals: [positionProperty] }] : []
}

function assertSameSource(name: string, metadata: TableMetadata, source: SourceTable): void {
  const mapped = parseSourceMapping(metadata.properties)?.table
  const loaded = `${source.schema}.${source.name}`
  if (mapped === undefined || mapped === '' || mapped === loaded) return
  throw new FloeError('invalid-input', `${name} was loaded from ${mapped}, not from ${loaded}`, {
    hint: `load ${loaded} into a table of its own (--to another namespace), or remove the property floe.source.columns to match columns by name`,
  })
}

function mappingProperties(
  source: SourceTable,
  { fieldIdByAttnum }: Pick<ReconciledSchema, 'fieldIdByAttnum'>,
): Record<string, string> {
  return sourceMappingProperties({ table: `${source.schema}.${source.name}`, fieldIdByAttnum })
}

/** `comment` is what other engines show for a table. A source without one leaves the table's as it is, as with columns. */
function commentProperties({ comment }: SourceTable): Record<string, string> {
  return comment === undefined ? {} : { comment }
}

function schemaUpdates(
  base: TableMetadata,
  { schema, changes, lastColumnId }: ReconciledSchema,
): TableUpdate[] {
  const isSame =
    changes.length === 0 && JSON.stringify(schema.fields) === JSON.stringify(currentSchemaOf(base).fields)
  if (isSame) return []
  const schemaId = Math.max(...base.schemas.map((known) => known.schemaId)) + 1
  return [
    { action: 'add-schema', schema: { ...schema, schemaId }, lastColumnId },
    { action: 'set-current-schema', schemaId: -1 },
  ]
}

function specUpdates(
  { partitionBy, identifier, mode }: TargetRequest,
  base: TableMetadata,
  schema: Schema,
): TableUpdate[] {
  if (partitionBy === undefined) return []
  const wanted = parsePartitionExpression(partitionBy, schema)
  if (partitionSpecsCompatible(wanted, defaultSpecOf(base))) return []
  if (mode !== 'replace') {
    throw new FloeError('invalid-input', `${tableName(identifier)} is not partitioned by ${partitionBy}`, {
      hint: 'load without --partition-by to keep the table as it is, or load with --mode replace',
    })
  }
  const specId = Math.max(...base.partitionSpecs.map((known) => known.specId)) + 1
  let fieldId = Math.max(base.lastPartitionId, 999)
  const fields = wanted.fields.map((field) => ({ ...field, fieldId: ++fieldId }))
  return [
    { action: 'add-spec', spec: { specId, fields } },
    { action: 'set-default-spec', specId: -1 },
  ]
}

/** An order says nothing of older files: each names its own. So it may change with any load. */
function sortUpdates({ sortBy }: TargetRequest, base: TableMetadata, schema: Schema): TableUpdate[] {
  if (sortBy === undefined) return []
  const wanted = parseSortExpression(sortBy, schema)
  if (sortOrdersEqual(wanted, sortOrderOf(base))) return []
  const orderId =
    wanted.fields.length === 0 ? 0 : Math.max(...base.sortOrders.map((known) => known.orderId)) + 1
  return [
    { action: 'add-sort-order', sortOrder: { ...wanted, orderId } },
    { action: 'set-default-sort-order', sortOrderId: -1 },
  ]
}

/** Everything that makes a table out of nothing, for a commit that asserts that there is none. */
function creationUpdates(metadata: TableMetadata): readonly TableUpdate[] {
  return [
    { action: 'assign-uuid', uuid: metadata.tableUuid },
    { action: 'upgrade-format-version', formatVersion: metadata.formatVersion },
    { action: 'add-schema', schema: currentSchemaOf(metadata), lastColumnId: metadata.lastColumnId },
    { action: 'set-current-schema', schemaId: -1 },
    { action: 'add-spec', spec: defaultSpecOf(metadata) },
    { action: 'set-default-spec', specId: -1 },
    { action: 'add-sort-order', sortOrder: sortOrderOf(metadata) },
    { action: 'set-default-sort-order', sortOrderId: -1 },
    { action: 'set-location', location: metadata.location },
    { action: 'set-properties', updates: metadata.properties },
  ]
}

function currentSchemaOf({ schemas, currentSchemaId, location }: TableMetadata): Schema {
  const schema = schemas.find(({ schemaId }) => schemaId === currentSchemaId)
  if (schema !== undefined) return schema
  throw new FloeError('corrupt-data', `the metadata of ${location} has no schema ${currentSchemaId}`)
}

function defaultSpecOf({ partitionSpecs, defaultSpecId, location }: TableMetadata): PartitionSpec {
  const spec = partitionSpecs.find(({ specId }) => specId === defaultSpecId)
  if (spec !== undefined) return spec
  throw new FloeError('corrupt-data', `the metadata of ${location} has no partition spec ${defaultSpecId}`)
}

function sortOrderOf({ sortOrders, defaultSortOrderId }: TableMetadata): SortOrder {
  return sortOrders.find(({ orderId }) => orderId === defaultSortOrderId) ?? unsortedOrder
}
