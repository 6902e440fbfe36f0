import { FloeError } from '@floe/iceberg/values'
import type { SourceConnection } from './connect-source.ts'
import { quoteIdentifier, quoteRelation } from './relation-name.ts'
import { sourceError } from './source-error.ts'
import type { SourceColumn, SourceTable } from './source-table.ts'

/** The SQL type that values of the column are compared in, and the one of a distance between two of them. */
type CursorType = 'bigint' | 'date' | 'timestamp' | 'timestamptz'

/** A column whose values grow with time, so that new rows are found by their values. */
export type CursorColumn = {
  readonly column: SourceColumn
  readonly type: CursorType
  /** An index begins with the column: ranges of it are read without a scan of the table. */
  readonly isIndexed: boolean
}

/** Where the values of a cursor column stand at one instant; values are the server's text, without time zone surprises. */
export type CursorBounds = {
  /** The greatest finite value of rows that meet the condition, and at least `after`; absent without such rows. */
  readonly newest?: string
  /** `newest` less the lag, and at least `after`. */
  readonly settled?: string
  /** `after` less the lag: from here on rows are read again. */
  readonly from?: string
}

const cursorTypes: Readonly<Record<string, CursorType>> = {
  int2: 'bigint',
  int4: 'bigint',
  int8: 'bigint',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
}

/** @throws invalid-input when there is no such column, unsupported when its type has no order in time */
export async function findCursorColumn(
  client: SourceConnection,
  table: SourceTable,
  name: string,
): Promise<CursorColumn> {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column === undefined) {
    throw new FloeError('invalid-input', `${quoteRelation(table)} has no column ${quoteIdentifier(name)}`, {
      hint: `choose one of ${table.columns.map((each) => each.name).join(', ')}, or xmin`,
    })
  }
  const type = column.type.kind === 'base' ? cursorTypes[column.type.name] : undefined
  if (type === undefined) {
    throw new FloeError('unsupported', `column ${quoteIdentifier(name)} is ${column.typeName}`, {
      hint: 'a cursor column is an integer, a date or a timestamp that grows with time; tables with a primary key also take --cursor xmin',
    })
  }
  return { column, type, isIndexed: await hasIndex(client, table, column) }
}

