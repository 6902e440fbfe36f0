import { FloeError } from '@floe/iceberg/values'
import type { SourceConnection } from './connect-source.ts'
import { likePattern, parseRelationPattern } from './relation-name.ts'
import type { RelationPattern } from './relation-name.ts'
import { sourceError } from './source-error.ts'
import { loadSourceTypes } from './source-type.ts'
import type { SourceType } from './source-type.ts'

export type SourceColumn = {
  /** Never used again by PostgreSQL for another column of the table. */
  readonly attnum: number
  readonly name: string
  readonly typeOid: number
  /** As SQL writes it, parameters included: `numeric(12,2)`. */
  readonly typeName: string
  readonly typmod: number
  readonly type: SourceType
  readonly nullable: boolean
  readonly comment?: string
  readonly generated: boolean
  /** Generated when it is read: no row holds it. */
  readonly virtual?: true
}

export type SourceTableKind = 'table' | 'partitioned' | 'view' | 'materialized-view' | 'foreign'

export type SourceTable = {
  readonly schema: string
  readonly name: string
  readonly oid: number
  readonly kind: SourceTableKind
  readonly comment?: string
  readonly columns: readonly SourceColumn[]
  /** Column names in key order; empty without a primary key. */
  readonly primaryKey: readonly string[]
  /** Heap and TOAST of all leaves. */
  readonly sizeBytes: number
  /** From the planner's statistics; 0 before the first ANALYZE or VACUUM. */
  readonly estimatedRows: number
  /** The relations that hold the rows: itself, its partitions, its inheritance children. */
  readonly leaves: readonly SourceLeaf[]
}

export type SourceLeaf = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: SourceTableKind
}

const kinds: Readonly<Record<string, SourceTableKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign',
}

type TableRow = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly relkind: string
  readonly comment: string | null
  readonly primary_key: readonly string[] | null
  readonly size_bytes: number
  readonly estimated_rows: number
  readonly leaves: readonly { oid: number; schema: string; name: string; relkind: string }[]
}

/** Partitions come with their parent; a pattern finds one only when it names it. */
const tablesByName = `
  SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS relkind,
    pg_catalog.obj_description(c.oid, 'pg_class') AS comment, pk.columns AS primary_key,
    COALESCE(tree.size_bytes, 0)::float8 AS size_bytes, COALESCE(tree.estimated_rows, 0)::float8 AS estimated_rows,
    COALESCE(tree.leaves, '[]') AS leaves
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.position) AS columns
    FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = c.oid AND i.indisprimary AND k.position <= i.indnkeyatts
  ) pk ON true
  LEFT JOIN LATERAL (
    WITH RECURSIVE descendants(oid) AS (
      SELECT c.oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN descendants d ON h.inhparent = d.oid
    )
    SELECT sum(CASE WHEN l.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(l.oid) ELSE 0 END) AS size_bytes,
      sum(GREATEST(l.reltuples, 0)) AS estimated_rows,
      pg_catalog.json_agg(pg_catalog.json_build_object('oid', l.oid::int8, 'schema', ln.nspname, 'name', l.relname,
        'relkind', l.relkind) ORDER BY l.oid) AS leaves
    FROM descendants d
    JOIN pg_catalog.pg_class l ON l.oid = d.oid AND l.relkind <> 'p'
    JOIN pg_catalog.pg_namespace ln ON ln.oid = l.relnamespace
  ) tree ON true
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname LIKE $1 AND c.relname LIKE $2
    AND (NOT $3 OR (NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'))
  ORDER BY n.nspname, c.relname`

type ColumnRow = {
  readonly table_oid: number
  readonly attnum: number
  readonly name: string
  readonly type_oid: number
  readonly type_name: string
  readonly typmod: number
  readonly dimensions: number
  readonly not_null: boolean
  readonly comment: string | null
  readonly generated: boolean
  readonly virtual: boolean
}

