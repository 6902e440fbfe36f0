import type { SourceConnection } from './connect-source.ts'
import { sourceError } from './source-error.ts'
import type { SourceTable } from './source-table.ts'

/** What has to be the same for row addresses and transaction ids of two moments to be comparable. */
export type SourceIdentity = {
  readonly system: string
  /** Another one begins where history may have branched: a promoted standby, a recovery to a point in time. */
  readonly timeline: string
  readonly database: number
  readonly isStandby: boolean
}

/** A relation that holds rows, and the file that holds them: VACUUM FULL, CLUSTER and TRUNCATE begin another. */
export type LeafIdentity = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly file: string
  /** `heap`, or the table access method of an extension. */
  readonly accessMethod: string
}

/** `undefined` where the server does not tell, as some managed ones. */
export async function identifyServer(client: SourceConnection): Promise<SourceIdentity | undefined> {
  const { rows } = await client
    .query<{ system: string; timeline: string; database: number; standby: boolean }>(
      `SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS system,
         CASE WHEN pg_catalog.pg_is_in_recovery()
           THEN (SELECT timeline_id::text FROM pg_catalog.pg_control_checkpoint())
           ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END AS timeline,
         (SELECT oid::int8::float8 FROM pg_catalog.pg_database
            WHERE datname = pg_catalog.current_database()) AS database,
         pg_catalog.pg_is_in_recovery() AS standby`,
    )
    .catch(() => ({ rows: [] }))
  const row = rows[0]
  if (row === undefined) return undefined
  const { system, timeline, database, standby } = row
  return { system, timeline, database, isStandby: standby }
}

/** The leaves of a table that have a file of their own. */
export async function identifyLeaves(
  client: SourceConnection,
  { schema, name, leaves }: Pick<SourceTable, 'schema' | 'name' | 'leaves'>,
): Promise<readonly LeafIdentity[]> {
  try {
    const { rows } = await client.query<{ oid: number; file: string | null; method: string | null }>(
      `SELECT c.oid::int8::float8 AS oid, pg_catalog.pg_relation_filepath(c.oid) AS file, am.amname::text AS method
       FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
       WHERE c.oid = ANY ($1::oid[])`,
      [leaves.map(({ oid }) => oid)],
    )
    const byOid = new Map(rows.map((row) => [row.oid, row]))
    return leaves.flatMap((leaf) => {
      const { file, method } = byOid.get(leaf.oid) ?? {}
      if (typeof file !== 'string' || typeof method !== 'string') return []
      return [{ oid: leaf.oid, schema: leaf.schema, name: leaf.name, file, accessMethod: method }]
    })
  } catch (error) {
    throw sourceError(`looking up the files of ${schema}.${name}`, error)
  }
}
