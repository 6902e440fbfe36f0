import { quoteIdentifier, quoteString, quoteTable } from '../quote-sql.ts'
import type { SqlRunner } from '../sql-runner.ts'
import { phraseOf } from './question-reader.ts'
import { isString, type ColumnReference, type Scope } from './semantic-model.ts'
import type { Filter, ValueSpan } from './structured-query.ts'
import { splitName, stem } from './word.ts'

/** String columns searched for one question's values, at most. */
const lookedUpColumnsMax = 32
/** Spellings found for one question's values, at most. */
const spellingsMax = 200

type ValueFilter = Extract<Filter, { kind: 'value' }>
type Spelling = { readonly column: ColumnReference; readonly text: string }

export type ResolvedFilter =
  | { readonly kind: 'filters'; readonly filters: readonly Filter[] }
  | { readonly kind: 'unknown'; readonly span: ValueSpan }
  /** The same value stands in several columns. */
  | {
      readonly kind: 'ambiguous'
      readonly start: number
      readonly end: number
      readonly replacements: readonly string[]
    }

/** Words of a clause that prefer some columns: "from SFO" is an origin before it is a destination. */
const prepositionHints: Readonly<Record<string, readonly string[]>> = {
  from: ['origin', 'source', 'departure', 'from', 'sender', 'country', 'city'],
  departing: ['origin', 'source', 'departure'],
  to: ['destination', 'dest', 'to', 'arrival', 'receiver', 'recipient'],
  into: ['destination', 'dest', 'arrival'],
  arriving: ['destination', 'dest', 'arrival'],
  in: ['country', 'city', 'state', 'region', 'language', 'category'],
  by: ['author', 'user', 'customer', 'carrier', 'username', 'name'],
  named: ['name', 'username', 'title'],
  called: ['name', 'username', 'title'],
}

/**
 * Finds in the data which column holds each value of a question, and how it is spelled there. One read of the string
 * columns; case is ignored, the stored spelling goes into the SQL so that files can be pruned by it.
 */
export async function resolveValues(
  filters: readonly ValueFilter[],
  scope: Scope,
  runner: SqlRunner,
  signal?: AbortSignal,
): Promise<readonly ResolvedFilter[]> {
  const spellings = await findSpellings(filters, scope, runner, signal)
  return filters.map((filter) =>
    filter.column === undefined
      ? resolveFree(
          filter,
          spellings.filter(({ column }) => filter.through === undefined || filter.through === column.through),
        )
      : resolveNamed(filter, filter.column, spellings),
  )
}

