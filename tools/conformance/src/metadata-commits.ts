import {
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  findFieldById,
  firstPartitionFieldId,
  parseTransform,
  stringifyJson,
  transformToString,
} from '@floe/iceberg'
import type {
  NestedField,
  PartitionField,
  PartitionSpec,
  PrimitiveType,
  Schema,
  Snapshot,
  SnapshotRef,
  SortField,
  TableMetadata,
  TableUpdate,
  Type,
} from '@floe/iceberg'

/** Picks one of `count` possibilities: 0 is the simplest, so that a failing sequence shrinks. */
export type Draw = (count: number) => number

/** Makes the updates of one change that a writer may send for this table at this time; none when it cannot be made. */
type Change = (table: TableMetadata, draw: Draw, nowMs: number) => readonly TableUpdate[]

/** Draws one legal change of the table, as the updates that stand for it. */
export function drawChange(table: TableMetadata, draw: Draw, nowMs: number): readonly TableUpdate[] {
  return (changes[draw(changes.length)] ?? setProperties)(table, draw, nowMs)
}

const setProperties: Change = (_, draw) => {
  const updates = [
    { a: `v${draw(100)}` },
    { b: `größe ${draw(100)}`, c: '' },
    { 'write.metadata.previous-versions-max': String(1 + draw(4)) },
  ]
  return [{ action: 'set-properties', updates: updates[draw(updates.length)] ?? {} }]
}

const removeProperties: Change = ({ properties }, draw) => {
  const key = pick(Object.keys(properties), draw)
  return key === undefined ? [] : [{ action: 'remove-properties', removals: [key] }]
}

const setLocation: Change = (_, draw) => [{ action: 'set-location', location: `s3://bucket/t${draw(100)}` }]

const addColumn: Change = (table, draw) => {
  const schema = currentSchema(table)
  const field = newField(table, draw)
  const added = { ...schema, schemaId: nextSchemaId(table), fields: [...schema.fields, field] }
  return [
    { action: 'add-schema', schema: added },
    ...alsoSet({ action: 'set-current-schema', schemaId: -1 }, draw),
  ]
}

/** Columns that no spec and no order needs may go: those of old specs too, as old metadata has to stay readable. */
const dropColumn: Change = (table, draw) => {
  const schema = currentSchema(table)
  const needed = new Set([
    ...[...table.partitionSpecs, ...table.sortOrders].flatMap(({ fields }) =>
      fields.flatMap(({ sourceIds }) => sourceIds),
    ),
    ...(schema.identifierFieldIds ?? []),
  ])
  const gone = pick(
    schema.fields.filter(({ id }) => !needed.has(id)),
    draw,
  )
  if (gone === undefined || schema.fields.length === 1) return []
  const fields = schema.fields.filter(({ id }) => id !== gone.id)
  const smaller: Schema = { ...schema, schemaId: nextSchemaId(table), fields }
  return isKnown(table, smaller) ? [] : [{ action: 'add-schema', schema: smaller }]
}

const setCurrentSchema: Change = (table, draw) => {
  const used = [defaultSpec(table), defaultSortOrder(table)].flatMap(({ fields }) =>
    fields.flatMap(({ sourceIds }) => sourceIds),
  )
  const fitting = table.schemas.filter(
    (schema) =>
      schema.schemaId !== table.currentSchemaId &&
      used.every((id) => findFieldById(schema, id) !== undefined),
  )
  const schema = pick(fitting, draw)
  return schema === undefined ? [] : [{ action: 'set-current-schema', schemaId: schema.schemaId }]
}

const removeSchemas: Change = ({ schemas, currentSchemaId }, draw) => {
  const schema = pick(
    schemas.filter(({ schemaId }) => schemaId !== currentSchemaId),
    draw,
  )
  return schema === undefined ? [] : [{ action: 'remove-schemas', schemaIds: [schema.schemaId] }]
}

