import type { SourceConnection } from './connect-source.ts'
import type { SourceSnapshot } from './source-snapshot.ts'

/** Transactions are told apart by 32 bits of their id in a row: beyond this distance a load starts anew. */
export const xidDistanceMax: bigint = 2n ** 31n

/**
 * Rows that a transaction has written whose outcome the earlier snapshot did not know, as SQL: at least all that it did
 * not see. Transactions below its xmin had ended, and so had their subtransactions, whose ids are above their own and
 * are not listed in snapshots. Ids of rows are 32 bits, of snapshots 64: the distance to the snapshot's end is exact
 * as long as the ids of two loads lie within `xidDistanceMax`.
 */
export function rowsWrittenSince(earlierXmin: bigint, { xmax }: Pick<SourceSnapshot, 'xmax'>): string {
  return `(${xmax} - xmin::text::bigint) & 4294967295 <= ${xmax - earlierXmin}`
}

/** Tells one server's transaction ids from another's; absent where the server does not say. */
export async function findSystemIdentifier(client: SourceConnection): Promise<string | undefined> {
  const { rows } = await client
    .query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()')
    .catch(() => ({ rows: [] }))
  return rows[0]?.id
}
