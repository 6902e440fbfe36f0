import type { QueryPart } from './head.ts'
import { takeArticles, takeMeasures } from './measure.ts'
import { phraseOf, type QuestionReader } from './question-reader.ts'
import { isNumeric, type ColumnReference } from './semantic-model.ts'
import type { QueryOrder } from './structured-query.ts'

/** "by ..." after "top 5 ...". */
export function takeRank(reader: QuestionReader, draft: QueryPart): QueryPart | undefined {
  const direction = draft.awaitsRank
  if (direction === undefined) return undefined
  const phrase = reader.take(
    'by',
    'ranked by',
    'in terms of',
    'with the most',
    'with the highest',
    'with most',
    'according to',
  )
  if (phrase === undefined) return undefined
  const isRows = (draft.groups ?? []).length === 0
  const { awaitsRank: _, ...rest } = draft
  const start = reader.peek()
  if (!isRows) {
    const measures = takeMeasures(reader) ?? (reader.takeTable() ? [{ kind: 'count' } as const] : undefined)
    if (measures !== undefined) return { ...rest, measures }
  }
  takeArticles(reader)
  const column = reader.takeColumn({ prefer: isNumeric })
  if (column === undefined || start === undefined) return undefined
  if (isRows) return { ...rest, order: { target: { kind: 'column', column }, direction } }
  if (!isNumeric(column.column)) return { ...rest, measures: [{ kind: 'count-distinct', column }] }
  askForAggregate(reader, { start: start.start, end: reader.peek(-1)?.end ?? start.end }, column)
  return { ...rest, measures: [{ kind: 'aggregate', name: 'sum', column }] }
}

export function askForAggregate(
  reader: QuestionReader,
  place: { start: number; end: number },
  column: ColumnReference,
): void {
  const sum = column.column.words.includes('total') ? 'sum of' : 'total'
  const replacements = [sum, 'average'].map((name) => `${name} ${phraseOf(column)}`)
  reader.ambiguities = [...reader.ambiguities, { ...place, replacements }]
}

export function takeOrder(reader: QuestionReader): QueryPart | undefined {
  const phrase = reader.take('ordered by', 'order by', 'sorted by', 'sort by', 'ranked by')
  if (phrase === undefined) return undefined
  takeArticles(reader)
  const start = reader.at
  const measures = takeMeasures(reader)
  if (measures === undefined || measures.length > 1) reader.at = start
  const column = measures?.length === 1 ? undefined : reader.takeColumn()
  const direction = takeDirection(reader)
  const target: QueryOrder['target'] = column === undefined ? { kind: 'measure' } : { kind: 'column', column }
  return { order: { target, direction: direction ?? (column === undefined ? 'DESC' : 'ASC') } }
}

function takeDirection(reader: QuestionReader): 'ASC' | 'DESC' | undefined {
  reader.take('in', ',')
  if (
    reader.take(
      'descending',
      'desc',
      'highest first',
      'newest first',
      'from highest to lowest',
      'largest first',
    ) !== undefined
  )
    return 'DESC'
  const ascending = [
    'ascending',
    'asc',
    'lowest first',
    'oldest first',
    'from lowest to highest',
    'smallest first',
    'alphabetically',
  ]
  return reader.take(...ascending) === undefined ? undefined : 'ASC'
}

export function takeLimit(reader: QuestionReader): QueryPart | undefined {
  const rows = reader.attempt(() => {
    const count = reader.takeNumber()
    return count !== undefined && reader.takeTable() ? count : undefined
  })
  if (rows !== undefined) return { limit: Number(rows) }
  if (reader.take('limit', 'limited to', 'only the first', 'first', 'top') === undefined) return undefined
  const count = reader.takeNumber()
  if (count === undefined) return undefined
  reader.take('rows', 'results', 'only')
  return { limit: Number(count) }
}
