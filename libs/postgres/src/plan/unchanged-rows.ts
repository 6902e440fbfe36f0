import type { SourceConnection } from '../source/connect-source.ts'
import { rowsWrittenSince } from '../source/row-version.ts'
import { sourceError } from '../source/source-error.ts'
import type { SourceSnapshot } from '../source/source-snapshot.ts'
import { blockBounds } from './chunk.ts'
import type { BlockRange } from './chunk.ts'

export type UnchangedRows = {
  /** Rows that the session's snapshot sees in the ranges. */
  readonly rows: number
  /** Of them, at least all that the earlier snapshot did not see. */
  readonly written: number
}

/**
 * Counts rows where they are; none is sent. When none was written since an earlier snapshot and there are as many as it
 * saw, they are the same: a row version never changes or moves, and one that has gone lowers the count.
 * @param client  a session on `snapshot`
 */
export async function countUnchanged(
  client: SourceConnection,
  ranges: readonly BlockRange[],
  earlierXmin: bigint,
  snapshot: Pick<SourceSnapshot, 'xmax'>,
): Promise<UnchangedRows> {
  let [rows, written] = [0, 0]
  for (const range of ranges) {
    const bounds = blockBounds(range)
    const where = bounds.length === 0 ? '' : ` WHERE ${bounds.join(' AND ')}`
    try {
      const result = await client.query<{ rows: number; written: number }>(
        `SELECT count(*)::float8 AS rows,
           count(*) FILTER (WHERE ${rowsWrittenSince(earlierXmin, snapshot)})::float8 AS written
         FROM ${range.relation}${where}`,
      )
      rows += result.rows[0]?.rows ?? 0
      written += result.rows[0]?.written ?? 0
    } catch (error) {
      throw sourceError(`comparing rows of ${range.relation}`, error)
    }
  }
  return { rows, written }
}
