import { matchScores } from './column-match.ts'
import type { QuestionReader } from './question-reader.ts'
import { isTemporal, timeColumns, type ColumnReference } from './semantic-model.ts'
import type { Grain, Group } from './structured-query.ts'
import { takeArticles } from './measure.ts'

const grainPhrases: readonly (readonly [Grain, readonly string[]])[] = [
  ['weekday', ['day of the week', 'day of week', 'weekday', 'weekdays']],
  ['hour of day', ['hour of the day', 'hour of day']],
  ['hour', ['hour', 'hours', 'hourly']],
  ['day', ['day', 'days', 'daily']],
  ['week', ['week', 'weeks', 'weekly']],
  ['month', ['month', 'months', 'monthly']],
  ['quarter', ['quarter', 'quarters', 'quarterly']],
  ['year', ['year', 'years', 'yearly', 'annually']],
]
const adverbs = ['hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly', 'annually']

/** `month`, `year of created_at`, `origin`, `user name`, joined by "and" or commas. */
export function takeGroups(reader: QuestionReader): readonly Group[] | undefined {
  const first = takeGroup(reader)
  if (first === undefined) return undefined
  const groups = [first]
  for (;;) {
    const next = reader.attempt(() => {
      if (reader.take('and by', 'and per', 'and', ', by', ',') === undefined) return undefined
      return takeGroup(reader)
    })
    if (next === undefined) return groups
    groups.push(next)
  }
}

export function takeGroup(reader: QuestionReader): Group | undefined {
  return reader.attempt(() => {
    reader.take('each', 'every')
    takeArticles(reader)
    const named = reader.attempt(() => takeNamedColumn(reader, matchScores.exact))
    return named ?? takeGrain(reader) ?? takeNamedColumn(reader, matchScores.doc)
  })
}

/** `daily`, `monthly` and the like, which may stand anywhere. */
export function takeGrainAdverb(reader: QuestionReader): Group | undefined {
  const text = reader.peek()?.text
  return text !== undefined && adverbs.includes(text) ? takeGrain(reader) : undefined
}

function takeGrain(reader: QuestionReader): Group | undefined {
  return reader.attempt(() => {
    const start = reader.peek()
    const grain = grainPhrases.find(([, phrases]) => reader.take(...phrases) !== undefined)?.[0]
    if (grain === undefined || start === undefined) return undefined
    const end = reader.peek(-1)?.end ?? start.end
    reader.take('of')
    const named = reader.attempt(() => {
      takeArticles(reader)
      const column = reader.takeColumn({ prefer: isTemporal })
      return column !== undefined && isTemporal(column.column) ? column : undefined
    })
    const column =
      named ?? takeDefaultTime(reader, { start: start.start, end }, (name) => `${grain} of ${name}`)
    return column === undefined ? undefined : { kind: 'grain', grain, column }
  })
}

/** The column that a time without a column means; an ambiguity when several could be meant. */
export function takeDefaultTime(
  reader: QuestionReader,
  span: { readonly start: number; readonly end: number },
  rephrase: (columnName: string) => string,
): ColumnReference | undefined {
  const columns = timeColumns(reader.scope.table)
  const [column] = columns
  if (column === undefined) return undefined
  if (columns.length > 1) {
    const replacements = columns.map(({ name }) => rephrase(name))
    reader.ambiguities = [...reader.ambiguities, { ...span, replacements }]
  }
  return { column }
}

function takeNamedColumn(reader: QuestionReader, scoreMin: number): Group | undefined {
  const column = reader.takeColumn({ scoreMin })
  if (column === undefined) return undefined
  const grain = isTemporal(column.column)
    ? grainPhrases.find(([, phrases]) => reader.take(...phrases) !== undefined)?.[0]
    : undefined
  if (grain !== undefined) return { kind: 'grain', grain, column }
  if (column.column.description.type.kind === 'list') {
    const { name } = column.column
    reader.problem ??= `"${name}" holds lists: rows can be chosen by it ("with ${name} ..."), and not grouped.`
  }
  // A group per microsecond is nobody's question.
  const isInstant = isTemporal(column.column) && column.column.description.type.kind !== 'date'
  return isInstant ? { kind: 'grain', grain: 'day', column } : { kind: 'column', column }
}
