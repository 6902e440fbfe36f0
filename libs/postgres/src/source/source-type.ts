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
      readonly kind: 'composite' | 'range' | 'multirange' | 'pseudo'
      readonly schema: string
      readonly name: string
    }
  | { readonly kind: 'array'; readonly element: SourceType }

type TypeRow = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly typtype: string
  readonly typmod: number
  readonly base: number
  readonly element: number
  readonly labels: readonly string[] | null
}

/** Real arrays only: `name`, `oidvector` and the like have elements too, but a form of their own. */
const typesByOid = `
  SELECT t.oid::int8::float8 AS oid, n.nspname AS schema, t.typname AS name, t.typtype AS typtype, t.typtypmod AS typmod,
    t.typbasetype::int8::float8 AS base,
    CASE WHEN t.typoutput = 'pg_catalog.array_out'::regproc THEN t.typelem::int8::float8 ELSE 0 END AS element,
    (SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
       FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) AS labels
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid = ANY ($1::oid[])`

export type SourceTypes = (typeOid: number, typmod: number) => SourceType

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
    wanted = new Set(
      found.flatMap(({ base, element }) => [base, element]).filter((oid) => oid !== 0 && !rows.has(oid)),
    )
  }
  return (typeOid, typmod) => resolveType(rows, typeOid, typmod)
}

function resolveType(rows: ReadonlyMap<number, TypeRow>, oid: number, typmod: number): SourceType {
  const row = rows.get(oid)
  if (row === undefined) return { kind: 'pseudo', schema: 'pg_catalog', name: `type ${oid}` }
  const { schema, name } = row
  if (row.typtype === 'd') return resolveType(rows, row.base, row.typmod)
  if (row.element !== 0) return { kind: 'array', element: resolveType(rows, row.element, typmod) }
  if (row.typtype === 'e') return { kind: 'enum', schema, name, labels: row.labels ?? [] }
  if (row.typtype === 'b') return { kind: 'base', schema, name, typmod }
  return { kind: otherKinds[row.typtype] ?? 'pseudo', schema, name }
}

const otherKinds: Readonly<Record<string, 'composite' | 'range' | 'multirange'>> = {
  c: 'composite',
  r: 'range',
  m: 'multirange',
}
