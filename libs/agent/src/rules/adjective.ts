import { matchScores } from './column-match.ts'
import type { QuestionReader } from './question-reader.ts'
import { isNumeric, isQuantity, type ColumnReference } from './semantic-model.ts'
import type { Comparison } from './structured-query.ts'
import { stem } from './word.ts'

type Adjective = {
  readonly superlatives: readonly string[]
  readonly comparatives: readonly string[]
  readonly words: readonly string[]
}

const lengthWords = ['distance', 'length', 'duration']
const priceWords = ['price', 'total', 'amount', 'cost']
const sizeWords = ['size', 'total', 'amount', 'quantity']

/** Adjectives from the large end, and the columns that they speak of. */
const large: readonly Adjective[] = [
  { superlatives: ['longest'], comparatives: ['longer than'], words: lengthWords },
  { superlatives: ['most expensive', 'priciest'], comparatives: ['more expensive than'], words: priceWords },
  { superlatives: ['largest', 'biggest'], comparatives: ['larger than', 'bigger than'], words: sizeWords },
  { superlatives: ['heaviest'], comparatives: ['heavier than'], words: ['weight'] },
  { superlatives: [], comparatives: ['older than'], words: ['age'] },
]
const small: readonly Adjective[] = [
  { superlatives: ['shortest'], comparatives: ['shorter than'], words: lengthWords },
  {
    superlatives: ['cheapest', 'least expensive'],
    comparatives: ['cheaper than', 'less expensive than'],
    words: priceWords,
  },
  { superlatives: ['smallest'], comparatives: ['smaller than'], words: sizeWords },
  { superlatives: ['lightest'], comparatives: ['lighter than'], words: ['weight'] },
  { superlatives: ['youngest'], comparatives: ['younger than'], words: ['age'] },
]

export type Superlative = {
  readonly direction: 'ASC' | 'DESC'
  readonly columns: readonly ColumnReference[]
  readonly word: string
}

/** `longest`, `cheapest`, `most liked`: a direction and the columns that may be meant, none when the table has no such. */
export function takeSuperlative(reader: QuestionReader): Superlative | undefined {
  for (const [direction, adjectives] of [['DESC', large] as const, ['ASC', small] as const]) {
    for (const { superlatives, words } of adjectives) {
      const word = reader.take(...superlatives)
      if (word !== undefined) return { direction, word, columns: columnsNamed(reader, words) }
    }
  }
  return reader.attempt(() => {
    const word = reader.take('most', 'least')
    if (word === undefined) return undefined
    const column = reader.takeColumn({ scoreMin: matchScores.verb, prefer: isNumeric })
    if (column === undefined || !isNumeric(column.column)) return undefined
    return { direction: word === 'most' ? 'DESC' : 'ASC', word, columns: [column] }
  })
}

export type Comparative = {
  readonly operator: Comparison
  readonly columns: readonly ColumnReference[]
  readonly word: string
}

/** `older than`, `cheaper than`. */
export function takeComparative(reader: QuestionReader): Comparative | undefined {
  for (const [operator, adjectives] of [['>', large] as const, ['<', small] as const]) {
    for (const { comparatives, words } of adjectives) {
      const word = reader.take(...comparatives)
      if (word !== undefined) return { operator, word, columns: columnsNamed(reader, words) }
    }
  }
  return undefined
}

function columnsNamed(reader: QuestionReader, words: readonly string[]): readonly ColumnReference[] {
  const stems = words.map(stem)
  const quantities = reader.scope.table.columns.filter(isQuantity)
  const named = quantities.filter(({ expandedWords }) => stems.some((word) => expandedWords.includes(word)))
  const columns =
    named.length > 0 ? named : quantities.filter(({ docWords }) => stems.some((word) => docWords.has(word)))
  return columns.map((column) => ({ column }))
}