async function hasIndex(
  client: SourceConnection,
  { oid }: SourceTable,
  { attnum }: SourceColumn,
): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am a ON a.oid = c.relam
       WHERE i.indrelid = $1::oid AND i.indkey[0] = $2::int2 AND i.indpred IS NULL AND i.indisvalid
         AND a.amname = 'btree') AS found`,
    [oid, attnum],
  )
  return rows[0]?.found === true
}

/**
 * Reads where the column stands. Run it on the snapshot of the load.
 * @param options.after  the value that an earlier load ended with
 * @param options.lag  a whole number, or an interval such as `10 minutes`
 * @throws invalid-input for a lag that does not fit the column
 */
export async function readCursorBounds(
  client: SourceConnection,
  table: SourceTable,
  cursor: CursorColumn,
  options: { readonly after?: string; readonly lag?: string; readonly where?: string },
): Promise<CursorBounds> {
  const { type } = cursor
  const column = quoteIdentifier(cursor.column.name)
  const lag = type === 'bigint' ? '$1::bigint' : '$1::interval'
  const where = options.where === undefined ? '' : ` AND (${options.where})`
  // ORDER BY with LIMIT walks down an index; max() with a condition would not.
  const text = `
    WITH newest AS (SELECT ${column} AS v FROM ${quoteRelation(table)} WHERE ${isOrdered(cursor)}${where}
      ORDER BY ${column} DESC LIMIT 1)
    SELECT (SELECT GREATEST(v, CAST($2 AS ${type}))::text FROM newest) AS newest,
      (SELECT GREATEST(CAST(v - ${lag} AS ${type}), CAST($2 AS ${type}))::text FROM newest) AS settled,
      CAST(CAST($2 AS ${type}) - ${lag} AS ${type})::text AS "from"`
  try {
    const { rows } = await client.query<{
      newest: string | null
      settled: string | null
      from: string | null
    }>(text, [options.lag ?? '0', options.after ?? null])
    const { newest = null, settled = null, from = null } = rows[0] ?? {}
    return {
      ...(newest === null ? {} : { newest }),
      ...(settled === null ? {} : { settled }),
      ...(from === null ? {} : { from }),
    }
  } catch (error) {
    throw sourceError(`reading where ${column} of ${quoteRelation(table)} stands`, error)
  }
}

/** Whether rows have a value without a place in the order: null, infinity or -infinity. */
export async function hasUnorderedRows(
  client: SourceConnection,
  table: SourceTable,
  cursor: CursorColumn,
  where = 'true',
): Promise<boolean> {
  if (cursor.type === 'bigint' && !cursor.column.nullable) return false
  try {
    const { rows } = await client.query<{ found: boolean }>(
      `SELECT EXISTS (SELECT FROM ${quoteRelation(table)} WHERE NOT ${isOrdered(cursor)} AND (${where})) AS found`,
    )
    return rows[0]?.found === true
  } catch (error) {
    throw sourceError(`looking for rows of ${quoteRelation(table)} without a cursor value`, error)
  }
}

/** Values after which each `rows` rows end, in order: no value is in two ranges. For columns with an index. */
export async function readCursorSteps(
  client: SourceConnection,
  table: SourceTable,
  cursor: CursorColumn,
  rows: number,
  filter: string,
): Promise<readonly string[]> {
  const column = quoteIdentifier(cursor.column.name)
  try {
    const { rows: found } = await client.query<{ value: string }>(
      `SELECT DISTINCT v::text AS value, v FROM (
         SELECT ${column} AS v, pg_catalog.row_number() OVER (ORDER BY ${column}) AS n
         FROM ${quoteRelation(table)} WHERE ${isOrdered(cursor)} AND (${filter})) numbered
       WHERE (n - 1) % $1 = 0 AND n > 1 ORDER BY v`,
      [rows],
    )
    return found.map(({ value }) => value)
  } catch (error) {
    throw sourceError(`dividing ${quoteRelation(table)} by ${column}`, error)
  }
}

/** Values that part [from, to] into `count` ranges of the same width; fewer when it is narrow. */
export async function divideCursorRange(
  client: SourceConnection,
  { type }: CursorColumn,
  { from, to, count }: { readonly from: string; readonly to: string; readonly count: number },
): Promise<readonly string[]> {
  const [low, high] = [`CAST($1 AS ${type})`, `CAST($2 AS ${type})`]
  const part = {
    bigint: `(${low}::numeric + pg_catalog.div((${high}::numeric - ${low}::numeric) * i, $3))::bigint`,
    date: `${low} + ((${high} - ${low})::int8 * i / $3)::int`,
    timestamp: `${low} + (${high} - ${low}) * (i::float8 / $3)`,
    timestamptz: `${low} + (${high} - ${low}) * (i::float8 / $3)`,
  }[type]
  const { rows } = await client.query<{ value: string }>(
    `SELECT DISTINCT v::text AS value, v FROM (SELECT ${part} AS v FROM pg_catalog.generate_series(1, $3::int - 1) i) p
     WHERE v > ${low} ORDER BY v`,
    [from, to, count],
  )
  return rows.map(({ value }) => value)
}

/** `from <= column < below`, as SQL; a bound that is absent bounds nothing. */
export function cursorRange(
  cursor: CursorColumn,
  { from, after, below }: { readonly from?: string; readonly after?: string; readonly below?: string },
): string {
  const column = quoteIdentifier(cursor.column.name)
  const value = (text: string): string => `CAST('${text.replaceAll("'", "''")}' AS ${cursor.type})`
  const conditions = [
    ...(from === undefined ? [] : [`${column} >= ${value(from)}`]),
    ...(after === undefined ? [] : [`${column} > ${value(after)}`]),
    ...(below === undefined ? [] : [`${column} < ${value(below)}`]),
  ]
  return conditions.length === 0 ? 'true' : conditions.join(' AND ')
}

/** The value has a place in the order: it is neither null nor infinite. */
function isOrdered({ column, type }: CursorColumn): string {
  const name = quoteIdentifier(column.name)
  return type === 'bigint'
    ? `(${name} IS NOT NULL)`
    : `(${name} IS NOT NULL AND pg_catalog.isfinite(${name}))`
}

/** Rows that ranges of the cursor leave out: nulls and, where a range is bounded below, -infinity. An index serves both. */
export function rowsOutsideOrder({ column, type }: CursorColumn, isBounded: boolean): string | undefined {
  const name = quoteIdentifier(column.name)
  const conditions = [
    ...(column.nullable ? [`${name} IS NULL`] : []),
    ...(isBounded && type !== 'bigint' ? [`${name} = '-infinity'`] : []),
  ]
  return conditions.length === 0 ? undefined : conditions.join(' OR ')
}
