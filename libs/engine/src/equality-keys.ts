import { stringifyJson } from '@floe/iceberg'
import type { NestedField, TableMetadata } from '@floe/iceberg'
import type { DeleteFile, ScanPlan, ScanTask } from '@floe/planner'
import type { DuckDBConnection } from '@duckdb/node-api'

import { columnReads, readsKey } from './column-read.ts'
import type { ColumnRead } from './column-read.ts'
import { readRows } from './duckdb-session.ts'
import type { FileLayout } from './file-layout.ts'
import type { FileLease } from './file-lease.ts'
import { readParquet } from './read-parquet.ts'
import { equalitySetOf, fieldInHistory, layoutOf } from './scan-group.ts'
import type { ScanGroup } from './scan-group.ts'

export type EqualitySource = {
  readonly metadata: TableMetadata
  readonly plan: Pick<ScanPlan, 'tasks' | 'schema'>
  readonly layouts: ReadonlyMap<string, FileLayout>
}

/**
 * The keys that equality deletes of one set of columns removed, in a table of their own: each key once, with the
 * newest sequence number that deleted it. So a file needs no list of the deletes that concern it, and a hundred
 * upserts read a hundred delete files once instead of once per older data file.
 */
export type EqualityKeys = {
  readonly table: string
  /** Compared columns, ascending ids joined by commas. */
  readonly set: string
  readonly fieldIds: readonly number[]
  /** Deletes of a partitioned spec hold inside of their partition: the number of each in the table's `scope`. */
  readonly scopes: ReadonlyMap<string, number> | undefined
  /** Oldest delete among them. */
  readonly sequenceNumberMin: bigint
}

type Components = { readonly connection: DuckDBConnection; readonly lease: FileLease }

/** Makes the key tables of a scan, named after `prefix`. */
export async function createEqualityKeys(
  prefix: string,
  source: EqualitySource,
  components: Components,
): Promise<readonly EqualityKeys[]> {
  const deletes = new Map<string, DeleteFile>()
  for (const task of source.plan.tasks) {
    for (const file of task.deletes) if (file.content === 'equality-deletes') deletes.set(file.filePath, file)
  }
  const groups = Map.groupBy(
    deletes.values(),
    (file) => `${equalitySetOf(file)} ${isGlobal(file, source.metadata) ? 'global' : 'scoped'}`,
  )
  const keys: EqualityKeys[] = []
  for (const [at, files] of [...groups.values()].entries())
    keys.push(await createKeys(`${prefix}_keys_${at}`, files, source, components))
  return keys
}

/** Spec "Scan Planning": an equality delete of an unpartitioned spec holds in every partition. */
function isGlobal({ specId }: DeleteFile, { partitionSpecs }: TableMetadata): boolean {
  return partitionSpecs.find((spec) => spec.specId === specId)?.fields.length === 0
}

async function createKeys(
  table: string,
  files: readonly DeleteFile[],
  source: EqualitySource,
  { connection, lease }: Components,
): Promise<EqualityKeys> {
  const { metadata, plan, layouts } = source
  const [first] = files
  const set = first === undefined ? '' : equalitySetOf(first)
  const fieldIds = set.split(',').map(Number)
  const fields = fieldIds.map(
    (id) => plan.schema.fields.find((field) => field.id === id) ?? fieldInHistory(id, metadata),
  )
  const isScoped = first !== undefined && !isGlobal(first, metadata)
  const scopes = new Map<string, number>()
  for (const file of isScoped ? files : []) {
    const scope = scopeOf(file)
    if (!scopes.has(scope)) scopes.set(scope, scopes.size)
  }
  const columns = fieldIds.map((id) => `c${id}`).join(', ')
  const selects = readsOf(fields, files, layouts).map(({ reads, files: alike }) => {
    const infos = alike.map(
      (file, at) => `(${at}, ${scopes.get(scopeOf(file)) ?? 0}, ${file.dataSequenceNumber})`,
    )
    const shown = reads.map((read) => `${read.expression(`d.c${read.fieldId}`)} AS c${read.fieldId}`)
    const paths = alike.map((file) => lease.pathOf(file))
    return `SELECT ${shown.join(', ')}, i.scope, i.seq FROM ${readParquet(paths, reads)} AS d
      JOIN (VALUES ${infos.join(', ')}) AS i(file_index, scope, seq) ON d.file_index = i.file_index`
  })
  await readRows(
    connection,
    `CREATE TEMP TABLE ${table} AS SELECT ${columns}, scope::INTEGER AS scope, max(seq)::BIGINT AS seq
     FROM (${selects.join(' UNION ALL ')}) GROUP BY ${columns}, scope`,
  )
  const sequenceNumberMin = files.reduce(
    (least, { dataSequenceNumber }) => (dataSequenceNumber < least ? dataSequenceNumber : least),
    first?.dataSequenceNumber ?? 0n,
  )
  return { table, set, fieldIds, scopes: isScoped ? scopes : undefined, sequenceNumberMin }
}

