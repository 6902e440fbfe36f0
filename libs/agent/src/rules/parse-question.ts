import { matchScores } from './column-match.ts'
import { takeCondition } from './condition.ts'
import { takeGrainAdverb, takeGroups } from './grouping.ts'
import { takeHead, type QueryPart } from './head.ts'
import { takeArticles } from './measure.ts'
import { askForAggregate, takeLimit, takeOrder, takeRank } from './ranking.ts'
import { QuestionReader, type Ambiguity } from './question-reader.ts'
import type { QuestionToken } from './question-token.ts'
import { isNumeric, type Scope } from './semantic-model.ts'
import type { Filter, QueryOrder, StructuredQuery } from './structured-query.ts'
import { takeTimeFilter } from './time-filter.ts'
import { emptyVerbs, takeAlternatives } from './value-words.ts'

/** One reading of a question against one table. */
export type Reading = {
  readonly scope: Scope
  readonly query: StructuredQuery
  readonly ambiguities: readonly Ambiguity[]
  /** Words that have no place in this reading. */
  readonly unknown: readonly QuestionToken[]
  readonly problem?: string
  readonly namesTable: boolean
  /** Lower reads better. */
  readonly cost: number
}

/** Penalties of a reading; each is larger than what the weaker ones add up to in a usual question. */
const costs = {
  tableNotNamed: 3,
  valueToLookUp: 4,
  valueWord: 1,
  awaitsRank: 20,
  unknownWord: 10,
  problem: 4,
  empty: 50,
} as const

/** Rows of a plain list without a number in the question. */
const listRowsDefault = 100

const introPhrases =
  `please|can you|could you|would you|i want to know|i want to see|i want|i would like to see|show me|give me|tell me|show|give|
tell|list|find|get|display|return|compute|calculate|report|what is|what are|what was|what were|what's|which are|how about|me`
    .split('|')
    .map((phrase) => phrase.trim())
const groupPhrases =
  `grouped by|group by|broken down by|split by|for each|for every|in each|in every|at each|from each|on each|by each|
per|by|each|every|across`
    .split('|')
    .map((phrase) => phrase.trim())
const connectors = [
  'with',
  'where',
  'whose',
  'having',
  'that',
  'which',
  'who',
  'and',
  'but',
  'have',
  'has',
  'had',
  ',',
  'when',
]
const fillers =
  `the a an all any of are is was were be been there do does did we you our my their its it they them also then only
just have has had in for on made placed took place happened occurred exist up total overall please me ; & values value data
rows records entries table got`
    .split(/\s+/)
    .concat([...emptyVerbs])
const prepositions = [
  'from',
  'to',
  'in',
  'at',
  'on',
  'for',
  'of',
  'by',
  'via',
  'with',
  'into',
  'departing',
  'arriving',
  'named',
  'called',
  'is',
]

/** Reads the question as one about `scope`'s table. Always returns a reading; its cost says how good it is. */
export function readQuestion(tokens: readonly QuestionToken[], scope: Scope, nowMs: number): Reading {
  const reader = new QuestionReader(tokens, scope, nowMs)
  while (reader.take(...introPhrases) !== undefined);
  const adverb = takeGrainAdverb(reader)
  const head = takeHead(reader) ?? {}
  let draft = adverb === undefined ? head : mergeParts(head, { groups: [adverb] })
  const unknown: QuestionToken[] = []
  while (!reader.done) {
    const next = takePart(reader, draft)
    if (next === undefined) {
      const token = reader.peek()
      if (token !== undefined) unknown.push(token)
      reader.at++
    } else draft = next
  }
  return finishReading(reader, draft, unknown)
}

function mergeParts(draft: QueryPart, part: QueryPart): QueryPart {
  return {
    ...draft,
    ...part,
    measures: [...(draft.measures ?? []), ...(part.measures ?? [])],
    groups: [...(draft.groups ?? []), ...(part.groups ?? [])],
    filters: [...(draft.filters ?? []), ...(part.filters ?? [])],
    projection: [...(draft.projection ?? []), ...(part.projection ?? [])],
  }
}

