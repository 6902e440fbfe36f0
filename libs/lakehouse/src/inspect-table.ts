import type { Catalog, LoadedTable, TableIdentifier } from '@floe/catalog'
import {
  currentSchema,
  currentSnapshot,
  decodeSingleValue,
  findFieldName,
  isPrimitive,
  partitionPath,
  singleValueToJson,
  transformToString,
  typeToString,
} from '@floe/iceberg'
import type { DataFile, JsonValue, Schema, TableMetadata } from '@floe/iceberg'
import { planScan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'

export type Rows = { readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }

/** What `floe table` shows of one table. */
export type TableInspection = {
  readonly show: () => Rows
  readonly snapshots: () => Rows
  readonly history: () => Rows
  readonly files: () => Promise<Rows>
}

export async function inspectTable(
  catalog: Catalog,
  store: ObjectStore,
  identifier: TableIdentifier,
): Promise<TableInspection> {
  const table = await catalog.loadTable(identifier)
  return {
    show: () => showTable(table),
    snapshots: () => showSnapshots(table.metadata),
    history: () => showHistory(table.metadata),
    files: () => showFiles(table.metadata, store),
  }
}

function showTable({ metadata, metadataLocation }: LoadedTable): Rows {
  const schema = currentSchema(metadata)
  const snapshot = currentSnapshot(metadata)
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)
  const nameOf = (id: number | undefined): string =>
    id === undefined ? '' : (findFieldName(schema, id) ?? `${id}`)
  const facts: (readonly [string, unknown])[] = [
    ['location', metadata.location],
    ['metadata', metadataLocation],
    ['uuid', metadata.tableUuid],
    ['format-version', metadata.formatVersion],
    ['snapshot', snapshot?.snapshotId ?? null],
    ['rows', snapshot?.summary?.['total-records'] ?? null],
    ['files', snapshot?.summary?.['total-data-files'] ?? null],
    ['last-updated', isoTime(metadata.lastUpdatedMs)],
    [
      'partitioned by',
      spec?.fields
        .map(({ transform, sourceIds }) => `${transformToString(transform)}(${nameOf(sourceIds[0])})`)
        .join(', ') ?? '',
    ],
    ...schema.fields.map(
      ({ id, name, type, required, doc }) =>
        [
          `column ${id}: ${name}`,
          `${typeToString(type)}${required ? ' required' : ''}${doc === undefined ? '' : `  -- ${doc}`}`,
        ] as const,
    ),
    ...Object.entries(metadata.properties).map(([name, value]) => [`property ${name}`, value] as const),
  ]
  return { columns: ['name', 'value'], rows: facts }
}

function showSnapshots({ snapshots, refs }: TableMetadata): Rows {
  const columns = [
    'committed_at',
    'snapshot_id',
    'parent_id',
    'operation',
    'added_rows',
    'total_rows',
    'total_files',
    'refs',
  ]
  const rows = snapshots.map(({ timestampMs, snapshotId, parentSnapshotId, summary }) => [
    isoTime(timestampMs),
    snapshotId,
    parentSnapshotId ?? null,
    summary?.['operation'] ?? null,
    countOf(summary?.['added-records'] ?? '0'),
    countOf(summary?.['total-records']),
    countOf(summary?.['total-data-files']),
    Object.entries(refs)
      .filter(([, ref]) => ref.snapshotId === snapshotId)
      .map(([name]) => name)
      .join(', '),
  ])
  return { columns, rows }
}

function showHistory({ snapshotLog, snapshots, currentSnapshotId }: TableMetadata): Rows {
  const parents = new Map(snapshots.map(({ snapshotId, parentSnapshotId }) => [snapshotId, parentSnapshotId]))
  const ancestors = new Set<bigint>()
  for (let id = currentSnapshotId; id !== undefined && !ancestors.has(id); id = parents.get(id))
    ancestors.add(id)
  const rows = snapshotLog.map(({ timestampMs, snapshotId }) => [
    isoTime(timestampMs),
    snapshotId,
    parents.get(snapshotId) ?? null,
    ancestors.has(snapshotId),
  ])
  return { columns: ['made_current_at', 'snapshot_id', 'parent_id', 'is_current_ancestor'], rows }
}

async function showFiles(metadata: TableMetadata, store: ObjectStore): Promise<Rows> {
  const { tasks } = await planScan({ metadata }, { store })
  const schema = currentSchema(metadata)
  const columns = ['file', 'partition', 'rows', 'bytes', 'bounds']
  const rows = tasks.map(({ dataFile }) => [
    dataFile.filePath,
    partitionText(metadata, schema, dataFile),
    dataFile.recordCount,
    dataFile.fileSizeInBytes,
    boundsOf(schema, dataFile),
  ])
  return { columns, rows }
}

function partitionText(
  { partitionSpecs }: TableMetadata,
  schema: Schema,
  { specId, partition }: DataFile,
): string {
  const spec = partitionSpecs.find((candidate) => candidate.specId === specId)
  return spec === undefined || spec.fields.length === 0 ? '' : partitionPath(spec, schema, partition)
}

/** Bounds of the top-level columns, as people read them. */
function boundsOf(
  schema: Schema,
  { lowerBounds, upperBounds }: DataFile,
): Readonly<Record<string, readonly JsonValue[]>> {
  const bounds: Record<string, readonly JsonValue[]> = {}
  for (const { id, name, type } of schema.fields) {
    const lower = lowerBounds?.get(id)
    const upper = upperBounds?.get(id)
    if (lower === undefined || upper === undefined || !isPrimitive(type)) continue
    bounds[name] = [lower, upper].map((bound) => singleValueToJson(type, decodeSingleValue(type, bound)))
  }
  return bounds
}

function countOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
