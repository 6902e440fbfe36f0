import type { DataFile, NestedField, TableMetadata } from '@floe/iceberg'
import { isDeletionVector } from '@floe/planner'
import type { ScanPlan } from '@floe/planner'
import type { ObjectReader } from '@floe/storage'
import type { DuckDBConnection } from '@duckdb/node-api'

import type { ColumnRead } from './column-read.ts'
import { createPositions, positionJoin } from './deleted-positions.ts'
import { createEqualityKeys, equalityJoins } from './equality-keys.ts'
import type { EqualityKeys } from './equality-keys.ts'
import type { FileLease } from './file-lease.ts'
import type { FileLayout } from './file-layout.ts'
import { createLineage, lineageColumn } from './lineage-columns.ts'
import { readParquet, readParquetByName } from './read-parquet.ts'
import { isLineageField } from './row-lineage.ts'
import { restrictedSql } from './restricted-scan.ts'
import type { ScanRestrictions } from './restricted-scan.ts'
import { groupTasks } from './scan-group.ts'
import type { ScanGroup } from './scan-group.ts'
import { scanName } from './select-gate.ts'
import { duckdbType, quoteIdentifier } from './sql-text.ts'

export type ScanSource = {
  readonly metadata: TableMetadata
  readonly plan: Pick<ScanPlan, 'tasks' | 'schema'>
  readonly layouts: ReadonlyMap<string, FileLayout>
  readonly restrictions?: ScanRestrictions | undefined
}

export type ScanComponents = {
  readonly connection: DuckDBConnection
  readonly lease: FileLease
  readonly store: ObjectReader
  /** Random bytes of this query, for masks that differ from query to query. */
  readonly saltHex: string
}

/** Files that a scan opens, deletes included. Deletion vectors are read by us, through the store. */
export function filesOf({ tasks }: Pick<ScanPlan, 'tasks'>): readonly DataFile[] {
  const files = new Map<string, DataFile>()
  for (const { dataFile, deletes } of tasks) {
    for (const file of [dataFile, ...deletes]) if (!isDeletionVector(file)) files.set(file.filePath, file)
  }
  return [...files.values()]
}

/** The SELECT that stands for mention `index`: the planned files with deletes applied. */
export async function scanSql(
  index: number,
  source: ScanSource,
  components: ScanComponents,
): Promise<string> {
  const { schema } = source.plan
  const names = schema.fields.map(({ id, name }) => `c${id} AS ${quoteIdentifier(name)}`).join(', ')
  const all = await liveRowsSql(scanName(index), source, components)
  const rows =
    source.restrictions === undefined
      ? all
      : restrictedSql(all, source.restrictions, schema, components.saltHex)
  return `SELECT ${names} FROM (${rows})`
}

/**
 * The rows of the planned files with deletes applied, columns `c<id>`. Makes tables whose names start with `prefix`.
 * @param withPlace  adds `file_key` and `row_key`, which tell one row of the files from the others
 */
export async function liveRowsSql(
  prefix: string,
  source: ScanSource,
  components: ScanComponents,
  withPlace = false,
): Promise<string> {
  const keys = await createEqualityKeys(prefix, source, components)
  const branches: string[] = []
  for (const [at, group] of groupTasks(source).entries()) {
    branches.push(await groupSql(`${prefix}_${at}`, group, { source, components, keys, withPlace }))
  }
  if (branches.length > 0) return branches.join('\nUNION ALL ')
  const columns = fieldsRead(source).map(({ id, type }) => `CAST(NULL AS ${duckdbType(type)}) AS c${id}`)
  return `SELECT ${[...columns, ...(withPlace ? nowhere : [])].join(', ')} WHERE false`
}

const nowhere = ['NULL::VARCHAR AS file_key', 'NULL::BIGINT AS row_key']

/** The columns of the version, and those that only a row filter looks at. */
function fieldsRead({ plan, restrictions }: ScanSource): readonly NestedField[] {
  return [...plan.schema.fields, ...(restrictions?.hiddenFields ?? [])]
}

type GroupContext = {
  readonly source: ScanSource
  readonly components: ScanComponents
  readonly keys: readonly EqualityKeys[]
  readonly withPlace: boolean
}

/** Rows of one group. Joins on integers keep predicates pushed down into the scan. */
async function groupSql(
  name: string,
  group: ScanGroup,
  { source, components, keys, withPlace }: GroupContext,
): Promise<string> {
  const paths = group.tasks.map(({ dataFile }) => components.lease.pathOf(dataFile))
  const shown = new Set(fieldsRead(source).map(({ id }) => id))
  const columns = group.reads
    .filter(({ fieldId }) => shown.has(fieldId))
    .map((read) => `${shownColumn(read)} AS c${read.fieldId}`)
  if (withPlace) columns.push('r.filename AS file_key', 'r.file_row_number AS row_key')
  const joins = [...(await equalityJoins(group, `${name}_files`, keys, components.connection))]
  if ([...shown].some(isLineageField)) {
    await createLineage(`${name}_lineage`, group.tasks, components.connection)
    joins.unshift(`JOIN ${name}_lineage AS l ON r.file_index = l.file_index`)
  }
  const conditions: string[] = []
  if (group.positions) {
    const positions = `${name}_positions`
    await createPositions(positions, group.tasks, components)
    const { join, condition } = positionJoin(positions)
    joins.unshift(join)
    conditions.push(condition)
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const files = group.byName ? readParquetByName(paths, group.reads) : readParquet(paths, group.reads)
  return `SELECT ${columns.join(', ')} FROM ${files} AS r ${joins.join(' ')}${where}`
}

function shownColumn({ fieldId, expression }: ColumnRead): string {
  const column = expression(`r.c${fieldId}`)
  return isLineageField(fieldId) ? lineageColumn(fieldId, column) : column
}