/** The draft with what stands at the reader's place. */
function takePart(reader: QuestionReader, draft: QueryPart): QueryPart | undefined {
  const ranked = reader.attempt(() => takeRank(reader, draft))
  if (ranked !== undefined) return ranked
  const part =
    reader.attempt(() => takeOrder(reader)) ??
    reader.attempt(() => takeLimit(reader)) ??
    reader.attempt(() => takeTime(reader)) ??
    reader.attempt(() => takeReferred(reader)) ??
    reader.attempt(() => takeGrouping(reader)) ??
    reader.attempt(() => takeConnected(reader)) ??
    (reader.takeTable() ? {} : undefined) ??
    reader.attempt(() => takeBare(reader)) ??
    reader.attempt(() => takeValue(reader)) ??
    (reader.take(...fillers, ...connectors, '(', ')') === undefined ? undefined : {})
  return part === undefined ? undefined : mergeParts(draft, part)
}

function takeTime(reader: QuestionReader): QueryPart | undefined {
  const filter = takeTimeFilter(reader)
  return filter === undefined ? undefined : { filters: [filter] }
}

function takeGrouping(reader: QuestionReader): QueryPart | undefined {
  const adverb = takeGrainAdverb(reader)
  if (adverb !== undefined) return { groups: [adverb] }
  if (reader.take(...groupPhrases) === undefined) return undefined
  // "average likes per post" over posts: each row is one already.
  if (reader.attempt(() => (reader.takeTable() && reader.takeColumn() === undefined) || undefined) === true)
    return {}
  const groups = takeGroups(reader)
  return groups === undefined ? undefined : { groups }
}

function takeConnected(reader: QuestionReader): QueryPart | undefined {
  if (reader.take(...connectors) === undefined) return undefined
  while (
    reader.take(
      'have',
      'has',
      'had',
      'are',
      'is',
      'were',
      'was',
      'it',
      'they',
      'the',
      'a',
      'an',
      'any',
      'been',
      'with',
      'where',
    ) !== undefined
  );
  const filters = takeCondition(reader, matchScores.doc) ?? takePossession(reader)
  return filters === undefined ? undefined : { filters }
}

/** "users with an email", "users who have an age": a value is there. */
function takePossession(reader: QuestionReader): readonly Filter[] | undefined {
  if (!['with', 'have', 'has', 'had', 'a', 'an', 'any'].includes(reader.peek(-1)?.text ?? ''))
    return undefined
  const column = reader.takeColumn({ scoreMin: matchScores.verb })
  return column === undefined || reader.peek()?.kind === 'number'
    ? undefined
    : [{ kind: 'null', column, negated: true }]
}

function takeBare(reader: QuestionReader): QueryPart | undefined {
  const filters = takeCondition(reader, matchScores.part)
  return filters === undefined ? undefined : { filters }
}

/** `of customer Ines`, `by user ada`: a value of the table that a key refers to. */
function takeReferred(reader: QuestionReader): QueryPart | undefined {
  const start = reader.peek()?.start ?? 0
  const preposition = reader.take('by', 'of', 'from', 'for', 'with', 'where', 'whose')
  takeArticles(reader)
  const key = reader.takeColumn({ scoreMin: matchScores.verb })
  const through = reader.scope.foreignKeys.find(({ column }) => column === key?.column)
  if (through === undefined || key?.through !== undefined) return undefined
  reader.take('is')
  if (reader.peek()?.kind === 'number') return undefined
  const alternatives = takeAlternatives(reader, ['or', ', or'])
  if (alternatives === undefined) return undefined
  const origin = preposition === undefined ? {} : { preposition }
  return { filters: [{ kind: 'value', alternatives, negated: false, start, through, ...origin }] }
}

