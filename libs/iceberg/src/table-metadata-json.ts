import { FloeError } from './error.ts'
import { longToJson, readLong, readOptionalLong } from './json-long.ts'
import { extraMembers, isPresent, readArray, readInteger, readObject, readString } from './json-member.ts'
import { parseJson, type JsonObject, type JsonValue } from './json.ts'
import {
  firstPartitionFieldId,
  parsePartitionSpec,
  partitionSpecToJson,
  type PartitionSpec,
} from './partition-spec.ts'
import { parseSchema, schemaToJson, type Schema } from './schema.ts'
import {
  mainBranch,
  parseSnapshot,
  parseSnapshotRef,
  readStrings,
  snapshotRefToJson,
  snapshotToJson,
} from './snapshot.ts'
import { parseSortOrder, sortOrderToJson, unsortedOrder } from './sort-order.ts'
import { checkTableMetadata } from './table-metadata-check.ts'
import { currentSchema, defaultSpec, type FormatVersion, type TableMetadata } from './table-metadata.ts'

const tableMembers: ReadonlySet<string> = new Set([
  'format-version',
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-updated-ms',
  'last-column-id',
  'schema',
  'schemas',
  'current-schema-id',
  'partition-spec',
  'partition-specs',
  'default-spec-id',
  'last-partition-id',
  'sort-orders',
  'default-sort-order-id',
  'properties',
  'current-snapshot-id',
  'snapshots',
  'snapshot-log',
  'metadata-log',
  'refs',
  'next-row-id',
  'statistics',
  'partition-statistics',
  'encryption-keys',
])

/**
 * Table metadata of v1, v2 or v3 (spec "Table Metadata") from text, or from JSON that is parsed without loss.
 * Members that are not known stay in `extra`.
 * @throws FloeError corrupt-data for what breaks the spec, unsupported for a later version
 */
export function parseTableMetadata(source: string | JsonValue): TableMetadata {
  try {
    const object = readObject(typeof source === 'string' ? parseJson(source) : source, 'table metadata')
    const metadata = metadataFromJson(object)
    checkTableMetadata(metadata)
    return metadata
  } catch (error) {
    if (!(error instanceof FloeError) || error.code !== 'invalid-input') throw error
    throw new FloeError('corrupt-data', `table metadata: ${error.message}`, {
      hint: 'the metadata file is damaged, or its writer broke the Iceberg spec',
      cause: error,
    })
  }
}

function metadataFromJson(object: JsonObject): TableMetadata {
  const formatVersion = readFormatVersion(object)
  const schemas = readSchemas(object, formatVersion)
  const partitionSpecs = readSpecs(object, formatVersion)
  const currentSnapshotId = readCurrentSnapshotId(object)
  const nextRowId = readOptionalLong(object, 'next-row-id', 'table') ?? (formatVersion === 3 ? 0n : undefined)
  return {
    formatVersion,
    // Spec: optional in v1, where the path of the table is its identity.
    tableUuid:
      formatVersion === 1 && !isPresent(object['table-uuid'])
        ? ''
        : readString(object, 'table-uuid', 'table'),
    location: readString(object, 'location', 'table'),
    lastSequenceNumber: formatVersion === 1 ? 0n : readLong(object, 'last-sequence-number', 'table'),
    lastUpdatedMs: readInteger(object, 'last-updated-ms', 'table'),
    lastColumnId: readInteger(object, 'last-column-id', 'table'),
    ...schemas,
    ...partitionSpecs,
    lastPartitionId: readLastPartitionId(object, formatVersion, partitionSpecs.partitionSpecs),
    ...readSortOrders(object, formatVersion),
    properties: isPresent(object['properties']) ? readStrings(object['properties'], 'properties') : {},
    ...(currentSnapshotId === undefined ? {} : { currentSnapshotId }),
    snapshots: readOptionalArray(object, 'snapshots').map(parseSnapshot),
    snapshotLog: readOptionalArray(object, 'snapshot-log').map(parseSnapshotLogEntry),
    metadataLog: readOptionalArray(object, 'metadata-log').map(parseMetadataLogEntry),
    refs: readRefs(object, currentSnapshotId),
    ...(nextRowId === undefined ? {} : { nextRowId }),
    statistics: readObjects(object, 'statistics'),
    partitionStatistics: readObjects(object, 'partition-statistics'),
    encryptionKeys: readObjects(object, 'encryption-keys'),
    ...extraMembers(object, tableMembers),
  }
}

