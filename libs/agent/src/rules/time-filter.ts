import { takeDefaultTime } from './grouping.ts'
import { dayMs, takePeriod, type Period } from './period.ts'
import type { QuestionReader } from './question-reader.ts'
import { isNumeric, type ColumnReference } from './semantic-model.ts'
import type { Filter } from './structured-query.ts'

const within = [
  'in the',
  'in',
  'during the',
  'during',
  'on',
  'within the',
  'within',
  'for the',
  'for',
  'of',
  'over the',
  'from the',
]
const startOpen = ['since', 'starting in', 'starting', 'from']
const endWords = ['to', 'until', 'till', 'through', 'and', '-']

/**
 * `in 2024`, `since March 2024`, `between January 2024 and March 2024`, `last month`: both ends of a range of periods are
 * included. Without a column the table's own time is meant.
 */
export function takeTimeFilter(reader: QuestionReader, column?: ColumnReference): Filter | undefined {
  return reader.attempt(() => {
    const startToken = reader.peek()
    const span = takeTimeSpan(reader, column !== undefined)
    if (span === undefined || startToken === undefined) return undefined
    const end = reader.peek(-1)?.end ?? startToken.end
    if (column === undefined) {
      const year = takeYearColumn(reader, span)
      if (year !== undefined) return year
    }
    const phrase = reader.tokens
      .filter((token) => token.start >= startToken.start && token.end <= end)
      .map(({ raw }) => raw)
      .join(' ')
    const place = { start: startToken.start, end }
    const target = column ?? takeDefaultTime(reader, place, (name) => `with ${name} ${phrase}`)
    if (target === undefined) return undefined
    if (span.kind === 'month')
      return { kind: 'month-of-year', column: target, month: span.month, label: span.label }
    return { ...span, kind: 'period', column: target }
  })
}

type TimeSpan =
  | {
      readonly kind: 'span'
      readonly fromMs?: number
      readonly toMs?: number
      readonly label: string
      readonly year?: number
    }
  | Extract<Period, { kind: 'month' }>

function takeTimeSpan(reader: QuestionReader, isAfterColumn: boolean): TimeSpan | undefined {
  return (
    reader.attempt(() => takeBetween(reader)) ??
    reader.attempt(() => takeOpen(reader)) ??
    reader.attempt(() => takeWithin(reader, isAfterColumn))
  )
}

function takeBetween(reader: QuestionReader): TimeSpan | undefined {
  if (reader.take('between', 'from') === undefined) return undefined
  const from = takePeriod(reader)
  if (from?.kind !== 'range' || reader.take(...endWords) === undefined) return undefined
  const to = takePeriod(reader)
  if (to?.kind !== 'range') return undefined
  return { kind: 'span', fromMs: from.fromMs, toMs: to.toMs, label: `from ${from.label} to ${to.label}` }
}

function takeOpen(reader: QuestionReader): TimeSpan | undefined {
  const word = reader.take(
    'before',
    'after',
    'until',
    'up to',
    'till',
    'later than',
    'earlier than',
    ...startOpen,
  )
  if (word === undefined) return undefined
  const period = takePeriod(reader)
  if (period?.kind !== 'range') return undefined
  const { fromMs, toMs, label } = period
  if (word === 'before' || word === 'earlier than')
    return { kind: 'span', toMs: fromMs, label: `before ${label}` }
  if (word === 'after' || word === 'later than')
    return { kind: 'span', fromMs: toMs, label: `after ${label}` }
  if (word === 'until' || word === 'till' || word === 'up to')
    return { kind: 'span', toMs, label: `until ${label}` }
  // "sales from 2023" is that year; "since 2023" and "starting in 2023" go on after it.
  if (word === 'from') return { kind: 'span', fromMs, toMs, label: `in ${label}` }
  return { kind: 'span', fromMs, label: `since ${label}` }
}

function takeWithin(reader: QuestionReader, isAfterColumn: boolean): TimeSpan | undefined {
  const preposition = reader.take(...within) ?? (isAfterColumn ? reader.take('is', '=') : undefined)
  // "for 2024" is a time, "top 2024" is not: without a preposition only what cannot be a plain number counts.
  if (preposition === undefined && reader.peek()?.kind === 'number' && reader.peek(-1)?.text === 'top')
    return undefined
  const period = takePeriod(reader)
  if (period === undefined) return undefined
  if (period.kind === 'month') return preposition === undefined ? undefined : period
  const year = /^\d{4}$/.test(period.label) ? { year: Number(period.label) } : {}
  const isDay = period.toMs - period.fromMs === dayMs
  const isNamed = period.label === 'today' || period.label === 'yesterday'
  const label = isNamed ? period.label : `${isDay ? 'on' : 'in'} ${period.label}`
  return { kind: 'span', fromMs: period.fromMs, toMs: period.toMs, label, ...year }
}

/** A table may hold the year as a number and no date at all. */
function takeYearColumn(reader: QuestionReader, span: TimeSpan): Filter | undefined {
  const column = reader.scope.table.columns.find(
    (candidate) => isNumeric(candidate) && candidate.words.join(' ') === 'year',
  )
  if (column === undefined || span.kind !== 'span' || span.year === undefined) return undefined
  return {
    kind: 'compare',
    column: { column },
    operator: '=',
    value: { kind: 'number', text: String(span.year) },
  }
}
