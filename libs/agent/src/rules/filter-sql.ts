import { FloeError } from '@floe/iceberg'
import { quoteString } from '../quote-sql.ts'
import type { ColumnReference } from './semantic-model.ts'
import type { Filter, Literal } from './structured-query.ts'

export type ColumnSql = (column: ColumnReference) => string

/** One condition as SQL. NULLs follow SQL: "not X" leaves rows out whose value is unknown. */
export function compileFilter(filter: Filter, columnSql: ColumnSql): string {
  switch (filter.kind) {
    case 'compare':
      return compareSql(filter, columnSql)
    case 'in': {
      const values = filter.values.map((value) => literalSql(value, filter.column))
      return `${columnSql(filter.column)} ${filter.negated ? 'NOT IN' : 'IN'} (${values.join(', ')})`
    }
    case 'between': {
      const [low, high] = [literalSql(filter.low, filter.column), literalSql(filter.high, filter.column)]
      return `${columnSql(filter.column)} BETWEEN ${low} AND ${high}`
    }
    case 'null':
      return `${columnSql(filter.column)} IS ${filter.negated ? 'NOT ' : ''}NULL`
    case 'text':
      return textSql(filter, columnSql)
    case 'period':
      return periodSql(filter, columnSql)
    case 'month-of-year':
      return `month(${timeSql(filter.column, columnSql)}) = ${filter.month}`
    case 'value':
      throw new FloeError('internal', 'a value of the question was compiled before its column was known')
  }
}

function compareSql(filter: Extract<Filter, { kind: 'compare' }>, columnSql: ColumnSql): string {
  const column = columnSql(filter.column)
  const { value, operator } = filter
  if (filter.column.column.description.type.kind === 'list') {
    return `${operator === '<>' ? 'NOT ' : ''}list_contains(${column}, ${literalSql(value, filter.column)})`
  }
  if (value.kind === 'boolean') return value.value === (operator === '=') ? column : `NOT ${column}`
  return `${column} ${operator} ${literalSql(value, filter.column)}`
}

function textSql(filter: Extract<Filter, { kind: 'text' }>, columnSql: ColumnSql): string {
  const column = columnSql(filter.column)
  const not = filter.negated ? 'NOT ' : ''
  if (filter.column.column.description.type.kind === 'list')
    return `${not}list_contains(${column}, ${quoteString(filter.text)})`
  return `${not}${filter.match}(lower(${column}), ${quoteString(filter.text.toLowerCase())})`
}

function periodSql(filter: Extract<Filter, { kind: 'period' }>, columnSql: ColumnSql): string {
  const column = columnSql(filter.column)
  const bounds = [
    ...(filter.fromMs === undefined ? [] : [`${column} >= ${timeLiteral(filter.fromMs, filter.column)}`]),
    ...(filter.toMs === undefined ? [] : [`${column} < ${timeLiteral(filter.toMs, filter.column)}`]),
  ]
  return bounds.join(' AND ')
}

/** Times are cut in UTC, whatever the session's time zone is. */
export function timeSql(column: ColumnReference, columnSql: ColumnSql): string {
  const sql = columnSql(column)
  return column.column.description.type.kind.startsWith('timestamptz') ? `(${sql} AT TIME ZONE 'UTC')` : sql
}

function literalSql(value: Literal, column: ColumnReference): string {
  switch (value.kind) {
    case 'number':
      return value.text
    case 'string':
      return quoteString(value.text)
    case 'boolean':
      return String(value.value)
    case 'time':
      return timeLiteral(value.ms, column)
  }
}

function timeLiteral(ms: number, { column }: ColumnReference): string {
  const iso = new Date(ms).toISOString()
  const { kind } = column.description.type
  if (kind === 'date') return `DATE '${iso.slice(0, 10)}'`
  const time = `${iso.slice(0, 10)} ${iso.slice(11, 19)}`
  return kind.startsWith('timestamptz') ? `TIMESTAMPTZ '${time}+00'` : `TIMESTAMP '${time}'`
}
