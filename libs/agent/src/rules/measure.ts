import { matchScores } from './column-match.ts'
import type { QuestionReader } from './question-reader.ts'
import { isBoolean, isNumeric, isQuantity, isTemporal } from './semantic-model.ts'
import type { AggregateName, Measure } from './structured-query.ts'

const aggregateWords: Readonly<Record<AggregateName, readonly string[]>> = {
  avg: ['average of', 'average', 'avg', 'mean'],
  sum: ['sum of', 'total of', 'total', 'sum', 'combined'],
  median: ['median'],
  max: ['maximum', 'max', 'highest', 'largest', 'greatest', 'biggest', 'longest', 'latest', 'most recent'],
  min: ['minimum', 'min', 'lowest', 'smallest', 'shortest', 'earliest', 'least'],
}
const aggregateNames: readonly AggregateName[] = ['avg', 'sum', 'median', 'max', 'min']
const countPhrases = [
  'total number of',
  'number of',
  'total count of',
  'count of',
  'count',
  'how many',
  'amount of',
]
const distinctWords = ['different', 'distinct', 'unique']

/** `number of flights`, `how many different origins`, `average delay`, `total distance`. */
export function takeMeasure(reader: QuestionReader): Measure | undefined {
  return reader.attempt(() => {
    takeArticles(reader)
    return takeCount(reader) ?? takeAggregate(reader)
  })
}

/** `average and maximum delay` is two measures of one column; `count and average delay` two measures. */
export function takeMeasures(reader: QuestionReader): readonly Measure[] | undefined {
  const shared = reader.attempt(() => takeSharedColumn(reader))
  if (shared !== undefined) return shared
  const first = takeMeasure(reader)
  if (first === undefined) return undefined
  const measures = [first]
  for (;;) {
    const next = reader.attempt(() =>
      reader.take('and', ',') === undefined ? undefined : takeMeasure(reader),
    )
    if (next === undefined) return measures
    measures.push(next)
  }
}

function takeSharedColumn(reader: QuestionReader): readonly Measure[] | undefined {
  takeArticles(reader)
  const names: AggregateName[] = []
  do {
    const name = takeAggregateName(reader)
    if (name === undefined) return undefined
    names.push(name)
  } while (reader.take('and', ',') !== undefined)
  if (names.length < 2) return undefined
  const [first, ...rest] = names
  const measure = first === undefined ? undefined : takeAggregatedColumn(reader, first)
  if (measure?.kind !== 'aggregate') return undefined
  return [measure, ...rest.map((name) => ({ ...measure, name }))]
}

function takeAggregateName(reader: QuestionReader): AggregateName | undefined {
  return aggregateNames.find((name) => reader.take(...aggregateWords[name]) !== undefined)
}

function takeCount(reader: QuestionReader): Measure | undefined {
  return reader.attempt(() => {
    if (reader.take(...countPhrases) === undefined) return undefined
    return takeCounted(reader)
  })
}

/** What stands after "how many" or "number of". */
function takeCounted(reader: QuestionReader): Measure | undefined {
  takeArticles(reader)
  const isDistinct = reader.take(...distinctWords) !== undefined
  if (!isDistinct && (takesRows(reader) || reader.takeTable())) return { kind: 'count' }
  const column = reader.attempt(() => {
    const found = reader.takeColumn({ scoreMin: isDistinct ? matchScores.doc : matchScores.verb })
    return found === undefined || isBoolean(found.column) ? undefined : found
  })
  if (column !== undefined) return { kind: 'count-distinct', column }
  // An adjective before the table ("how many cancelled flights") stays for the filters.
  return isDistinct ? undefined : { kind: 'count' }
}

function takesRows(reader: QuestionReader): boolean {
  if (reader.take('rows', 'records', 'entries') === undefined) return false
  reader.take('are in', 'in', 'of')
  return true
}

function takeAggregate(reader: QuestionReader): Measure | undefined {
  const name = takeAggregateName(reader)
  if (name === undefined) return undefined
  reader.take('number of', 'count of')
  return takeAggregatedColumn(reader, name)
}

function takeAggregatedColumn(reader: QuestionReader, name: AggregateName): Measure | undefined {
  takeArticles(reader)
  const needsNumber = name === 'sum' || name === 'avg' || name === 'median'
  const column = reader.takeColumn({
    prefer: (model) => isQuantity(model) || (!needsNumber && isTemporal(model)),
  })
  if (column !== undefined) {
    if (!isQuantity(column.column) && (needsNumber || isNumeric(column.column))) {
      reader.problem ??= `"${column.column.name}" is not a quantity, so it has no ${name === 'avg' ? 'average' : name === 'sum' ? 'total' : name}.`
    }
    return { kind: 'aggregate', name, column }
  }
  // "total flights" counts them, unless the table has a total of its own.
  const hasTotal = reader.scope.table.columns.some(({ words }) => words.includes('total'))
  return name === 'sum' && !hasTotal && reader.takeTable() ? { kind: 'count' } : undefined
}

export function takeArticles(reader: QuestionReader): void {
  while (reader.take('the', 'a', 'an', 'all', 'of') !== undefined);
}
