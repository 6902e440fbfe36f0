import type { SourceConnection } from '../source/connect-source.ts'
import { sourceError } from '../source/source-error.ts'
import type { SourceTable } from '../source/source-table.ts'
import type { Chunk } from './chunk.ts'

/**
 * Rows that the chunks hold, by the server's statistics: the table's own count for a whole table, else what the server
 * expects of the conditions. 0 when nothing is known, as before the first ANALYZE.
 * @throws invalid-input for a condition that is no SQL
 */
export async function estimateRows(
  client: SourceConnection,
  table: SourceTable,
  chunks: readonly Chunk[],
): Promise<number> {
  const conditions = new Set(
    chunks.map(({ relation, filter }) => `${relation}${filter === undefined ? '' : ` WHERE ${filter}`}`),
  )
  if (chunks.every(({ filter }) => filter === undefined)) return table.estimatedRows
  try {
    let rows = 0
    for (const condition of conditions) rows += await planRows(client, condition)
    return table.estimatedRows === 0 ? 0 : Math.min(rows, table.estimatedRows)
  } catch (error) {
    throw sourceError(`planning the rows of ${table.schema}.${table.name}`, error)
  }
}

async function planRows(client: SourceConnection, from: string): Promise<number> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: { 'Plan Rows': number } }[] }>(
    `EXPLAIN (FORMAT json) SELECT FROM ${from}`,
  )
  return rows[0]?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0
}
