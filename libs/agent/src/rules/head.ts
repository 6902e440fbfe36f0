import { matchScores } from './column-match.ts'
import { takeArticles, takeMeasure, takeMeasures } from './measure.ts'
import { takeSuperlative } from './adjective.ts'
import { phraseOf, structuralWords, type QuestionReader } from './question-reader.ts'
import type { QuestionToken } from './question-token.ts'
import { isBoolean, isNumeric, isTemporal, timeColumns, type ColumnReference } from './semantic-model.ts'
import type { Group, Measure, QueryOrder, StructuredQuery } from './structured-query.ts'
import { takeGroup } from './grouping.ts'
import { takeTimeFilter } from './time-filter.ts'
import { isPlural } from './word.ts'

/** What a part of a question adds to the query. */
export type QueryPart = Partial<Omit<StructuredQuery, 'table'>> & {
  /** "top 5 users" says nothing yet of what they are ranked by. */
  readonly awaitsRank?: 'ASC' | 'DESC'
}

/** Rows shown when a ranking has no number in it. */
const rankedRowsDefault = 10

/** Words between "latest" and the table. */
const adjectivesMax = 2

const havingWords = [
  'have',
  'has',
  'had',
  'having',
  'with',
  'got',
  'get',
  'gets',
  'received',
  'saw',
  'see',
  'is',
  'are',
]
const largeAdjectives = [
  'highest',
  'largest',
  'greatest',
  'biggest',
  'longest',
  'maximum',
  'max',
  'top',
  'best',
]
const smallAdjectives = ['lowest', 'smallest', 'shortest', 'minimum', 'min', 'least', 'worst']

/** The first clause of a question: what is counted, ranked or listed. */
export function takeHead(reader: QuestionReader): QueryPart | undefined {
  return (
    reader.attempt(() => takeMostCommon(reader)) ??
    reader.attempt(() => takeLatest(reader)) ??
    reader.attempt(() => takeAdjectiveRows(reader)) ??
    reader.attempt(() => takeTop(reader)) ??
    reader.attempt(() => takeOwnerOfMost(reader)) ??
    reader.attempt(() => takeMeasuresHead(reader)) ??
    reader.attempt(() => takeDistinct(reader)) ??
    reader.attempt(() => takeProjection(reader))
  )
}

function takeMeasuresHead(reader: QuestionReader): QueryPart | undefined {
  const measures = takeMeasures(reader)
  return measures === undefined ? undefined : { measures }
}

function rankBy(
  groups: readonly Group[],
  measure: Measure,
  direction: 'ASC' | 'DESC',
  limit: number,
): QueryPart {
  return { groups, measures: [measure], order: { target: { kind: 'measure' }, direction }, limit }
}

/** `most common origins`, `3 most popular carriers`, `which carrier is the most common`. */
function takeMostCommon(reader: QuestionReader): QueryPart | undefined {
  const phrases = ['most common', 'most popular', 'most frequent', 'most used']
  reader.take('which', 'what')
  takeArticles(reader)
  const count = reader.takeNumber()
  const before = reader.take(...phrases)
  const group = takeGroup(reader)
  const noun = reader.peek(-1)?.text ?? ''
  if (group === undefined) return undefined
  if (before === undefined) {
    reader.take('is', 'are')
    reader.take('the')
    if (reader.take(...phrases) === undefined) return undefined
  }
  const limit = count === undefined ? defaultLimit(noun) : Number(count)
  return rankBy([group], { kind: 'count' }, 'DESC', limit)
}

function defaultLimit(noun: string): number {
  return isPlural(noun) ? rankedRowsDefault : 1
}

