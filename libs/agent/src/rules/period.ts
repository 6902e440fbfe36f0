import type { QuestionReader } from './question-reader.ts'

/** A stretch of time, from inclusive and to exclusive, or a month of any year. */
export type Period =
  | { readonly kind: 'range'; readonly fromMs: number; readonly toMs: number; readonly label: string }
  | { readonly kind: 'month'; readonly month: number; readonly label: string }

const months = [
  ['january', 'jan'],
  ['february', 'feb'],
  ['march', 'mar'],
  ['april', 'apr'],
  ['may'],
  ['june', 'jun'],
  ['july', 'jul'],
  ['august', 'aug'],
  ['september', 'sep', 'sept'],
  ['october', 'oct'],
  ['november', 'nov'],
  ['december', 'dec'],
]
const monthNames: readonly string[] = months.flat()
const units = ['day', 'week', 'month', 'quarter', 'year'] as const
type Unit = (typeof units)[number]
export const dayMs = 86_400_000

/** Reads one period at the reader's place. All periods are in UTC; weeks start on Monday (ISO 8601). */
export function takePeriod(reader: QuestionReader): Period | undefined {
  return (
    reader.attempt(() => takeIsoDate(reader)) ??
    reader.attempt(() => takeQuarter(reader)) ??
    reader.attempt(() => takeMonth(reader)) ??
    reader.attempt(() => takeRelative(reader)) ??
    reader.attempt(() => takeYear(reader))
  )
}

function takeIsoDate(reader: QuestionReader): Period | undefined {
  const token = reader.peek()
  if (token?.kind !== 'date') return undefined
  const [year = 0, month = 1, day] = token.text.split('-').map(Number)
  if (month < 1 || month > 12 || (day ?? 1) < 1 || (day ?? 1) > 31) return undefined
  reader.at++
  return day === undefined
    ? range(year, month - 1, 1, 'month', token.text)
    : range(year, month - 1, day, 'day', token.text)
}

function takeQuarter(reader: QuestionReader): Period | undefined {
  const text = reader.take('q1', 'q2', 'q3', 'q4')
  if (text === undefined) return undefined
  reader.take('of')
  const year = takeYearNumber(reader)
  if (year === undefined) return undefined
  return range(year, (Number(text[1]) - 1) * 3, 1, 'quarter', `${text.toUpperCase()} ${year}`)
}

/** `March`, `March 2024`, `March 5, 2024`, `5 March 2024`. */
function takeMonth(reader: QuestionReader): Period | undefined {
  const before = takeDayNumber(reader)
  const name = reader.take(...monthNames)
  if (name === undefined) return undefined
  const month = months.findIndex((names) => names.includes(name))
  const day = before ?? takeDayNumber(reader)
  reader.take(',', 'of')
  const year = takeYearNumber(reader)
  const title = `${name[0]?.toUpperCase()}${name.slice(1)}`
  if (year === undefined)
    return day === undefined ? { kind: 'month', month: month + 1, label: title } : undefined
  if (day === undefined) return range(year, month, 1, 'month', `${title} ${year}`)
  return range(year, month, day, 'day', `${title} ${day}, ${year}`)
}

function takeRelative(reader: QuestionReader): Period | undefined {
  const now = new Date(reader.nowMs)
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate())
  if (reader.take('today') !== undefined)
    return { kind: 'range', fromMs: today, toMs: today + dayMs, label: 'today' }
  if (reader.take('yesterday') !== undefined) {
    return { kind: 'range', fromMs: today - dayMs, toMs: today, label: 'yesterday' }
  }
  reader.take('the')
  const direction = reader.take('this', 'current', 'last', 'previous', 'past')
  if (direction === undefined) return undefined
  const count = reader.takeNumber()
  const unit = units.find((name) => reader.take(name, `${name}s`) !== undefined)
  if (unit === undefined) return undefined
  if (count !== undefined) {
    const fromMs = moveBy(today, unit, -Number(count))
    return { kind: 'range', fromMs, toMs: today + dayMs, label: `the last ${count} ${unit}s` }
  }
  const start = startOf(today, unit)
  const isCurrent = direction === 'this' || direction === 'current'
  const fromMs = isCurrent ? start : moveBy(start, unit, -1)
  return {
    kind: 'range',
    fromMs,
    toMs: moveBy(fromMs, unit, 1),
    label: `${isCurrent ? 'this' : 'last'} ${unit}`,
  }
}

function takeYear(reader: QuestionReader): Period | undefined {
  reader.take('year', 'the year')
  const year = takeYearNumber(reader)
  return year === undefined ? undefined : range(year, 0, 1, 'year', String(year))
}

function takeYearNumber(reader: QuestionReader): number | undefined {
  const token = reader.peek()
  if (token?.kind !== 'number' || !/^(?:19|20)\d\d$/.test(token.text) || token.raw !== token.text)
    return undefined
  reader.at++
  return Number(token.text)
}

function takeDayNumber(reader: QuestionReader): number | undefined {
  const token = reader.peek()
  const digits = /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(token?.text ?? '')?.[1]
  if (digits === undefined || Number(digits) < 1 || Number(digits) > 31) return undefined
  reader.at++
  return Number(digits)
}

function range(year: number, month: number, day: number, unit: Unit, label: string): Period {
  const fromMs = Date.UTC(year, month, day)
  return { kind: 'range', fromMs, toMs: moveBy(fromMs, unit, 1), label }
}

function startOf(ms: number, unit: Unit): number {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth()
  switch (unit) {
    case 'day':
      return ms
    case 'week':
      return ms - ((date.getUTCDay() + 6) % 7) * dayMs
    case 'month':
      return Date.UTC(year, month, 1)
    case 'quarter':
      return Date.UTC(year, month - (month % 3), 1)
    case 'year':
      return Date.UTC(year, 0, 1)
  }
}

function moveBy(ms: number, unit: Unit, count: number): number {
  const date = new Date(ms)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  switch (unit) {
    case 'day':
      return ms + count * dayMs
    case 'week':
      return ms + count * 7 * dayMs
    case 'month':
      return Date.UTC(year, month + count, day)
    case 'quarter':
      return Date.UTC(year, month + count * 3, day)
    case 'year':
      return Date.UTC(year + count, month, day)
  }
}
