import type { ColumnDescription, TableDescription } from '../table-directory.ts'
import { expandWords, splitName, stem } from './word.ts'

export type ColumnModel = {
  readonly description: ColumnDescription
  readonly name: string
  readonly words: readonly string[]
  readonly expandedWords: readonly string[]
  readonly docWords: ReadonlySet<string>
}

/** A column that names a row of another table: `user_id` of `posts` and `id` of `users`. */
export type ForeignKey = {
  readonly column: ColumnModel
  /** What the key calls the other table: `user` for `user_id`. */
  readonly words: readonly string[]
  readonly target: TableModel
  readonly targetColumn: ColumnModel
}

export type TableModel = {
  readonly description: TableDescription
  readonly namespace: string
  readonly base: string
  readonly words: readonly string[]
  readonly columns: readonly ColumnModel[]
}

/** A column of the table that is asked about, or of one that it refers to. */
export type ColumnReference = { readonly column: ColumnModel; readonly through?: ForeignKey }

/** One table with the tables it refers to: what the words of a question are resolved against. */
export type Scope = { readonly table: TableModel; readonly foreignKeys: readonly ForeignKey[] }

/** Names, documentation and guessed foreign keys of every table, as word stems. */
export function buildScopes(tables: readonly TableDescription[]): readonly Scope[] {
  const models = tables.map(buildTable)
  return models.map((table) => ({ table, foreignKeys: findForeignKeys(table, models) }))
}

function buildTable(description: TableDescription): TableModel {
  const parts = description.name.split('.')
  const base = parts.at(-1) ?? description.name
  return {
    description,
    namespace: parts.slice(0, -1).join('.'),
    base,
    words: splitName(base).map(stem),
    columns: description.columns.map(buildColumn),
  }
}

function buildColumn(description: ColumnDescription): ColumnModel {
  const words = splitName(description.name)
  return {
    description,
    name: description.name,
    words: words.map(stem),
    expandedWords: expandWords(words).map(stem),
    docWords: new Set(splitName(description.doc ?? '').map(stem)),
  }
}

/** By name first (`user_id`), else by a key's documentation that names one table (`follower_id`: "the user who follows"). */
function findForeignKeys(table: TableModel, models: readonly TableModel[]): readonly ForeignKey[] {
  const keys: ForeignKey[] = []
  for (const column of table.columns) {
    const words = column.words.slice(0, -1)
    if (column.words.at(-1) !== 'id' || words.length === 0) continue
    const near = models.filter(({ namespace }) => namespace === table.namespace)
    const byName = near.filter((other) => sameWords(other.words, words))
    const found =
      byName.length > 0
        ? byName
        : near.filter((other) => other !== table && other.words.every((word) => column.docWords.has(word)))
    const [target] = found
    const targetColumn = target?.columns.find(
      (other) => sameWords(other.words, ['id']) || sameWords(other.words, column.words),
    )
    if (found.length !== 1 || target === undefined || targetColumn === undefined || targetColumn === column)
      continue
    keys.push({ column, words, target, targetColumn })
  }
  return keys
}

export function sameWords(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((word, index) => word === right[index])
}

export function isNumeric({ description }: ColumnModel): boolean {
  return ['int', 'long', 'float', 'double', 'decimal'].includes(description.type.kind)
}

/** A number that can be added and compared; keys are numbers by accident. */
export function isQuantity(column: ColumnModel): boolean {
  return isNumeric(column) && (column.words.length === 1 || column.words.at(-1) !== 'id')
}

export function isTemporal({ description }: ColumnModel): boolean {
  return ['date', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns'].includes(
    description.type.kind,
  )
}

export function isString({ description }: ColumnModel): boolean {
  return description.type.kind === 'string'
}

export function isBoolean({ description }: ColumnModel): boolean {
  return description.type.kind === 'boolean'
}

/** Names that say "when the row came to be", most telling first. */
const timeNames = ['created', 'date', 'timestamp', 'time', 'ts', 'occurred', 'day']

/** The columns that "in 2024" may mean: the only temporal one, else the best named, else all of them. */
export function timeColumns(table: TableModel): readonly ColumnModel[] {
  const temporal = table.columns.filter(isTemporal)
  if (temporal.length < 2) return temporal
  for (const name of timeNames) {
    const word = stem(name)
    const named = temporal.filter(
      ({ words }) => words[0] === word || sameWords(words, [...table.words, word]),
    )
    if (named.length === 1) return named
  }
  // The time that every row has is the row's own: an order is ordered always, shipped perhaps.
  const always = temporal.filter(({ description }) => description.required)
  if (always.length === 1) return always
  return temporal
}