/** PostgreSQL 18 sets `attnotnull` for constraints that are NOT VALID yet: then old rows may hold nulls. */
const columnsByTable = `
  SELECT a.attrelid::int8::float8 AS table_oid, a.attnum::int AS attnum, a.attname::text AS name, a.atttypid::int8::float8 AS type_oid,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name, a.atttypmod AS typmod, a.attndims::int AS dimensions,
    a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint x
      WHERE x.conrelid = a.attrelid AND x.contype = 'n' AND NOT x.convalidated AND a.attnum = ANY (x.conkey)) AS not_null,
    pg_catalog.col_description(a.attrelid, a.attnum) AS comment,
    (pg_catalog.to_jsonb(a) ->> 'attgenerated') <> '' AS generated,
    (pg_catalog.to_jsonb(a) ->> 'attgenerated') = 'v' AS virtual
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`

/**
 * Tables, views and the like that `pattern` names: `public.orders`, `public.*`, `"My Schema"."T"`.
 * @throws not-found with the nearest names
 */
export async function findSourceTables(
  client: SourceConnection,
  pattern: string,
): Promise<readonly SourceTable[]> {
  const relation = parseRelationPattern(pattern)
  try {
    const wildcard = relation.schema.wildcard || relation.name.wildcard
    const { rows } = await client.query<TableRow>(tablesByName, [
      likePattern(relation.schema),
      likePattern(relation.name),
      wildcard,
    ])
    if (rows.length === 0) throw await notFound(client, pattern, relation)
    return await describeTables(client, rows)
  } catch (error) {
    throw sourceError(`looking up ${pattern}`, error)
  }
}

async function describeTables(
  client: SourceConnection,
  tables: readonly TableRow[],
): Promise<readonly SourceTable[]> {
  const { rows: columns } = await client.query<ColumnRow>(columnsByTable, [tables.map(({ oid }) => oid)])
  const typeOf = await loadSourceTypes(
    client,
    columns.map(({ type_oid }) => type_oid),
  )
  const byTable = Map.groupBy(columns, ({ table_oid }) => table_oid)
  return tables.map((table) => ({
    schema: table.schema,
    name: table.name,
    oid: table.oid,
    kind: kinds[table.relkind] ?? 'table',
    ...(table.comment === null ? {} : { comment: table.comment }),
    columns: (byTable.get(table.oid) ?? []).map((column) =>
      describeColumn(column, typeOf(column.type_oid, column.typmod, column.dimensions)),
    ),
    primaryKey: table.primary_key ?? [],
    sizeBytes: table.size_bytes,
    estimatedRows: table.estimated_rows,
    leaves: table.leaves.map(({ oid, schema, name, relkind }) => ({
      oid,
      schema,
      name,
      kind: kinds[relkind] ?? 'table',
    })),
  }))
}

function describeColumn(row: ColumnRow, type: SourceType): SourceColumn {
  return {
    attnum: row.attnum,
    name: row.name,
    typeOid: row.type_oid,
    typeName: row.type_name,
    typmod: row.typmod,
    type,
    nullable: !row.not_null,
    ...(row.comment === null ? {} : { comment: row.comment }),
    generated: row.generated,
    ...(row.virtual ? { virtual: true } : {}),
  }
}

const nearNamesMax = 5

async function notFound(
  client: SourceConnection,
  pattern: string,
  { name }: RelationPattern,
): Promise<FloeError> {
  const { rows } = await client.query<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`)
  const near = rows
    .map((row) => ({ row, distance: editDistance(row.name.toLowerCase(), name.text.toLowerCase()) }))
    .filter(({ row, distance }) => distance <= Math.max(2, row.name.length / 3))
    .toSorted((left, right) => left.distance - right.distance)
    .slice(0, nearNamesMax)
    .map(({ row }) => `${row.schema}.${row.name}`)
  return new FloeError('not-found', `no table matches ${pattern}`, {
    hint:
      near.length > 0
        ? `near names: ${near.join(', ')}`
        : 'names are lower-cased unless they are in double quotes',
  })
}

/** Levenshtein distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const current = [i]
    for (let j = 1; j <= right.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[right.length] ?? 0
}
