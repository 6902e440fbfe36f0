import { sameWords, type ColumnModel, type ColumnReference, type Scope } from './semantic-model.ts'
import { stem, verbStem } from './word.ts'

export type ColumnMatch = { readonly reference: ColumnReference; readonly score: number }

/** How well words name a column; a higher score wins, equal scores are asked about. */
export const matchScores = {
  exact: 100,
  expanded: 95,
  withoutAffix: 90,
  throughKey: 88,
  verb: 85,
  /** Above `throughKey`: `order total` is a column of orders first. */
  withTable: 92,
  joined: 70,
  part: 65,
  doc: 50,
} as const

const suffixes: ReadonlySet<string> = new Set(
  ['at', 'on', 'id', 'ts', 'timestamp', 'time', 'date', 'code', 'name', 'count'].map(stem),
)
const prefixes: ReadonlySet<string> = new Set(['is', 'has'].map(stem))

/** Other words for what a column name says. */
const synonyms: Readonly<Record<string, string>> = {
  born: 'birth',
  creation: 'created',
  joined: 'created',
  registered: 'created',
  registration: 'created',
  signed: 'created',
  signup: 'created',
  cost: 'price',
  revenue: 'total',
  airline: 'carrier',
}

/** The columns of a scope that `words` names best, all with one score; none when no column fits. */
export function matchColumns(scope: Scope, words: readonly string[]): readonly ColumnMatch[] {
  const matches = [...ownMatches(scope, words), ...joinedMatches(scope, words)]
  const best = Math.max(0, ...matches.map(({ score }) => score))
  return matches.filter(({ score }) => score === best)
}

function ownMatches(scope: Scope, words: readonly string[]): readonly ColumnMatch[] {
  return scope.table.columns.flatMap((column) => {
    const score = scoreColumn(column, words, scope.table.words)
    return score === 0 ? [] : [{ reference: { column }, score }]
  })
}

function joinedMatches(scope: Scope, words: readonly string[]): readonly ColumnMatch[] {
  return scope.foreignKeys.flatMap((through) =>
    through.target.columns.flatMap((column) => {
      if (column === through.targetColumn) return []
      const score = scoreJoined(column, words, [through.words, through.target.words])
      return score === 0 ? [] : [{ reference: { column, through }, score }]
    }),
  )
}

function scoreJoined(
  column: ColumnModel,
  words: readonly string[],
  prefixes: readonly (readonly string[])[],
): number {
  const stems = words.map(stem)
  for (const prefix of prefixes) {
    if (stems.length > prefix.length && sameWords(stems.slice(0, prefix.length), prefix)) {
      if (nameScore(column, words.slice(prefix.length)) >= matchScores.verb) return matchScores.throughKey
    }
  }
  return nameScore(column, words) >= matchScores.verb ? matchScores.joined : 0
}

function scoreColumn(column: ColumnModel, words: readonly string[], tableWords: readonly string[]): number {
  const byName = nameScore(column, words)
  if (byName > 0) return byName
  const stems = words.map(stem)
  if (stems.length > tableWords.length && sameWords(stems.slice(0, tableWords.length), tableWords)) {
    if (nameScore(column, words.slice(tableWords.length)) >= matchScores.withoutAffix)
      return matchScores.withTable
  }
  const known = new Set([...column.words, ...column.expandedWords])
  if (stems.every((word, index) => known.has(word) || known.has(verbStem(words[index] ?? ''))))
    return matchScores.part
  return stems.every((word) => word.length > 2 && column.docWords.has(word)) ? matchScores.doc : 0
}

function nameScore(column: ColumnModel, words: readonly string[]): number {
  const stems = words.map(stem)
  if (sameWords(column.words, stems) || column.words.join('') === stems.join('')) return matchScores.exact
  if (sameWords(column.expandedWords, stems)) return matchScores.expanded
  const bare = withoutAffix(column.words)
  const expanded = withoutAffix(column.expandedWords)
  if (sameWords(bare, stems) || sameWords(expanded, stems)) return matchScores.withoutAffix
  const others = [words.map(verbStem), words.map((word) => stem(synonyms[word] ?? word))]
  const names = [column.words, column.expandedWords, bare, expanded]
  return others.some((other) => names.some((name) => sameWords(name, other))) ? matchScores.verb : 0
}

function withoutAffix(words: readonly string[]): readonly string[] {
  if (words.length < 2) return words
  if (suffixes.has(words.at(-1) ?? '')) return words.slice(0, -1)
  return prefixes.has(words[0] ?? '') ? words.slice(1) : words
}
