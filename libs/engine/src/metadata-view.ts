import { stringifyJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import type { ManifestCache, MetadataTable } from '@floe/planner'
import type { ObjectReader } from '@floe/storage'
import type { DuckDBConnection } from '@duckdb/node-api'

import type { BoundScan } from './bind-select.ts'
import { readRows } from './duckdb-session.ts'
import type { QueryDeadline } from './query-deadline.ts'
import { scanName } from './select-gate.ts'
import { duckdbType, quoteIdentifier, quoteText } from './sql-text.ts'

/** Rows that are text before they become columns. */
const textRowsMax = 4096

export type MetadataViewComponents = {
  readonly connection: DuckDBConnection
  readonly store: ObjectReader
  readonly manifests: ManifestCache
  readonly deadline: QueryDeadline
}

/** Fills a table with the rows of a metadata table, and gives the SELECT that stands for it: the rows come manifest by manifest, and only as many as are wanted. */
export async function metadataSql(
  scan: BoundScan,
  rows: MetadataTable['rows'],
  rowsWanted: number | undefined,
  components: MetadataViewComponents,
): Promise<string> {
  const { connection, store, manifests, deadline } = components
  const { index, schema, need } = scan
  const name = scanName(index)
  const columns = schema.fields.map((field) => `${quoteIdentifier(field.name)} ${duckdbType(field.type)}`)
  await readRows(connection, `CREATE TEMP TABLE ${name}_rows (${columns.join(', ')})`)
  await readRows(connection, `CREATE TEMP TABLE ${name}_text (line VARCHAR)`)
  const sql = `SELECT * FROM ${name}_rows`
  if (need.filter.kind === 'false') return sql
  const wanted = new Set(
    schema.fields.filter(({ id }) => need.fieldIds?.has(id) ?? true).map((field) => field.name),
  )
  let made = 0
  for await (const batch of rows({ store, cache: manifests }, wanted)) {
    deadline.check()
    for (let at = 0; at < batch.length; at += textRowsMax)
      await append(scan, batch.slice(at, at + textRowsMax), connection)
    made += batch.length
    if (rowsWanted !== undefined && made >= rowsWanted) break
  }
  return sql
}

async function append(
  { index, schema }: BoundScan,
  rows: readonly JsonObject[],
  connection: DuckDBConnection,
): Promise<void> {
  const name = scanName(index)
  const appender = await connection.createAppender(`${name}_text`, 'main', 'temp')
  for (const row of rows) {
    appender.appendVarchar(stringifyJson(row))
    appender.endRow()
  }
  appender.closeSync()
  const types = Object.fromEntries(schema.fields.map((field) => [field.name, duckdbType(field.type)]))
  const structure = quoteText(JSON.stringify(types))
  await readRows(
    connection,
    `INSERT INTO ${name}_rows SELECT unnest(from_json(line, ${structure})) FROM ${name}_text`,
  )
  await readRows(connection, `DELETE FROM ${name}_text`)
}