const addSpec: Change = (table, draw) => {
  const specId = 1 + Math.max(...table.partitionSpecs.map((spec) => spec.specId))
  const fields: PartitionField[] = []
  for (let at = draw(3); at >= 0; at--) {
    const source = pick(primitives(currentSchema(table)), draw)
    if (source === undefined) break
    const transform = parseTransform(pick(transformsOf(source.type), draw) ?? 'identity')
    const name = `${source.name}_${transformToString(transform)}`
    if (fields.some((field) => field.name === name)) continue
    const fieldId = partitionFieldId(table, fields, source.id, transformToString(transform))
    fields.push({ sourceIds: [source.id], fieldId, name, transform })
  }
  const spec = { specId, fields }
  if (table.partitionSpecs.some((known) => sameFields(known, spec))) return []
  return [{ action: 'add-spec', spec }, ...alsoSet({ action: 'set-default-spec', specId: -1 }, draw)]
}

/** Spec "Partition Evolution": by position in v1, and the id of before for the same source and transform later. */
function partitionFieldId(
  table: TableMetadata,
  fields: readonly PartitionField[],
  sourceId: number,
  transform: string,
): number {
  if (table.formatVersion === 1) return firstPartitionFieldId + fields.length
  const known = table.partitionSpecs
    .flatMap((spec) => spec.fields)
    .find((field) => field.sourceIds[0] === sourceId && transformToString(field.transform) === transform)
  const taken = new Set(fields.map(({ fieldId }) => fieldId))
  if (known !== undefined && !taken.has(known.fieldId)) return known.fieldId
  return 1 + Math.max(table.lastPartitionId, ...taken)
}

function sameFields(a: PartitionSpec, b: PartitionSpec): boolean {
  const names = (spec: PartitionSpec): string =>
    JSON.stringify(spec.fields.map(({ name, sourceIds }) => [name, sourceIds]))
  return names(a) === names(b)
}

const setDefaultSpec: Change = (table, draw) => {
  const schema = currentSchema(table)
  const spec = pick(
    table.partitionSpecs.filter(
      ({ specId, fields }) =>
        specId !== table.defaultSpecId &&
        fields.every(({ sourceIds: [id = -1] }) => findFieldById(schema, id) !== undefined),
    ),
    draw,
  )
  return spec === undefined ? [] : [{ action: 'set-default-spec', specId: spec.specId }]
}

const removeSpecs: Change = ({ partitionSpecs, defaultSpecId }, draw) => {
  const spec = pick(
    partitionSpecs.filter(({ specId }) => specId !== defaultSpecId),
    draw,
  )
  return spec === undefined ? [] : [{ action: 'remove-partition-specs', specIds: [spec.specId] }]
}

const addSortOrder: Change = (table, draw) => {
  const orderId = 1 + Math.max(...table.sortOrders.map((order) => order.orderId))
  const source = pick(primitives(currentSchema(table)), draw)
  if (source === undefined) return []
  const field: SortField = {
    sourceIds: [source.id],
    transform: parseTransform(pick(transformsOf(source.type), draw) ?? 'identity'),
    direction: draw(2) === 0 ? 'asc' : 'desc',
    nullOrder: draw(2) === 0 ? 'nulls-first' : 'nulls-last',
  }
  const text = sortText(field)
  if (table.sortOrders.some(({ fields }) => fields.map(sortText).join() === text)) return []
  const sortOrder = { orderId, fields: [field] }
  return [
    { action: 'add-sort-order', sortOrder },
    ...alsoSet({ action: 'set-default-sort-order', sortOrderId: -1 }, draw),
  ]
}

function sortText({ sourceIds, transform, direction, nullOrder }: SortField): string {
  return JSON.stringify([sourceIds, transformToString(transform), direction, nullOrder])
}

const setDefaultSortOrder: Change = (table, draw) => {
  const schema = currentSchema(table)
  const order = pick(
    table.sortOrders.filter(
      ({ orderId, fields }) =>
        orderId !== table.defaultSortOrderId &&
        fields.every(({ sourceIds: [id = -1] }) => findFieldById(schema, id) !== undefined),
    ),
    draw,
  )
  return order === undefined ? [] : [{ action: 'set-default-sort-order', sortOrderId: order.orderId }]
}