function readFormatVersion(object: JsonObject): FormatVersion {
  const version = readInteger(object, 'format-version', 'table')
  if (version === 1 || version === 2 || version === 3) return version
  throw new FloeError('unsupported', `table metadata has format version ${version}; 1, 2 and 3 can be read`)
}

function readSchemas(
  object: JsonObject,
  version: FormatVersion,
): Pick<TableMetadata, 'schemas' | 'currentSchemaId'> {
  if (isPresent(object['schemas']) || version !== 1) {
    const schemas = readArray(object['schemas'], '"schemas"').map(parseSchema)
    return { schemas, currentSchemaId: readInteger(object, 'current-schema-id', 'table') }
  }
  const schema: Schema = parseSchema(object['schema'] ?? null)
  return { schemas: [schema], currentSchemaId: schema.schemaId }
}

function readSpecs(
  object: JsonObject,
  version: FormatVersion,
): Pick<TableMetadata, 'partitionSpecs' | 'defaultSpecId'> {
  if (isPresent(object['partition-specs']) || version !== 1) {
    const partitionSpecs = readArray(object['partition-specs'], '"partition-specs"').map((spec) =>
      parsePartitionSpec(spec),
    )
    return { partitionSpecs, defaultSpecId: readInteger(object, 'default-spec-id', 'table') }
  }
  return {
    partitionSpecs: [parsePartitionSpec(readArray(object['partition-spec'], '"partition-spec"'))],
    defaultSpecId: 0,
  }
}

function readLastPartitionId(
  object: JsonObject,
  version: FormatVersion,
  specs: readonly PartitionSpec[],
): number {
  if (isPresent(object['last-partition-id']) || version !== 1)
    return readInteger(object, 'last-partition-id', 'table')
  return Math.max(
    firstPartitionFieldId - 1,
    ...specs.flatMap((spec) => spec.fields.map((field) => field.fieldId)),
  )
}

function readSortOrders(
  object: JsonObject,
  version: FormatVersion,
): Pick<TableMetadata, 'sortOrders' | 'defaultSortOrderId'> {
  if (!isPresent(object['sort-orders']) && version === 1) {
    return { sortOrders: [unsortedOrder], defaultSortOrderId: unsortedOrder.orderId }
  }
  const sortOrders = readArray(object['sort-orders'], '"sort-orders"').map(parseSortOrder)
  const defaultSortOrderId = readInteger(object, 'default-sort-order-id', 'table')
  // Order 0 is the same in every table, so a writer that leaves it out of the list is understood.
  const unlisted = defaultSortOrderId === 0 && !sortOrders.some((order) => order.orderId === 0)
  return { sortOrders: unlisted ? [unsortedOrder, ...sortOrders] : sortOrders, defaultSortOrderId }
}

/** Absent, null and -1 all mean that there is none: Java writes -1 below v3. */
function readCurrentSnapshotId(object: JsonObject): bigint | undefined {
  const id = readOptionalLong(object, 'current-snapshot-id', 'table')
  return id === -1n ? undefined : id
}

function readRefs(object: JsonObject, currentSnapshotId: bigint | undefined): TableMetadata['refs'] {
  if (isPresent(object['refs'])) {
    const refs = Object.entries(readObject(object['refs'], '"refs"'))
    const named = Object.fromEntries(refs.map(([name, ref]) => [name, parseSnapshotRef(ref, name)]))
    if (currentSnapshotId === undefined || Object.hasOwn(named, mainBranch)) return named
    return { [mainBranch]: { snapshotId: currentSnapshotId, type: 'branch' }, ...named }
  }
  return currentSnapshotId === undefined
    ? {}
    : { [mainBranch]: { snapshotId: currentSnapshotId, type: 'branch' } }
}

function readOptionalArray(object: JsonObject, key: string): readonly JsonValue[] {
  return isPresent(object[key]) ? readArray(object[key], `"${key}"`) : []
}

