import { currentViewVersion, FloeError } from '@floe/iceberg'
import type { Schema, ViewRepresentation } from '@floe/iceberg'
import type { LoadedView } from '@floe/catalog'
import type { DuckDBConnection } from '@duckdb/node-api'

import { quoteIdentifier } from './sql-text.ts'
import { parseSelect } from './sql-tree.ts'
import type { Statement } from './sql-tree.ts'
import { tableName } from './table-lookup.ts'
import { rewriteVersionSyntax } from './version-syntax.ts'

/** Dialects in the order in which they are tried; others come after them. */
const preferredDialects: readonly string[] = ['duckdb', 'trino', 'postgres', 'postgresql', 'ansi', 'spark']

/**
 * The SELECT of a view's current version: its DuckDB text, else the first text that DuckDB's parser takes.
 * @throws FloeError unsupported when none does
 */
export async function parseView(connection: DuckDBConnection, loaded: LoadedView): Promise<Statement> {
  const { representations } = currentViewVersion(loaded.metadata)
  const texts = representations.filter(({ type }) => type === 'sql') as SqlText[]
  let cause: unknown
  for (const { sql, dialect } of [...texts].sort((a, b) => rankOf(a) - rankOf(b))) {
    try {
      return await parseSelect(connection, rewriteVersionSyntax(inDuckdbQuotes(sql, dialect)))
    } catch (error) {
      cause ??= error
    }
  }
  const dialects = texts.map(({ dialect }) => dialect).join(', ') || 'none'
  throw new FloeError(
    'unsupported',
    `the view ${tableName(loaded.identifier)} has no SELECT that DuckDB can parse`,
    {
      hint: `its dialects are ${dialects}; add a representation in the dialect duckdb`,
      cause,
    },
  )
}

type SqlText = Extract<ViewRepresentation, { type: 'sql' }>

function rankOf({ dialect }: SqlText): number {
  const rank = preferredDialects.indexOf(dialect.toLowerCase())
  return rank < 0 ? preferredDialects.length : rank
}

/** Spark quotes names with backticks, and takes double quotes for text. */
const sparkTokens = /'(?:[^'\\]|\\.|'')*'|"((?:[^"\\]|\\.|"")*)"|`((?:[^`]|``)*)`|--[^\n]*|\/\*[\s\S]*?\*\//g

function inDuckdbQuotes(sql: string, dialect: string): string {
  if (!['spark', 'hive', 'databricks'].includes(dialect.toLowerCase())) return sql
  return sql.replaceAll(sparkTokens, (token, text: string | undefined, name: string | undefined) => {
    if (name !== undefined) return quoteIdentifier(name.replaceAll('``', '`'))
    return text === undefined ? token : `'${text.replaceAll("'", "''")}'`
  })
}

/** The columns that a view has. */
export function viewSchema({ metadata }: LoadedView): Schema {
  const { schemaId } = currentViewVersion(metadata)
  const schema = metadata.schemas.find((each) => each.schemaId === schemaId)
  if (schema !== undefined) return schema
  throw new FloeError('corrupt-data', `the view at ${metadata.location} has no schema ${schemaId}`)
}

/**
 * A statement that makes the view: its first columns under the names of its schema. `SELECT *` over a table that got
 * more columns since gives more than those.
 */
export function viewSql(name: string, loaded: LoadedView, select: string): string {
  const columns = viewSchema(loaded).fields.map((field) => quoteIdentifier(field.name))
  if (columns.length === 0) return `CREATE TEMP VIEW ${name} AS ${select}`
  return `CREATE TEMP VIEW ${name} AS SELECT ${columns.join(', ')} FROM (${select}) AS rows(${columns.join(', ')})`
}

/**
 * A name in a view's text (view spec "Versions"): one without a namespace is in the view's default namespace, and one
 * may start with the name of the default catalog.
 */
export function pathInView(path: readonly string[], { metadata }: LoadedView): readonly string[] {
  const { defaultNamespace, defaultCatalog } = currentViewVersion(metadata)
  if (path.length === 1) return [...defaultNamespace, ...path]
  return path.length > 2 && path[0] === defaultCatalog ? path.slice(1) : path
}