/** `latest posts`, `5 most recent orders`, `first 3 users`. */
function takeLatest(reader: QuestionReader): QueryPart | undefined {
  takeArticles(reader)
  const before = reader.takeNumber()
  const latest = reader.take('latest', 'newest', 'most recent', 'recent', 'last')
  if (latest === undefined && reader.take('oldest', 'earliest', 'first') === undefined) return undefined
  const count = before ?? reader.takeNumber()
  const noun = takeTableAhead(reader)
  if (noun === undefined) return undefined
  const columns = timeColumns(reader.scope.table)
  const [column] = columns
  if (column === undefined) {
    reader.problem ??= `"${reader.scope.table.description.name}" has no date or time to find the latest by.`
    return {}
  }
  if (columns.length > 1) {
    const replacements = columns.map(
      ({ name }) => `${noun.text} ordered by ${name} ${latest === undefined ? 'asc' : 'desc'}`,
    )
    reader.ambiguities = [
      ...reader.ambiguities,
      { start: reader.tokens[0]?.start ?? 0, end: noun.end, replacements },
    ]
  }
  const order: QueryOrder = {
    target: { kind: 'column', column: { column } },
    direction: latest === undefined ? 'ASC' : 'DESC',
  }
  return { order, limit: count === undefined ? defaultLimit(noun.text) : Number(count) }
}

/** The table here, or after adjectives, which stay for the filters: `latest published posts`. */
function takeTableAhead(reader: QuestionReader): QuestionToken | undefined {
  const { at } = reader
  for (let skipped = 0; skipped <= adjectivesMax; skipped++) {
    reader.at = at + skipped
    const token = reader.peek()
    if (token === undefined || (skipped > 0 && structuralWords.has(reader.peek(-1)?.text ?? ''))) break
    if (!reader.takeTable()) continue
    if (skipped > 0) reader.at = at
    return token
  }
  reader.at = at
  return undefined
}

/** `longest flights`, `top 3 cheapest products`: rows by the column that the adjective speaks of. */
function takeAdjectiveRows(reader: QuestionReader): QueryPart | undefined {
  reader.take('which', 'what')
  takeArticles(reader)
  reader.take('top')
  const before = reader.takeNumber()
  const adjective = takeSuperlative(reader)
  const count = before ?? reader.takeNumber()
  const noun = reader.peek()
  if (adjective === undefined || noun === undefined || !reader.takeTable()) return undefined
  const limit = count === undefined ? defaultLimit(noun.text) : Number(count)
  const named = reader.attempt(() => takeRankColumn(reader))
  const [column] = adjective.columns
  if (named !== undefined)
    return { order: { target: { kind: 'column', column: named }, direction: adjective.direction }, limit }
  if (column === undefined) {
    reader.problem ??= `"${reader.scope.table.description.name}" has no column that "${adjective.word}" speaks of.`
    return { limit }
  }
  if (adjective.columns.length > 1) {
    const end = adjective.direction === 'DESC' ? 'top' : 'bottom'
    const replacements = adjective.columns.map(
      (reference) => `${end} ${limit} ${noun.text} by ${phraseOf(reference)}`,
    )
    reader.ambiguities = [
      ...reader.ambiguities,
      { start: reader.tokens[0]?.start ?? 0, end: noun.end, replacements },
    ]
  }
  return { order: { target: { kind: 'column', column }, direction: adjective.direction }, limit }
}

function takeRankColumn(reader: QuestionReader): ColumnReference | undefined {
  if (reader.take('by', 'in terms of') === undefined) return undefined
  const column = reader.takeColumn({ prefer: isNumeric })
  return column !== undefined && isNumeric(column.column) ? column : undefined
}

/** `top 5 airports`, `bottom 3 carriers`; what follows "by" says the rank. */
function takeTop(reader: QuestionReader): QueryPart | undefined {
  takeArticles(reader)
  const top = reader.take('top', 'best')
  if (top === undefined && reader.take('bottom', 'worst') === undefined) return undefined
  const count = reader.takeNumber()
  const limit = count === undefined ? rankedRowsDefault : Number(count)
  const awaitsRank = top === undefined ? 'ASC' : 'DESC'
  if (reader.takeTable()) return { limit, awaitsRank }
  const group = takeGroup(reader)
  // Rows of the table that is named come before groups of a table that refers to it.
  reader.cost += 0.5
  return group === undefined
    ? undefined
    : { ...rankBy([group], { kind: 'count' }, awaitsRank, limit), awaitsRank }
}