const append: Change = (table, draw, nowMs) => {
  const refName = ['main', 'dev', 'main', 'audit'][draw(4)] ?? 'main'
  const parent = table.refs[refName]
  if (parent?.type === 'tag') return []
  const snapshot = newSnapshot(table, draw, nowMs, parent?.snapshotId)
  const ref: SnapshotRef = { ...parent, snapshotId: snapshot.snapshotId, type: 'branch' }
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName, ref },
  ]
}

/** A snapshot that nothing points to, as staged changes are. */
const stage: Change = (table, draw, nowMs) => [
  { action: 'add-snapshot', snapshot: newSnapshot(table, draw, nowMs, table.currentSnapshotId) },
]

function newSnapshot(table: TableMetadata, draw: Draw, nowMs: number, parent: bigint | undefined): Snapshot {
  const known = new Set(table.snapshots.map(({ snapshotId }) => snapshotId))
  let snapshotId = 9_007_199_254_740_993n + BigInt(draw(1_000_000))
  while (known.has(snapshotId)) snapshotId++
  const operations = ['append', 'overwrite', 'delete', 'replace'] as const
  return {
    snapshotId,
    ...(parent === undefined ? {} : { parentSnapshotId: parent }),
    sequenceNumber: table.formatVersion === 1 ? 0n : table.lastSequenceNumber + 1n,
    timestampMs: nowMs,
    manifestList: `s3://bucket/${snapshotId}.avro`,
    summary: { operation: operations[draw(4)] ?? 'append', 'added-records': String(draw(100)) },
    schemaId: table.currentSchemaId,
    ...(table.formatVersion === 3 ? { firstRowId: table.nextRowId ?? 0n, addedRows: BigInt(draw(100)) } : {}),
  }
}

const setRef: Change = (table, draw) => {
  const snapshot = pick(table.snapshots, draw)
  if (snapshot === undefined) return []
  const { snapshotId } = snapshot
  const refs: readonly (readonly [string, SnapshotRef])[] = [
    ['main', { snapshotId, type: 'branch' }],
    [`tag${draw(2)}`, { snapshotId, type: 'tag', ...(draw(2) === 0 ? {} : { maxRefAgeMs: 1 + draw(1000) }) }],
    [
      'dev',
      { snapshotId, type: 'branch', minSnapshotsToKeep: 1 + draw(5), maxSnapshotAgeMs: 1 + draw(1000) },
    ],
  ]
  const [refName, ref] = refs[draw(refs.length)] ?? ['main', { snapshotId, type: 'branch' }]
  return [{ action: 'set-snapshot-ref', refName, ref }]
}

const removeRef: Change = ({ refs }, draw) => {
  const refName = pick(Object.keys(refs), draw)
  return refName === undefined ? [] : [{ action: 'remove-snapshot-ref', refName }]
}

const removeSnapshots: Change = ({ snapshots }, draw) => {
  const one = pick(snapshots, draw)
  if (one === undefined) return []
  const other = pick(snapshots, draw) ?? one
  return [{ action: 'remove-snapshots', snapshotIds: [...new Set([one.snapshotId, other.snapshotId])] }]
}

const setStatistics: Change = ({ snapshots }, draw) => {
  const snapshot = pick(snapshots, draw)
  if (snapshot === undefined) return []
  const common = {
    'snapshot-id': snapshot.snapshotId,
    'statistics-path': `s3://bucket/s${draw(100)}`,
    'file-size-in-bytes': 100 + draw(100),
  }
  if (draw(2) === 0) return [{ action: 'set-partition-statistics', partitionStatistics: common }]
  const blob = {
    type: 'apache-datasketches-theta-v1',
    'snapshot-id': snapshot.snapshotId,
    'sequence-number': snapshot.sequenceNumber,
    fields: [1],
    properties: { ndv: String(draw(100)) },
  }
  const statistics = { ...common, 'file-footer-size-in-bytes': 10, 'blob-metadata': [blob] }
  return [{ action: 'set-statistics', statistics }]
}

