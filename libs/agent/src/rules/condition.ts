import { takeComparative } from './adjective.ts'
import { matchColumns, matchScores } from './column-match.ts'
import { takeArticles } from './measure.ts'
import { phraseOf, type QuestionReader } from './question-reader.ts'
import { isBoolean, isNumeric, isQuantity, isTemporal, type ColumnReference } from './semantic-model.ts'
import type { Comparison, Filter } from './structured-query.ts'
import { takeTimeFilter } from './time-filter.ts'
import { takeAlternatives, takeLiteral, takeUnit } from './value-words.ts'

const comparisonPhrases: readonly (readonly [Comparison, readonly string[]])[] = [
  ['>=', ['at least', 'greater than or equal to', 'no less than', 'not less than', '>=']],
  ['<=', ['at most', 'less than or equal to', 'no more than', 'not more than', 'up to', '<=']],
  [
    '>',
    [
      'more than',
      'greater than',
      'larger than',
      'longer than',
      'higher than',
      'bigger than',
      'over',
      'above',
      'exceeding',
      '>',
    ],
  ],
  ['<', ['less than', 'fewer than', 'lower than', 'smaller than', 'shorter than', 'under', 'below', '<']],
  ['<>', ['not equal to', 'other than', 'different from', '<>', "isn't", "aren't", 'not']],
  ['=', ['equal to', 'equals', 'exactly', '=', 'of', 'named', 'called']],
]
const textPhrases = [
  ['contains', ['containing', 'contains', 'contain', 'including', 'includes', 'include', 'like', 'with']],
  ['starts_with', ['starting with', 'starts with', 'start with', 'beginning with', 'begins with']],
  ['ends_with', ['ending with', 'ending in', 'ends with', 'end with']],
] as const

/** One condition on a column: `delay over 60`, `origin is SFO`, `without email`, `not cancelled`, `more than 100 likes`. */
export function takeCondition(reader: QuestionReader, scoreMin: number): readonly Filter[] | undefined {
  return (
    reader.attempt(() => takeNegation(reader)) ??
    reader.attempt(() => takeOpposite(reader)) ??
    reader.attempt(() => takeLeadingComparison(reader)) ??
    reader.attempt(() => takeAdjective(reader)) ??
    reader.attempt(() => {
      const column = reader.takeColumn({ scoreMin })
      return column === undefined ? undefined : takeRest(reader, column)
    })
  )
}

function takeNegation(reader: QuestionReader): readonly Filter[] | undefined {
  const start = reader.peek()?.start ?? 0
  const absence = reader.take('without', 'with no', 'have no', 'has no', 'had no', 'no', 'missing')
  const isAbsence = absence !== undefined
  if (!isAbsence && reader.take('not', 'never', "isn't", "aren't", 'non') === undefined) return undefined
  reader.take('a', 'an', 'any', 'the', 'been')
  const column = reader.takeColumn({ scoreMin: isAbsence ? matchScores.doc : matchScores.verb })
  if (column === undefined) return undefined
  if (isBoolean(column.column)) return [compareBoolean(column, false)]
  if (!isAbsence && !isTemporal(column.column)) return undefined
  if (absence?.endsWith('no') === true && isQuantity(column.column)) {
    // "no delay" is a delay of zero, or one that nobody wrote down.
    const name = phraseOf(column)
    const end = reader.peek(-1)?.end ?? start
    const replacements = [`with ${name} of 0`, `without ${name}`]
    reader.ambiguities = [...reader.ambiguities, { start, end, replacements }]
  }
  return [{ kind: 'null', column, negated: false }]
}

/** `unverified`, `inactive`: the opposite of a boolean column's name. */
function takeOpposite(reader: QuestionReader): readonly Filter[] | undefined {
  const word = /^(?:un|in|non-?)(\p{L}{3,})$/u.exec(reader.peek()?.text ?? '')?.[1]
  if (word === undefined) return undefined
  const matches = matchColumns(reader.scope, [word]).filter(
    ({ reference, score }) => isBoolean(reference.column) && score >= matchScores.verb,
  )
  const [match] = matches
  if (match === undefined || matches.length > 1) return undefined
  reader.at++
  return [compareBoolean(match.reference, false)]
}

/** `older than 30`, `cheaper than 10`. */
function takeAdjective(reader: QuestionReader): readonly Filter[] | undefined {
  const start = reader.peek()?.start ?? 0
  const comparative = takeComparative(reader)
  const text = reader.takeNumber()
  const [column] = comparative?.columns ?? []
  if (comparative === undefined || text === undefined || column === undefined) return undefined
  const end = reader.peek(-1)?.end ?? start
  takeUnit(reader)
  if (comparative.columns.length > 1) {
    const sign = comparative.operator === '>' ? 'over' : 'under'
    const replacements = comparative.columns.map((reference) => `with ${phraseOf(reference)} ${sign} ${text}`)
    reader.ambiguities = [...reader.ambiguities, { start, end, replacements }]
  }
  return [{ kind: 'compare', column, operator: comparative.operator, value: { kind: 'number', text } }]
}

function compareBoolean(column: ColumnReference, value: boolean): Filter {
  return { kind: 'compare', column, operator: '=', value: { kind: 'boolean', value } }
}

function takeComparisonWord(reader: QuestionReader): Comparison | undefined {
  return comparisonPhrases.find(([, phrases]) => reader.take(...phrases) !== undefined)?.[0]
}

