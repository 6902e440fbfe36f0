import type { DataFile, NestedField, TableMetadata } from '@floe/iceberg'
import { isDeletionVector } from '@floe/planner'
import type { ScanPlan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'
import type { DuckDBConnection } from '@duckdb/node-api'

import { columnReads } from './column-read.ts'
import type { ColumnRead } from './column-read.ts'
import { decodeDeletionVector } from './deletion-vector.ts'
import { readRows } from './duckdb-session.ts'
import type { FileLease } from './file-cache.ts'
import type { FileLayout } from './file-layout.ts'
import { restrictedSql } from './restricted-scan.ts'
import type { ScanRestrictions } from './restricted-scan.ts'
import { fieldInHistory, groupTasks, layoutOf } from './scan-group.ts'
import type { ScanGroup } from './scan-group.ts'
import { scanName } from './select-gate.ts'
import { duckdbType, quoteIdentifier, quoteText, textList } from './sql-text.ts'

export type ScanSource = {
  readonly metadata: TableMetadata
  readonly plan: ScanPlan
  readonly layouts: ReadonlyMap<string, FileLayout>
  readonly restrictions?: ScanRestrictions | undefined
}

export type ScanComponents = {
  readonly connection: DuckDBConnection
  readonly lease: FileLease
  readonly store: ObjectStore
  /** Random bytes of this query, for masks that differ from query to query. */
  readonly saltHex: string
}

/** Files that a scan opens, deletes included. Deletion vectors are read by us, through the store. */
export function filesOf({ tasks }: ScanPlan): readonly DataFile[] {
  const files = new Map<string, DataFile>()
  for (const { dataFile, deletes } of tasks) {
    for (const file of [dataFile, ...deletes]) if (!isDeletionVector(file)) files.set(file.filePath, file)
  }
  return [...files.values()]
}

/** Makes the view that stands for mention `index` of the SELECT: the planned files with deletes applied. */
export async function createScanView(
  index: number,
  source: ScanSource,
  components: ScanComponents,
): Promise<void> {
  const { schema } = source.plan
  const names = schema.fields.map(({ id, name }) => `c${id} AS ${quoteIdentifier(name)}`).join(', ')
  const branches: string[] = []
  for (const [at, group] of groupTasks(source).entries()) {
    const positions = `${scanName(index)}_deleted_${at}`
    if (group.positions) await createPositions(positions, group, components)
    branches.push(groupSql(group, source, positions, components.lease))
  }
  const nothing = `SELECT ${fieldsRead(source)
    .map(({ id, type }) => `CAST(NULL AS ${duckdbType(type)}) AS c${id}`)
    .join(', ')} WHERE false`
  const all = branches.length === 0 ? nothing : branches.join('\nUNION ALL ')
  const rows =
    source.restrictions === undefined
      ? all
      : restrictedSql(all, source.restrictions, schema, components.saltHex)
  await readRows(
    components.connection,
    `CREATE TEMP VIEW ${scanName(index)} AS SELECT ${names} FROM (${rows})`,
  )
}

/** The columns of the version, and those that only a row filter looks at. */
function fieldsRead({ plan, restrictions }: ScanSource): readonly NestedField[] {
  return [...plan.schema.fields, ...(restrictions?.hiddenFields ?? [])]
}

/** Rows of one group. An anti join on integers keeps predicates pushed down into the scan. */
function groupSql(group: ScanGroup, source: ScanSource, positions: string, lease: FileLease): string {
  const paths = group.tasks.map(({ dataFile }) => lease.pathOf(dataFile))
  const shown = new Set(fieldsRead(source).map(({ id }) => id))
  const columns = group.reads
    .filter(({ fieldId }) => shown.has(fieldId))
    .map((read) => `${read.expression(`r.c${read.fieldId}`)} AS c${read.fieldId}`)
  const joins = [
    ...(group.positions
      ? [`ANTI JOIN ${positions} AS p ON r.file_index = p.file_index AND r.file_row_number = p.pos`]
      : []),
    ...equalityJoins(group, source, lease),
  ]
  return `SELECT ${columns.join(', ')} FROM ${readParquet(paths, group.reads)} AS r ${joins.join(' ')}`
}

function readParquet(paths: readonly string[], reads: readonly ColumnRead[]): string {
  const columns = reads.map(
    ({ fieldId, key, type, defaultValue }) =>
      `${key}: {name: 'c${fieldId}', type: ${quoteText(type)}, default_value: ${defaultValue}::VARCHAR}`,
  )
  return `read_parquet(${textList(paths)}, schema = MAP {${columns.join(', ')}})`
}

/** One anti join per set of compared columns; null equals null in an equality delete (spec "Equality Delete Files"). */
function equalityJoins(group: ScanGroup, source: ScanSource, lease: FileLease): readonly string[] {
  const bySet = Map.groupBy(group.equalities, ({ equalityIds = [] }) =>
    [...equalityIds].sort((a, b) => a - b).join(','),
  )
  return [...bySet].map(([set, files], at) => {
    const ids = set.split(',').map(Number)
    const fields = ids.map(
      (id) => group.fields.find((field) => field.id === id) ?? fieldInHistory(id, source.metadata),
    )
    const keys = files.map((file) => {
      const layout = layoutOf(source.layouts, file)
      const reads = columnReads(fields, { layout, footer: layout, file, spec: undefined })
      const columns = reads.map((read) => `${read.expression(`c${read.fieldId}`)} AS c${read.fieldId}`)
      return `SELECT ${columns.join(', ')} FROM ${readParquet([lease.pathOf(file)], reads)}`
    })
    const same = ids.map((id) => `${readOf(group, id)} IS NOT DISTINCT FROM e${at}.c${id}`)
    return `ANTI JOIN (${keys.join(' UNION ALL ')}) AS e${at} ON ${same.join(' AND ')}`
  })
}

function readOf({ reads }: ScanGroup, fieldId: number): string {
  const read = reads.find((candidate) => candidate.fieldId === fieldId)
  return read === undefined ? 'NULL' : read.expression(`r.c${fieldId}`)
}

/** A table of (file_index, pos) of the group's rows that position deletes and deletion vectors removed. */
async function createPositions(name: string, group: ScanGroup, components: ScanComponents): Promise<void> {
  const { connection, lease } = components
  await readRows(connection, `CREATE TEMP TABLE ${name} (file_index UBIGINT, pos BIGINT)`)
  const targets = new Map<string, { readonly file: DataFile; readonly rows: string[] }>()
  for (const [index, { dataFile, deletes }] of group.tasks.entries()) {
    for (const file of deletes) {
      if (file.content === 'equality-deletes') continue
      if (isDeletionVector(file)) {
        await appendVector(name, index, file, components)
        continue
      }
      const target = targets.get(file.filePath) ?? { file, rows: [] }
      target.rows.push(`(${quoteText(dataFile.filePath)}, ${index})`)
      targets.set(file.filePath, target)
    }
  }
  for (const { file, rows } of targets.values()) {
    await readRows(
      connection,
      `INSERT INTO ${name} SELECT DISTINCT t.file_index, d.pos FROM read_parquet(${textList([lease.pathOf(file)])}) AS d
       JOIN (VALUES ${rows.join(', ')}) AS t(path, file_index) ON d.file_path = t.path`,
    )
  }
}

async function appendVector(
  name: string,
  fileIndex: number,
  file: DataFile,
  components: ScanComponents,
): Promise<void> {
  const { connection, store } = components
  const { filePath, contentOffset = 0, contentSizeInBytes = file.fileSizeInBytes } = file
  const blob = await store.get(filePath, { range: { offset: contentOffset, length: contentSizeInBytes } })
  const appender = await connection.createAppender(name, 'main', 'temp')
  for (const position of decodeDeletionVector(blob, filePath)) {
    appender.appendUBigInt(BigInt(fileIndex))
    appender.appendBigInt(position)
    appender.endRow()
  }
  appender.closeSync()
}