const removeStatistics: Change = ({ statistics, partitionStatistics }, draw) => {
  const isPartition = draw(2) === 0
  const file = pick(isPartition ? partitionStatistics : statistics, draw)
  if (file === undefined) return []
  const snapshotId = BigInt(stringifyJson(file['snapshot-id'] ?? null))
  return [{ action: isPartition ? 'remove-partition-statistics' : 'remove-statistics', snapshotId }]
}

/** PyIceberg upgrades to 2 at most. */
const upgrade: Change = ({ formatVersion }) =>
  formatVersion === 1 ? [{ action: 'upgrade-format-version', formatVersion: 2 }] : []

const assignUuid: Change = ({ tableUuid }) => [{ action: 'assign-uuid', uuid: tableUuid }]

const changes: readonly Change[] = [
  append,
  setProperties,
  addColumn,
  setRef,
  addSpec,
  removeSnapshots,
  append,
  removeProperties,
  setLocation,
  dropColumn,
  setCurrentSchema,
  removeSchemas,
  setDefaultSpec,
  removeSpecs,
  addSortOrder,
  setDefaultSortOrder,
  stage,
  removeRef,
  setStatistics,
  removeStatistics,
  upgrade,
  assignUuid,
]

function alsoSet(update: TableUpdate, draw: Draw): readonly TableUpdate[] {
  return draw(3) < 2 ? [update] : []
}

function pick<T>(items: readonly T[], draw: Draw): T | undefined {
  return items.length === 0 ? undefined : items[draw(items.length)]
}

function nextSchemaId({ schemas }: TableMetadata): number {
  return 1 + Math.max(...schemas.map(({ schemaId }) => schemaId))
}

function isKnown({ schemas }: TableMetadata, { fields }: Schema): boolean {
  const ids = (all: readonly NestedField[]): string => all.map(({ id }) => id).join()
  return schemas.some((schema) => ids(schema.fields) === ids(fields))
}

function primitives({ fields }: Schema): readonly (NestedField & { readonly type: PrimitiveType })[] {
  return fields.filter(
    (field): field is NestedField & { type: PrimitiveType } => transformsOf(field.type).length > 0,
  )
}

/** Transforms that the type takes (spec "Partition Transforms"). */
function transformsOf({ kind }: Type): readonly string[] {
  switch (kind) {
    case 'int':
    case 'long':
    case 'decimal':
    case 'string':
      return ['identity', 'bucket[4]', 'truncate[3]', 'void']
    case 'date':
      return ['day', 'month', 'year', 'bucket[8]']
    case 'timestamp':
    case 'timestamptz':
      return ['hour', 'day', 'month', 'year', 'identity']
    case 'uuid':
      return ['bucket[16]', 'identity']
    case 'boolean':
      return ['identity']
    default:
      return []
  }
}

const columnTypes: readonly Type[] = [
  { kind: 'long' },
  { kind: 'string' },
  { kind: 'int' },
  { kind: 'timestamptz' },
  { kind: 'timestamp' },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'uuid' },
  { kind: 'boolean' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'binary' },
  { kind: 'fixed', length: 7 },
  { kind: 'decimal', precision: 9, scale: 2 },
]

function newField({ lastColumnId }: TableMetadata, draw: Draw): NestedField {
  const id = lastColumnId + 1
  const leaf = columnTypes[draw(columnTypes.length)] ?? { kind: 'long' }
  const x: NestedField = { id: id + 1, name: 'x', type: leaf, required: draw(2) === 1 }
  const types: readonly Type[] = [
    leaf,
    { kind: 'struct', fields: [x] },
    { kind: 'list', elementId: id + 1, element: leaf, elementRequired: draw(2) === 1 },
    {
      kind: 'map',
      keyId: id + 1,
      key: { kind: 'string' },
      valueId: id + 2,
      value: leaf,
      valueRequired: false,
    },
  ]
  const type = types[Math.max(0, draw(6) - 2)] ?? leaf
  return { id, name: `c${id}`, type, required: false, ...(draw(3) === 1 ? { doc: `column ${id}` } : {}) }
}