/** The comparison before the column: `more than 100 likes`. */
function takeLeadingComparison(reader: QuestionReader): readonly Filter[] | undefined {
  const operator = takeComparisonWord(reader)
  if (operator === undefined || operator === '<>' || operator === '=') return undefined
  const text = reader.takeNumber()
  if (text === undefined) return undefined
  const unit = reader.attempt(() => reader.takeColumn({ prefer: isQuantity }))
  const column =
    unit ??
    reader.attempt(() => (reader.at++, takeArticles(reader), reader.takeColumn({ prefer: isQuantity })))
  if (column === undefined || !isQuantity(column.column)) return undefined
  return [{ kind: 'compare', column, operator, value: { kind: 'number', text } }]
}

function takeRest(reader: QuestionReader, column: ColumnReference): readonly Filter[] | undefined {
  const time = isTemporal(column.column) ? takeTimeFilter(reader, column) : undefined
  if (time !== undefined) return [time]
  const isStated = reader.take('is', 'are', 'was', 'were', 'by') !== undefined
  const filter =
    takeNull(reader, column) ??
    takeSet(reader, column) ??
    takeText(reader, column) ??
    takeBoolean(reader, column)
  if (filter !== undefined) return [filter]
  const between = reader.attempt(() => takeBetween(reader, column))
  if (between !== undefined) return [between]
  const compared = reader.attempt(() => takeCompared(reader, column, isStated))
  if (compared !== undefined) return [compared]
  if (isStated || isNumeric(column.column)) return undefined
  return isTemporal(column.column) ? takeHappened(column) : undefined
}

/** "created" alone says nothing of a column that always has a value; "shipped" says that it has one. */
function takeHappened(column: ColumnReference): readonly Filter[] {
  return column.column.description.required ? [] : [{ kind: 'null', column, negated: true }]
}

function takeNull(reader: QuestionReader, column: ColumnReference): Filter | undefined {
  if (reader.take('not null', 'known', 'set', 'not empty', 'not missing', 'present') !== undefined) {
    return { kind: 'null', column, negated: true }
  }
  if (reader.take('null', 'missing', 'empty', 'unknown', 'not set', 'not known') === undefined)
    return undefined
  return { kind: 'null', column, negated: false }
}

function takeBoolean(reader: QuestionReader, column: ColumnReference): Filter | undefined {
  if (!isBoolean(column.column)) return undefined
  reader.take('=')
  return compareBoolean(
    column,
    reader.take('false', 'no', 'not true') === undefined ? (reader.take('true', 'yes'), true) : false,
  )
}

function takeSet(reader: QuestionReader, column: ColumnReference): Filter | undefined {
  return reader.attempt(() => {
    const negated = reader.take('not in', 'not one of', 'none of') !== undefined
    if (!negated && reader.take('in', 'one of', 'any of', 'either') === undefined) return undefined
    return takeValues(reader, column, negated, [',', 'or', 'and', ', or', ', and'])
  })
}

function takeValues(
  reader: QuestionReader,
  column: ColumnReference,
  negated: boolean,
  separators: readonly string[],
): Filter | undefined {
  if (isNumeric(column.column)) {
    const values = takeNumbers(reader, separators)
    return values.length === 0 ? undefined : { kind: 'in', column, negated, values }
  }
  const start = reader.peek()?.start ?? 0
  const alternatives = takeAlternatives(reader, separators)
  return alternatives === undefined ? undefined : { kind: 'value', alternatives, column, negated, start }
}

function takeNumbers(
  reader: QuestionReader,
  separators: readonly string[],
): { kind: 'number'; text: string }[] {
  const values: { kind: 'number'; text: string }[] = []
  reader.take('(')
  do {
    const text = reader.takeNumber()
    if (text !== undefined) values.push({ kind: 'number', text })
  } while (reader.take(...separators) !== undefined)
  reader.take(')')
  return values
}

function takeText(reader: QuestionReader, column: ColumnReference): Filter | undefined {
  return reader.attempt(() => {
    const negated = reader.take('not', 'does not', 'do not') !== undefined
    const match = textPhrases.find(([, phrases]) => reader.take(...phrases) !== undefined)?.[0]
    if (match === undefined) return undefined
    const words = takeAlternatives(reader, [])?.[0]
    if (words === undefined) return undefined
    return { kind: 'text', column, match, text: words.map(({ text }) => text).join(' '), negated }
  })
}

function takeBetween(reader: QuestionReader, column: ColumnReference): Filter | undefined {
  if (reader.take('between', 'from') === undefined) return undefined
  const low = takeLiteral(reader, column)
  if (low === undefined || reader.take('and', 'to', '-') === undefined) return undefined
  const high = takeLiteral(reader, column)
  return high === undefined ? undefined : { kind: 'between', column, low, high }
}

function takeCompared(
  reader: QuestionReader,
  column: ColumnReference,
  isStated: boolean,
): Filter | undefined {
  const operator = takeComparisonWord(reader)
  reader.take('the', 'a', 'an')
  const value = takeLiteral(reader, column)
  if (value !== undefined) return { kind: 'compare', column, operator: operator ?? '=', value }
  if (isNumeric(column.column) || isTemporal(column.column)) return undefined
  if (operator !== undefined && operator !== '=' && operator !== '<>') return undefined
  if (operator === undefined && !isStated && reader.peek()?.kind === 'symbol') return undefined
  return takeValues(reader, column, operator === '<>', ['or', 'nor', ', or'])
}
