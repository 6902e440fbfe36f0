import type { SourceConnection } from './connect-source.ts'

/** A type with domains resolved away and array elements looked up. */
export type SourceType =
  | {
      readonly kind: 'base'
      readonly schema: string
      readonly name: string
      /** -1 when the type was declared without parameters. */
      readonly typmod: number
    }
  | {
      readonly kind: 'enum'
      readonly schema: string
      readonly name: string
      readonly labels: readonly string[]
    }
  | {
      readonly kind: 'composite'
      readonly schema: string
      readonly name: string
      readonly fields: readonly CompositeField[]
    }
  | {
      readonly kind: 'range' | 'multirange'
      readonly schema: string
      readonly name: string
      readonly subtype: SourceType
    }
  | { readonly kind: 'pseudo'; readonly schema: string; readonly name: string }
  /** `dimensions` is what the column was declared with, at least 1: PostgreSQL holds no value to it. */
  | { readonly kind: 'array'; readonly element: SourceType; readonly dimensions: number }

export type CompositeField = { readonly name: string; readonly type: SourceType }

type TypeRow = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly typtype: string
  readonly typmod: number
  readonly base: number
  readonly element: number
  readonly dimensions: number
  readonly subtype: number
  readonly attributes: readonly Attribute[] | null
  readonly labels: readonly string[] | null
}

type Attribute = {
  readonly name: string
  readonly type: number
  readonly typmod: number
  readonly dimensions: number
}

/** Real arrays only: `name`, `oidvector` and the like have elements too, but a form of their own. */
const typesByOid = `
  SELECT t.oid::int8::float8 AS oid, n.nspname AS schema, t.typname AS name, t.typtype AS typtype, t.typtypmod AS typmod,
    t.typbasetype::int8::float8 AS base,
    CASE WHEN t.typoutput = 'pg_catalog.array_out'::regproc THEN t.typelem::int8::float8 ELSE 0 END AS element,
    t.typndims::int AS dimensions,
    COALESCE((SELECT r.rngsubtype::int8::float8 FROM pg_catalog.pg_range r
      WHERE r.rngtypid = t.oid OR pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = t.oid::text LIMIT 1), 0) AS subtype,
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'type', a.atttypid::int8,
        'typmod', a.atttypmod, 'dimensions', a.attndims::int) ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a
       WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes,
    (SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
       FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) AS labels
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid = ANY ($1::oid[])`

export type SourceTypes = (typeOid: number, typmod: number, dimensions: number) => SourceType

/** Loads the types with these oids and all that they are made of. */
export async function loadSourceTypes(
  client: SourceConnection,
  typeOids: Iterable<number>,
): Promise<SourceTypes> {
  const rows = new Map<number, TypeRow>()
  let wanted = new Set(typeOids)
  while (wanted.size > 0) {
    const { rows: found } = await client.query<TypeRow>(typesByOid, [[...wanted]])
    for (const row of found) rows.set(row.oid, row)
    wanted = new Set(found.flatMap(partsOf).filter((oid) => oid !== 0 && !rows.has(oid)))
  }
  return (typeOid, typmod, dimensions) => resolveType(rows, typeOid, typmod, dimensions)
}

function partsOf({ base, element, subtype, attributes }: TypeRow): readonly number[] {
  return [base, element, subtype, ...(attributes ?? []).map(({ type }) => type)]
}

function resolveType(
  rows: ReadonlyMap<number, TypeRow>,
  oid: number,
  typmod: number,
  dimensions = 0,
): SourceType {
  const row = rows.get(oid)
  if (row === undefined) return { kind: 'pseudo', schema: 'pg_catalog', name: `type ${oid}` }
  const { schema, name } = row
  if (row.typtype === 'd') return resolveType(rows, row.base, row.typmod, row.dimensions)
  if (row.element !== 0) {
    return {
      kind: 'array',
      element: resolveType(rows, row.element, typmod),
      dimensions: Math.max(1, dimensions),
    }
  }
  switch (row.typtype) {
    case 'e':
      return { kind: 'enum', schema, name, labels: row.labels ?? [] }
    case 'b':
      return { kind: 'base', schema, name, typmod }
    case 'c':
      return { kind: 'composite', schema, name, fields: (row.attributes ?? []).map(fieldIn(rows)) }
    case 'r':
    case 'm':
      return {
        kind: row.typtype === 'r' ? 'range' : 'multirange',
        schema,
        name,
        subtype: resolveType(rows, row.subtype, -1),
      }
    default:
      return { kind: 'pseudo', schema, name }
  }
}

function fieldIn(rows: ReadonlyMap<number, TypeRow>): (attribute: Attribute) => CompositeField {
  return ({ name, type, typmod, dimensions }) => ({
    name,
    type: resolveType(rows, type, typmod, dimensions),
  })
}
