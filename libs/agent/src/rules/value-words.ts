import { matchScores } from './column-match.ts'
import { takePeriod } from './period.ts'
import { structuralWords, type QuestionReader } from './question-reader.ts'
import { isNumeric, isTemporal, type ColumnReference } from './semantic-model.ts'
import type { Literal, ValueSpan } from './structured-query.ts'

const valueWordsMax = 5

/** Measuring words after a number that say nothing more than the column does. */
const unitWords =
  `minutes minute mins min hours hour seconds seconds days day miles mile km kilometers kilometres meters
  dollars dollar usd eur euros euro cents percent years year old kg points times`.split(/\s+/)

/** Words that only connect a table with what is said of it. */
export const emptyVerbs: ReadonlySet<string> = new Set(
  `depart departed leave left go went come came fly flew flown arrive arrived start end write wrote written publish make made buy bought
  place placed happened occurred exist exists up get gets got receive received table`.split(/\s+/),
)

const clauseWords: ReadonlySet<string> = new Set(
  'grouped group sorted sort limit ascending descending asc desc daily weekly monthly quarterly yearly hourly total average avg mean sum median number count'.split(
    ' ',
  ),
)

/** The words of one value: a quoted string, a number, or words up to the next clause. */
function takeValueWords(reader: QuestionReader): readonly ValueSpan[] | undefined {
  const token = reader.peek()
  if (token === undefined) return undefined
  if (token.kind === 'string' || token.kind === 'identifier' || token.kind === 'number') {
    reader.at++
    return [{ text: token.text, start: token.start, end: token.end }]
  }
  const spans: ValueSpan[] = []
  while (spans.length < valueWordsMax && startsValueWord(reader)) {
    const word = reader.peek()
    if (word === undefined) break
    spans.push({ text: word.raw.replace(/['’]s$/u, ''), start: word.start, end: word.end })
    reader.at++
  }
  return spans.length === 0 ? undefined : spans
}

function startsValueWord(reader: QuestionReader): boolean {
  const token = reader.peek()
  if (
    token?.kind !== 'word' ||
    structuralWords.has(token.text) ||
    clauseWords.has(token.text) ||
    emptyVerbs.has(token.text)
  )
    return false
  const { at, cost, ambiguities, namesTable } = reader
  const startsOther =
    reader.takeTable() ||
    takePeriod(reader) !== undefined ||
    reader.takeColumn({ scoreMin: matchScores.verb }) !== undefined
  Object.assign(reader, { at, cost, ambiguities, namesTable })
  return !startsOther
}

/** `A`, `A or B`, `(A, B and C)`. */
export function takeAlternatives(
  reader: QuestionReader,
  separators: readonly string[],
): readonly (readonly ValueSpan[])[] | undefined {
  reader.take('(')
  reader.take('either', 'the', 'a', 'an')
  const first = takeValueWords(reader)
  if (first === undefined) return undefined
  const alternatives = [first]
  for (;;) {
    const next = reader.attempt(() =>
      reader.take(...separators) === undefined ? undefined : takeValueWords(reader),
    )
    if (next === undefined) break
    alternatives.push(next)
  }
  reader.take(')')
  return alternatives
}

/** A literal that suits the column's type; strings come as words instead, since the data may spell them otherwise. */
export function takeLiteral(reader: QuestionReader, { column }: ColumnReference): Literal | undefined {
  if (isNumeric(column)) {
    const text = reader.takeNumber()
    if (text === undefined) return undefined
    takeUnit(reader)
    return { kind: 'number', text }
  }
  if (!isTemporal(column)) return undefined
  const period = takePeriod(reader)
  return period?.kind === 'range' ? { kind: 'time', ms: period.fromMs } : undefined
}

/** "minutes" after a number, unless a column is named so. */
export function takeUnit(reader: QuestionReader): void {
  if (!columnFollows(reader)) reader.take(...unitWords)
}

function columnFollows(reader: QuestionReader): boolean {
  const { at, cost, ambiguities } = reader
  const follows = reader.takeColumn({ scoreMin: matchScores.verb }) !== undefined
  Object.assign(reader, { at, cost, ambiguities })
  return follows
}