type AlikeFiles = { readonly reads: readonly ColumnRead[]; readonly files: readonly DeleteFile[] }

function readsOf(
  fields: readonly NestedField[],
  files: readonly DeleteFile[],
  layouts: ReadonlyMap<string, FileLayout>,
): readonly AlikeFiles[] {
  const alike = Map.groupBy(
    files.map((file) => {
      const layout = layoutOf(layouts, file)
      return { file, reads: columnReads(fields, { layout, footer: layout, file, spec: undefined }) }
    }),
    ({ reads }) => readsKey(reads),
  )
  return [...alike.values()].map((group) => ({
    reads: group[0]?.reads ?? [],
    files: group.map(({ file }) => file),
  }))
}

function scopeOf({ specId, partition }: Pick<DeleteFile, 'specId' | 'partition'>): string {
  const values = partition.map((value) =>
    value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : value,
  )
  return stringifyJson([specId, ...values])
}

/**
 * Anti joins of a group's rows `r` with the keys that concern it. Null equals null (spec "Equality Delete Files"), and
 * a delete holds for strictly older data only. A group whose files are all older than every delete needs no numbers.
 */
export async function equalityJoins(
  group: ScanGroup,
  files: string,
  keys: readonly EqualityKeys[],
  connection: DuckDBConnection,
): Promise<readonly string[]> {
  const own = keys.filter(({ set }) => group.equalitySets.includes(set))
  const isOlder = (sequenceNumber: bigint): boolean =>
    own.every(({ sequenceNumberMin }) => sequenceNumber < sequenceNumberMin)
  const needsNumbers = !group.tasks.every((task) => isOlder(task.sequenceNumber))
  const scoped = own.filter(({ scopes }) => scopes !== undefined)
  const joins: string[] = []
  if (needsNumbers || scoped.length > 0) {
    await createFileTable(files, group.tasks, scoped, connection)
    joins.push(`JOIN ${files} AS f ON r.file_index = f.file_index`)
  }
  for (const each of own) {
    const same = each.fieldIds.map((id) => `${readOf(group, id)} IS NOT DISTINCT FROM ${each.table}.c${id}`)
    const scope = scoped.includes(each) ? [`f.s${scoped.indexOf(each)} = ${each.table}.scope`] : []
    const older = needsNumbers ? [`f.seq < ${each.table}.seq`] : []
    joins.push(`ANTI JOIN ${each.table} ON ${[...same, ...scope, ...older].join(' AND ')}`)
  }
  return joins
}

/** A table of a group's files: sequence number, and the number of the partition in each scoped key table. */
async function createFileTable(
  name: string,
  tasks: readonly ScanTask[],
  scoped: readonly EqualityKeys[],
  connection: DuckDBConnection,
): Promise<void> {
  const columns = scoped.map((_, at) => `, s${at} INTEGER`).join('')
  await readRows(connection, `CREATE TEMP TABLE ${name} (file_index UBIGINT, seq BIGINT${columns})`)
  const appender = await connection.createAppender(name, 'main', 'temp')
  for (const [index, { dataFile, sequenceNumber }] of tasks.entries()) {
    appender.appendUBigInt(BigInt(index))
    appender.appendBigInt(sequenceNumber)
    for (const { scopes } of scoped) appender.appendInteger(scopes?.get(scopeOf(dataFile)) ?? -1)
    appender.endRow()
  }
  appender.closeSync()
}

function readOf({ reads }: ScanGroup, fieldId: number): string {
  const read = reads.find((candidate) => candidate.fieldId === fieldId)
  return read === undefined ? 'NULL' : read.expression(`r.c${fieldId}`)
}