function readObjects(object: JsonObject, key: string): readonly JsonObject[] {
  return readOptionalArray(object, key).map((item) => readObject(item, `"${key}"`))
}

const snapshotLogMembers: ReadonlySet<string> = new Set(['timestamp-ms', 'snapshot-id'])
const metadataLogMembers: ReadonlySet<string> = new Set(['timestamp-ms', 'metadata-file'])

function parseSnapshotLogEntry(json: JsonValue): TableMetadata['snapshotLog'][number] {
  const entry = readObject(json, '"snapshot-log" entry')
  return {
    timestampMs: readInteger(entry, 'timestamp-ms', '"snapshot-log"'),
    snapshotId: readLong(entry, 'snapshot-id', '"snapshot-log"'),
    ...extraMembers(entry, snapshotLogMembers),
  }
}

function parseMetadataLogEntry(json: JsonValue): TableMetadata['metadataLog'][number] {
  const entry = readObject(json, '"metadata-log" entry')
  return {
    timestampMs: readInteger(entry, 'timestamp-ms', '"metadata-log"'),
    metadataFile: readString(entry, 'metadata-file', '"metadata-log"'),
    ...extraMembers(entry, metadataLogMembers),
  }
}

/** Inverse of `parseTableMetadata`; v1 also gets its single `schema` and `partition-spec`, for old readers. */
export function tableMetadataToJson(metadata: TableMetadata): JsonObject {
  const { formatVersion, encryptionKeys } = metadata
  return {
    'format-version': formatVersion,
    ...(metadata.tableUuid === '' ? {} : { 'table-uuid': metadata.tableUuid }),
    location: metadata.location,
    ...(formatVersion === 1 ? {} : { 'last-sequence-number': longToJson(metadata.lastSequenceNumber) }),
    'last-updated-ms': metadata.lastUpdatedMs,
    'last-column-id': metadata.lastColumnId,
    ...(formatVersion === 1 ? { schema: schemaToJson(currentSchema(metadata)) } : {}),
    'current-schema-id': metadata.currentSchemaId,
    schemas: metadata.schemas.map(schemaToJson),
    ...(formatVersion === 1 ? { 'partition-spec': specFields(defaultSpec(metadata)) } : {}),
    'default-spec-id': metadata.defaultSpecId,
    'partition-specs': metadata.partitionSpecs.map(partitionSpecToJson),
    'last-partition-id': metadata.lastPartitionId,
    'default-sort-order-id': metadata.defaultSortOrderId,
    'sort-orders': metadata.sortOrders.map(sortOrderToJson),
    properties: metadata.properties,
    'current-snapshot-id': currentSnapshotIdToJson(metadata),
    ...(metadata.nextRowId === undefined ? {} : { 'next-row-id': longToJson(metadata.nextRowId) }),
    ...(encryptionKeys.length === 0 ? {} : { 'encryption-keys': encryptionKeys }),
    refs: Object.fromEntries(
      Object.entries(metadata.refs).map(([name, ref]) => [name, snapshotRefToJson(ref)]),
    ),
    snapshots: metadata.snapshots.map((snapshot) => snapshotToJson(snapshot, formatVersion)),
    statistics: metadata.statistics,
    'partition-statistics': metadata.partitionStatistics,
    'snapshot-log': metadata.snapshotLog.map(({ timestampMs, snapshotId, extra }) => ({
      'timestamp-ms': timestampMs,
      'snapshot-id': longToJson(snapshotId),
      ...extra,
    })),
    'metadata-log': metadata.metadataLog.map(({ timestampMs, metadataFile, extra }) => ({
      'timestamp-ms': timestampMs,
      'metadata-file': metadataFile,
      ...extra,
    })),
    ...metadata.extra,
  }
}

function specFields(spec: PartitionSpec): JsonValue {
  return partitionSpecToJson(spec)['fields'] ?? []
}

/** Java and old readers below v3 need the member, and -1 in it, to see a table without data. */
function currentSnapshotIdToJson({ currentSnapshotId, formatVersion }: TableMetadata): JsonValue {
  if (currentSnapshotId !== undefined) return longToJson(currentSnapshotId)
  return formatVersion === 3 ? null : -1
}