/** Words that name nothing in the schema may be values of it: `from SFO`, `shipped orders`, `not Germany`. */
function takeValue(reader: QuestionReader): QueryPart | undefined {
  const start = reader.peek()?.start ?? 0
  const negated = takeExclusion(reader)
  if (negated) reader.take(...emptyVerbs)
  const preposition = reader.take(...prepositions)
  const negatedAfter = negated || takeExclusion(reader)
  takeArticles(reader)
  const isNumber = reader.peek()?.kind === 'number'
  const alternatives = isNumber ? undefined : takeAlternatives(reader, ['or', 'nor', ', or'])
  if (alternatives === undefined) return undefined
  reader.cost += costs.valueToLookUp + alternatives.flat().length * costs.valueWord
  const origin = preposition === undefined ? {} : { preposition }
  return { filters: [{ kind: 'value', alternatives, negated: negatedAfter, start, ...origin }] }
}

function takeExclusion(reader: QuestionReader): boolean {
  return (
    reader.take('not', 'excluding', 'except for', 'except', 'other than', 'without', 'but not', 'outside') !==
    undefined
  )
}

function finishReading(reader: QuestionReader, draft: QueryPart, unknown: readonly QuestionToken[]): Reading {
  const query = completeQuery(reader, draft)
  const cost =
    reader.cost +
    (reader.namesTable ? 0 : costs.tableNotNamed) +
    (draft.awaitsRank !== undefined && query.measures.length === 0 ? costs.awaitsRank : 0) +
    unknown.length * costs.unknownWord +
    (reader.problem === undefined ? 0 : costs.problem) +
    (isEmptyReading(draft, reader) ? costs.empty : 0)
  const { scope, ambiguities, namesTable } = reader
  const problem =
    reader.problem ??
    (isEmptyReading(draft, reader) ? 'The question names no table and no column.' : undefined)
  return {
    scope,
    query,
    ambiguities,
    unknown,
    namesTable,
    cost,
    ...(problem === undefined ? {} : { problem }),
  }
}

function isEmptyReading(draft: QueryPart, reader: QuestionReader): boolean {
  const { measures = [], groups = [], projection = [], order } = draft
  const isBareCount = measures.every(({ kind }) => kind === 'count')
  return (
    !reader.namesTable && groups.length === 0 && projection.length === 0 && order === undefined && isBareCount
  )
}

function completeQuery(reader: QuestionReader, draft: QueryPart): StructuredQuery {
  const { groups = [], filters = [], distinct = false } = draft
  const { measures, projection } = completeMeasures(reader, draft)
  const isRows = measures.length === 0
  const order = draft.order ?? defaultOrder(draft, isRows)
  const limit = draft.limit ?? (isRows && !distinct ? listRowsDefault : undefined)
  return {
    table: reader.scope.table,
    measures,
    groups,
    projection,
    distinct,
    filters,
    ...(order === undefined ? {} : { order }),
    ...(limit === undefined ? {} : { limit }),
  }
}

function completeMeasures(
  reader: QuestionReader,
  draft: QueryPart,
): Pick<StructuredQuery, 'measures' | 'projection'> {
  const { measures = [], groups = [], projection = [] } = draft
  if (measures.length > 0 || groups.length === 0) return { measures, projection }
  const [column] = projection
  if (column === undefined) return { measures: [{ kind: 'count' }], projection: [] }
  if (!isNumeric(column.column)) {
    reader.problem ??= `"${column.column.name}" is not a number: say "number of different ${column.column.name}" to count its values.`
    return { measures: [], projection }
  }
  const first = reader.tokens[0]
  const last = reader.tokens.find(({ text }) => groupPhrases.includes(text))
  if (first !== undefined && last !== undefined)
    askForAggregate(reader, { start: first.start, end: last.start - 1 }, column)
  return { measures: [{ kind: 'aggregate', name: 'sum', column }], projection: [] }
}

function defaultOrder(draft: QueryPart, isRows: boolean): QueryOrder | undefined {
  if (isRows) return draft.distinct === true ? { target: { kind: 'group' }, direction: 'ASC' } : undefined
  const groups = draft.groups ?? []
  if (groups.length === 0) return undefined
  if (groups.some(({ kind }) => kind === 'grain')) return { target: { kind: 'group' }, direction: 'ASC' }
  return { target: { kind: 'measure' }, direction: 'DESC' }
}
