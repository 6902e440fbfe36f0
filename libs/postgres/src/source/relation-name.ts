import { FloeError } from '@floe/iceberg/values'

/** Schema and name of a relation, or of several when a part holds `*`. */
export type RelationPattern = { readonly schema: NamePattern; readonly name: NamePattern }
export type NamePattern = { readonly text: string; readonly wildcard: boolean }

const part = /\s*(?:"((?:[^"]|"")+)"|([^."\s]+))\s*/y

/**
 * Reads `schema.name`, `schema.*`, `name` (schema `public`) or quoted names. As in SQL, unquoted names are lower-cased;
 * `*` stands for any characters in an unquoted part.
 */
export function parseRelationPattern(pattern: string): RelationPattern {
  const parts: NamePattern[] = []
  part.lastIndex = 0
  while (part.lastIndex < pattern.length) {
    const match = part.exec(pattern)
    if (match === null) throw malformed(pattern)
    const [, quoted, plain = ''] = match
    parts.push(
      quoted === undefined
        ? { text: plain.toLowerCase(), wildcard: plain.includes('*') }
        : { text: quoted.replaceAll('""', '"'), wildcard: false },
    )
    const end = match.index + match[0].length
    if (end === pattern.length) break
    if (pattern[end] !== '.' || end + 1 === pattern.length) throw malformed(pattern)
    part.lastIndex = end + 1
  }
  const [first, second, ...rest] = parts
  if (first === undefined || rest.length > 0) throw malformed(pattern)
  return second === undefined
    ? { schema: { text: 'public', wildcard: false }, name: first }
    : { schema: first, name: second }
}

function malformed(pattern: string): FloeError {
  return new FloeError('invalid-input', `not a table name: ${pattern}`, {
    hint: 'write schema.table, schema.* or "Quoted Schema"."Quoted.Table"',
  })
}

/** The pattern as the right side of SQL `LIKE`. */
export function likePattern({ text, wildcard }: NamePattern): string {
  const escaped = text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)
  return wildcard ? escaped.replaceAll('*', '%') : escaped
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteRelation({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}
