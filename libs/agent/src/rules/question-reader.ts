import { matchColumns, matchScores, type ColumnMatch } from './column-match.ts'
import type { QuestionToken } from './question-token.ts'
import { sameWords, type ColumnModel, type ColumnReference, type Scope } from './semantic-model.ts'
import { splitName, stem } from './word.ts'

/** Part of a question that names several columns equally well, and what could be written instead. */
export type Ambiguity = {
  readonly start: number
  readonly end: number
  readonly replacements: readonly string[]
}

export type TakeColumnOptions = {
  /** Least score that counts. Default: a match in the column's documentation. */
  readonly scoreMin?: number
  /** Decides between columns that are named equally well. */
  readonly prefer?: (column: ColumnModel) => boolean
}

const columnWordsMax = 4

/** Words that carry structure and never belong to a column's or a value's name. */
export const structuralWords: ReadonlySet<string> = new Set(
  `a an and any are as at be been before between but by did do does during each equal equals every except excluding for from
  had has have having how if in into is it its many me more most no not of on or our over per since sorted than
  that the their them there they this to under until was we were what when where which who whose why will with without you`.split(
    /\s+/,
  ),
)

/** A place in the words of one question, read against one scope; remembers what was unclear on the way. */
export class QuestionReader {
  readonly tokens: readonly QuestionToken[]
  readonly scope: Scope
  readonly nowMs: number
  at = 0
  /** Lower is a better reading of the question. */
  cost = 0
  ambiguities: readonly Ambiguity[] = []
  /** Why this reading cannot be answered. */
  problem: string | undefined
  namesTable = false

  constructor(tokens: readonly QuestionToken[], scope: Scope, nowMs: number) {
    this.tokens = tokens
    this.scope = scope
    this.nowMs = nowMs
  }

  get done(): boolean {
    return this.at >= this.tokens.length
  }

  peek(offset = 0): QuestionToken | undefined {
    return this.tokens[this.at + offset]
  }

  /** The words or signs at this place, if one of the phrases stands here; the first phrase that fits is taken. */
  take(...phrases: readonly string[]): string | undefined {
    for (const phrase of phrases) {
      const words = phrase.split(' ')
      const fits = words.every((word, index) => {
        const token = this.peek(index)
        return (
          token !== undefined && (token.kind === 'word' || token.kind === 'symbol') && token.text === word
        )
      })
      if (!fits) continue
      this.at += words.length
      return phrase
    }
    return undefined
  }

  takeNumber(): string | undefined {
    const token = this.peek()
    if (token?.kind !== 'number') return undefined
    this.at++
    return token.text
  }

  /** Goes back when `read` finds nothing. */
  attempt<T>(read: () => T | undefined): T | undefined {
    const { at, cost, ambiguities, problem, namesTable } = this
    const result = read()
    if (result === undefined) Object.assign(this, { at, cost, ambiguities, problem, namesTable })
    return result
  }

  /** The table that is asked about, by its words or its full name. */
  takeTable(): boolean {
    const { words, description } = this.scope.table
    const token = this.peek()
    if (token === undefined) return false
    const length = this.tableLength(token, words, description.name.toLowerCase())
    if (length === 0) return false
    this.at += length
    this.namesTable = true
    return true
  }

  private tableLength(token: QuestionToken, words: readonly string[], name: string): number {
    if (token.text.toLowerCase() === name) return 1
    if (token.kind === 'identifier' || token.kind === 'word') {
      if (sameWords(splitName(token.text).map(stem), words)) return 1
    }
    const span = this.tokens.slice(this.at, this.at + words.length)
    const fits =
      span.every(({ kind }) => kind === 'word') &&
      sameWords(
        span.map(({ text }) => stem(text)),
        words,
      )
    return fits ? words.length : 0
  }

  /** The column that the longest run of words here names; records an ambiguity when several are named equally well. */
  takeColumn(options: TakeColumnOptions = {}): ColumnReference | undefined {
    const { scoreMin = matchScores.doc, prefer } = options
    for (let length = this.columnSpan(); length > 0; length--) {
      const span = this.tokens.slice(this.at, this.at + length)
      const all = matchColumns(
        this.scope,
        span.flatMap(({ text }) => splitName(text)),
      ).filter(({ score }) => score >= scoreMin)
      const preferred = prefer === undefined ? [] : all.filter(({ reference }) => prefer(reference.column))
      const matches = preferred.length > 0 ? preferred : all
      const [first] = matches
      if (first === undefined) continue
      if (matches.length > 1) this.recordAmbiguity(matches, span)
      this.cost += (matchScores.exact - first.score) / 10
      this.at += length
      this.namesTable ||= first.score === matchScores.withTable
      return first.reference
    }
    return undefined
  }

  private columnSpan(): number {
    if (this.peek()?.kind === 'identifier') return 1
    let length = 0
    while (length < columnWordsMax) {
      const token = this.peek(length)
      if (token?.kind !== 'word' || structuralWords.has(token.text)) break
      length++
    }
    return length
  }

  private recordAmbiguity(matches: readonly ColumnMatch[], span: readonly QuestionToken[]): void {
    const start = span[0]?.start ?? 0
    const end = span.at(-1)?.end ?? start
    this.ambiguities = [
      ...this.ambiguities,
      { start, end, replacements: matches.map(({ reference }) => phraseOf(reference)) },
    ]
  }
}

/** Words that name this column and no other. */
export function phraseOf({ column, through }: ColumnReference): string {
  if (through === undefined) return column.name
  return [...splitName(through.column.name).slice(0, -1), column.name].join(' ')
}