/** `which 3 origins have the most flights`, `carrier with the highest average delay`, `flights with the longest delay`. */
function takeOwnerOfMost(reader: QuestionReader): QueryPart | undefined {
  reader.take('which', 'what', 'who')
  takeArticles(reader)
  const count = reader.takeNumber()
  const noun = reader.peek()
  const isRows = reader.takeTable()
  const group = isRows ? undefined : takeGroup(reader)
  if (noun === undefined || (!isRows && group === undefined)) return undefined
  const limit = count === undefined ? defaultLimit(reader.peek(-1)?.text ?? noun.text) : Number(count)
  reader.take(...havingWords)
  takeArticles(reader)
  if (group === undefined) return takeRowRank(reader, limit)
  const direction = takeExtreme(reader)
  if (direction === undefined) return undefined
  const measure = takeRankMeasure(reader, direction)
  return measure === undefined ? undefined : rankBy([group], measure, direction, limit)
}

function takeRowRank(reader: QuestionReader, limit: number): QueryPart | undefined {
  const direction = takeExtreme(reader)
  if (direction === undefined) return undefined
  const column = reader.takeColumn({ prefer: (model) => isNumeric(model) || isTemporal(model) })
  return column === undefined
    ? undefined
    : { order: { target: { kind: 'column', column }, direction }, limit }
}

function takeExtreme(reader: QuestionReader): 'ASC' | 'DESC' | undefined {
  if (reader.take('most', ...largeAdjectives) !== undefined) return 'DESC'
  return reader.take('fewest', ...smallAdjectives) === undefined ? undefined : 'ASC'
}

/** After "most": a table to count, a column to add up; after "highest": an aggregate, or a column's own extreme. */
function takeRankMeasure(reader: QuestionReader, direction: 'ASC' | 'DESC'): Measure | undefined {
  const isQuantity = ['most', 'fewest', 'least'].includes(reader.peek(-1)?.text ?? '')
  const measure = takeMeasure(reader)
  if (measure !== undefined) return measure
  if (reader.takeTable()) return { kind: 'count' }
  const isDistinct = reader.take('different', 'distinct', 'unique') !== undefined
  const column = reader.takeColumn({ prefer: isNumeric })
  if (column === undefined) return undefined
  if (isDistinct || !isNumeric(column.column)) return { kind: 'count-distinct', column }
  if (isQuantity) return { kind: 'aggregate', name: 'sum', column }
  return { kind: 'aggregate', name: direction === 'DESC' ? 'max' : 'min', column }
}

/** `different origins`, `which origins are there`. */
function takeDistinct(reader: QuestionReader): QueryPart | undefined {
  const asked = reader.take('which', 'what')
  takeArticles(reader)
  const word = reader.take('different', 'distinct', 'unique', 'possible')
  const column = reader.takeColumn()
  if (column === undefined) return undefined
  const exists =
    reader.take('are there', 'exist', 'do we have', 'are in', 'values are there', 'values exist') !==
    undefined
  if (word === undefined && !(asked !== undefined && exists)) return undefined
  reader.take('values')
  return { projection: [column], distinct: true }
}

/** `origin and destination of flights`; a bare column, which groups may still follow. */
function takeProjection(reader: QuestionReader): QueryPart | undefined {
  takeArticles(reader)
  const projection: ColumnReference[] = []
  do {
    const column = takeProjected(reader)
    if (column === undefined) return undefined
    projection.push(column)
  } while (reader.take('and', ',') !== undefined)
  // "cancelled flights" and "created in 2024" are conditions, "origin of flights" is a list.
  const { at } = reader
  const isAdjective = projection.some(({ column }) => isBoolean(column)) && reader.takeTable()
  const isCondition =
    projection.some(({ column }) => isTemporal(column)) && takeTimeFilter(reader) !== undefined
  reader.at = at
  return isAdjective || isCondition ? undefined : { projection }
}

function takeProjected(reader: QuestionReader): ColumnReference | undefined {
  takeArticles(reader)
  const { at, namesTable } = reader
  const tableEnd = reader.takeTable() ? reader.at : -1
  Object.assign(reader, { at, namesTable })
  const column = reader.takeColumn({ scoreMin: matchScores.part })
  // "likes" is the table before it is a column of another one.
  return reader.at === tableEnd ? undefined : column
}
