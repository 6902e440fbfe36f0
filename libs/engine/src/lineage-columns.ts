import type { ScanTask } from '@floe/planner'
import type { DuckDBConnection } from '@duckdb/node-api'

import { readRows } from './duckdb-session.ts'
import { rowIdFieldId } from './row-lineage.ts'

/** Makes a table of what the rows of each file inherit: the id of its first row, and its sequence number. */
export async function createLineage(
  name: string,
  tasks: readonly ScanTask[],
  connection: DuckDBConnection,
): Promise<void> {
  await readRows(
    connection,
    `CREATE TEMP TABLE ${name} (file_index UBIGINT, first_row_id BIGINT, seq BIGINT)`,
  )
  const appender = await connection.createAppender(name, 'main', 'temp')
  for (const [index, { firstRowId, sequenceNumber }] of tasks.entries()) {
    appender.appendUBigInt(BigInt(index))
    if (firstRowId === undefined) appender.appendNull()
    else appender.appendBigInt(firstRowId)
    appender.appendBigInt(sequenceNumber)
    appender.endRow()
  }
  appender.closeSync()
}

/** A lineage column of `r`: what the file holds, else what the row inherits from its file `l` (spec "Row Lineage"). */
export function lineageColumn(fieldId: number, stored: string): string {
  const inherited = fieldId === rowIdFieldId ? 'l.first_row_id + r.file_row_number' : 'l.seq'
  // Rows from before v3 have no id yet, and then no version either.
  return `coalesce(${stored}, CASE WHEN l.first_row_id IS NOT NULL THEN ${inherited} END)`
}