async function findSpellings(
  filters: readonly ValueFilter[],
  scope: Scope,
  runner: SqlRunner,
  signal: AbortSignal | undefined,
): Promise<readonly Spelling[]> {
  const isOpen = filters.some(({ column }) => column === undefined)
  const named = filters.flatMap(({ column }) => (column === undefined ? [] : [column]))
  const columns = (isOpen ? candidateColumns(scope, named) : named)
    .filter(({ column }) => isString(column))
    .slice(0, lookedUpColumnsMax)
  const texts = new Set(
    filters.flatMap(({ alternatives }) => alternatives.flatMap(subSpans)).map((text) => text.toLowerCase()),
  )
  if (columns.length === 0 || texts.size === 0) return []
  const list = [...texts].map(quoteString).join(', ')
  const branches = columns.map((reference, index) => {
    const { column, through } = reference
    const table = quoteTable((through?.target ?? scope.table).description.name)
    const name = quoteIdentifier(column.name)
    return `SELECT DISTINCT ${index} AS "column", ${name} AS "value" FROM ${table} WHERE lower(${name}) IN (${list})`
  })
  const { rows } = await runner.run(branches.join(' UNION ALL '), {
    rowsMax: spellingsMax,
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.flatMap(([index, text]) => {
    const column = columns[Number(index)]
    return column === undefined || typeof text !== 'string' ? [] : [{ column, text }]
  })
}

function candidateColumns(
  { table, foreignKeys }: Scope,
  named: readonly ColumnReference[],
): readonly ColumnReference[] {
  const joined = foreignKeys.flatMap((through) =>
    through.target.columns.map((column) => ({ column, through })),
  )
  return [...named, ...table.columns.map((column) => ({ column })), ...joined]
}

/** Every run of neighbouring words: "new york monday" may be one value or two. */
function subSpans(words: readonly ValueSpan[]): readonly string[] {
  return words.flatMap((_, from) =>
    words.slice(from).map((_, length) => joinWords(words.slice(from, from + length + 1))),
  )
}

function joinWords(words: readonly ValueSpan[]): string {
  return words.map(({ text }) => text).join(' ')
}

function sameColumn(left: ColumnReference, right: ColumnReference): boolean {
  return left.column === right.column && left.through === right.through
}

/** The stored spelling, an exact one before others; as asked when the column does not hold it. */
function spellingIn(
  column: ColumnReference,
  text: string,
  spellings: readonly Spelling[],
): string | undefined {
  const known = spellings.filter((spelling) => sameColumn(spelling.column, column))
  const lower = text.toLowerCase()
  return (
    known.find((spelling) => spelling.text === text) ??
    known.find((spelling) => spelling.text.toLowerCase() === lower)
  )?.text
}

function resolveNamed(
  filter: ValueFilter,
  column: ColumnReference,
  spellings: readonly Spelling[],
): ResolvedFilter {
  const texts = filter.alternatives.map(
    (words) => spellingIn(column, joinWords(words), spellings) ?? joinWords(words),
  )
  return { kind: 'filters', filters: [equalityFilter(column, texts, filter.negated)] }
}

function equalityFilter(column: ColumnReference, texts: readonly string[], negated: boolean): Filter {
  const values = texts.map((text) => ({ kind: 'string', text }) as const)
  const [value] = values
  if (values.length === 1 && value !== undefined)
    return { kind: 'compare', column, operator: negated ? '<>' : '=', value }
  return { kind: 'in', column, negated, values }
}

function resolveFree(filter: ValueFilter, spellings: readonly Spelling[]): ResolvedFilter {
  const [words = []] = filter.alternatives
  if (filter.alternatives.length > 1) return resolveTogether(filter, filter.alternatives, spellings)
  const filters: Filter[] = []
  for (let at = 0; at < words.length;) {
    const length = longestKnown(words, at, spellings)
    const span = words[at]
    if (length === 0 && span !== undefined) return { kind: 'unknown', span }
    const resolved = resolveTogether(filter, [words.slice(at, at + length)], spellings)
    if (resolved.kind !== 'filters') return resolved
    filters.push(...resolved.filters)
    at += length
  }
  return { kind: 'filters', filters }
}

function longestKnown(words: readonly ValueSpan[], at: number, spellings: readonly Spelling[]): number {
  for (let length = words.length - at; length > 0; length--) {
    const text = joinWords(words.slice(at, at + length)).toLowerCase()
    if (spellings.some((spelling) => spelling.text.toLowerCase() === text)) return length
  }
  return 0
}

/** One column that holds every alternative. */
function resolveTogether(
  filter: ValueFilter,
  alternatives: readonly (readonly ValueSpan[])[],
  spellings: readonly Spelling[],
): ResolvedFilter {
  const columns = spellings
    .map(({ column }) => column)
    .filter((column, index, all) => all.findIndex((other) => sameColumn(other, column)) === index)
  const holding = columns.filter((column) =>
    alternatives.every((words) => spellingIn(column, joinWords(words), spellings) !== undefined),
  )
  const [column, ...others] = preferColumns(holding, filter.preposition)
  if (column === undefined) {
    const missing = alternatives.find(
      (words) => !columns.some((other) => spellingIn(other, joinWords(words), spellings) !== undefined),
    )
    const span = missing?.[0] ?? alternatives[0]?.[0]
    return { kind: 'unknown', span: span ?? { text: '', start: filter.start, end: filter.start } }
  }
  const texts = alternatives.map(
    (words) => spellingIn(column, joinWords(words), spellings) ?? joinWords(words),
  )
  if (others.length === 0)
    return { kind: 'filters', filters: [equalityFilter(column, texts, filter.negated)] }
  const end = alternatives.at(-1)?.at(-1)?.end ?? filter.start
  const values = texts.map((text) => `'${text}'`).join(' or ')
  const replacements = [column, ...others].map(
    (other) => `with ${phraseOf(other)} ${filter.negated ? 'not ' : ''}${values}`,
  )
  return { kind: 'ambiguous', start: filter.start, end, replacements }
}

/** By the preposition first, then the table's own columns before those of tables it refers to. */
function preferColumns(
  columns: readonly ColumnReference[],
  preposition: string | undefined,
): readonly ColumnReference[] {
  if (columns.length < 2) return columns
  const hints = new Set((prepositionHints[preposition ?? ''] ?? []).map(stem))
  const own = columns.filter(({ through }) => through === undefined)
  const near = own.length > 0 ? own : columns
  const hinted = near.filter(({ column }) => splitName(column.name).some((word) => hints.has(stem(word))))
  return hinted.length > 0 ? hinted : near
}
