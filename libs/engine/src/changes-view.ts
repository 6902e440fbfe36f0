import type { Schema, TableMetadata } from '@floe/iceberg'
import { changeFields } from '@floe/planner'
import type { RowChanges } from '@floe/planner'

import type { FileLayout } from './file-layout.ts'
import { liveRowsSql } from './scan-view.ts'
import type { ScanComponents } from './scan-view.ts'
import { scanName } from './select-gate.ts'
import { duckdbType, quoteIdentifier, quoteText } from './sql-text.ts'

export type ChangesSource = {
  readonly metadata: TableMetadata
  /** Columns of the table, and the change columns. */
  readonly schema: Schema
  readonly changes: readonly RowChanges[]
  readonly layouts: ReadonlyMap<string, FileLayout>
}

/** The SELECT that stands for mention `index` of a table's changes: a part for each snapshot and type of change. */
export async function changesSql(
  index: number,
  source: ChangesSource,
  components: ScanComponents,
): Promise<string> {
  const { schema, changes } = source
  const parts: string[] = []
  for (const [at, change] of changes.entries())
    parts.push(await changedRowsSql(`${scanName(index)}_${at}`, change, source, components))
  const nothing = schema.fields.map(({ id, type }) => `CAST(NULL AS ${duckdbType(type)}) AS c${id}`)
  const rows = parts.length === 0 ? `SELECT ${nothing.join(', ')} WHERE false` : parts.join('\nUNION ALL ')
  const names = schema.fields.map(({ id, name }) => `c${id} AS ${quoteIdentifier(name)}`)
  return `SELECT ${names.join(', ')} FROM (${rows})`
}

async function changedRowsSql(
  prefix: string,
  { type, ordinal, snapshotId, tasks, kept }: RowChanges,
  { metadata, schema, layouts }: ChangesSource,
  components: ScanComponents,
): Promise<string> {
  const own = new Set(changeFields.map(({ id }) => id))
  const fields = schema.fields.filter(({ id }) => !own.has(id))
  const rowsOf = (name: string, read: RowChanges['tasks'], columns: Schema['fields']): Promise<string> => {
    const plan = { tasks: read, schema: { ...schema, fields: columns } }
    return liveRowsSql(name, { metadata, plan, layouts }, components, true)
  }
  const changed = await rowsOf(`${prefix}_own`, tasks, fields)
  const [typeId, ordinalId, snapshotIdId] = changeFields.map(({ id }) => `c${id}`)
  const constants = [
    `${quoteText(type)} AS ${typeId}`,
    `${ordinal}::INTEGER AS ${ordinalId}`,
    `${snapshotId}::BIGINT AS ${snapshotIdId}`,
  ]
  const columns = [...fields.map(({ id }) => `w.c${id}`), ...constants].join(', ')
  if (kept.length === 0) return `SELECT ${columns} FROM (${changed}) AS w`
  // Where a row stands is all that is compared, but a file is read for one column at least.
  const living = await rowsOf(`${prefix}_kept`, kept, fields.slice(0, 1))
  return `SELECT ${columns} FROM (${changed}) AS w ANTI JOIN (${living}) AS k
    ON w.file_key = k.file_key AND w.row_key = k.row_key`
}
