import type { SqlResult } from '../sql-runner.ts'
import { formatValue } from '../format-value.ts'
import { phraseOf } from './question-reader.ts'
import type {
  AggregateName,
  Comparison,
  Filter,
  Group,
  Literal,
  Measure,
  StructuredQuery,
} from './structured-query.ts'

const aggregateWords: Readonly<Record<AggregateName, string>> = {
  sum: 'total',
  avg: 'average',
  min: 'lowest',
  max: 'highest',
  median: 'median',
}
const comparisonWords: Readonly<Record<Comparison, string>> = {
  '=': 'is',
  '<>': 'is not',
  '<': 'is under',
  '<=': 'is at most',
  '>': 'is over',
  '>=': 'is at least',
}

/** The result in a sentence: the value itself when there is one, else what the rows are. */
export function describeResult(query: StructuredQuery, { rows }: SqlResult): string {
  const title = describeQuery(query)
  const [row] = rows
  if (row === undefined) return `Nothing matches: ${title}.`
  if (query.groups.length === 0 && query.measures.length > 0) return describeValues(query, row)
  const count = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`
  const [measure] = query.measures
  if (rows.length === 1 && query.limit === 1 && query.groups.length === 1 && measure !== undefined) {
    const most = query.order?.direction === 'ASC' ? 'the lowest' : 'the highest'
    const [group] = query.groups
    const name = group === undefined ? '' : capitalize(describeGroup(group))
    return `${name} ${formatValue(row[0])} comes first: ${most} ${describeMeasure(measure, query)}${describeFilters(query)} is ${formatValue(row[1])}.`
  }
  return `${capitalize(title)}: ${count}.`
}

function describeValues(query: StructuredQuery, row: readonly unknown[]): string {
  const parts = query.measures.map((measure, index) => {
    const value = row[index]
    const name = `the ${describeMeasure(measure, query)}${index === 0 ? describeFilters(query) : ''}`
    return value === null || value === undefined
      ? `${name} is not known, because no value matches`
      : `${name} is ${formatValue(value)}`
  })
  return `${capitalize(parts.join(', and '))}.`
}

/** What a query asks for, in the words of the schema. */
export function describeQuery(query: StructuredQuery): string {
  const subject = query.measures.length > 0 ? describeMeasures(query) : describeRows(query)
  const groups = query.groups.length === 0 ? '' : ` by ${query.groups.map(describeGroup).join(' and ')}`
  return `${subject}${groups}${describeFilters(query)}${describeOrder(query)}`
}

function describeMeasures(query: StructuredQuery): string {
  return query.measures.map((measure) => describeMeasure(measure, query)).join(' and ')
}

function describeMeasure(measure: Measure, { table }: StructuredQuery): string {
  switch (measure.kind) {
    case 'count':
      return `number of ${table.base}`
    case 'count-distinct':
      return `number of different values of ${phraseOf(measure.column)} in ${table.base}`
    case 'aggregate':
      return `${measure.name === 'sum' && measure.column.column.words.includes('total') ? 'sum of' : aggregateWords[measure.name]} ${phraseOf(measure.column)} of ${table.base}`
  }
}

function describeRows({ table, projection, distinct }: StructuredQuery): string {
  if (projection.length === 0) return table.base
  return `${distinct ? 'different values of ' : ''}${projection.map(phraseOf).join(', ')} of ${table.base}`
}

function describeGroup(group: Group): string {
  return group.kind === 'column' ? phraseOf(group.column) : `${group.grain} of ${phraseOf(group.column)}`
}

function describeOrder({ order }: StructuredQuery): string {
  if (order === undefined || order.target.kind === 'group') return ''
  const by = order.target.kind === 'column' ? ` ${phraseOf(order.target.column)}` : ''
  return `, ${order.direction === 'DESC' ? 'highest' : 'lowest'}${by} first`
}

function describeFilters({ filters }: StructuredQuery): string {
  return filters.length === 0 ? '' : ` where ${filters.map(describeFilter).join(' and ')}`
}

function describeFilter(filter: Filter): string {
  const name = filter.column === undefined ? '' : phraseOf(filter.column)
  switch (filter.kind) {
    case 'compare':
      return `${name} ${comparisonWords[filter.operator]} ${describeLiteral(filter.value)}`
    case 'in':
      return `${name} is ${filter.negated ? 'none' : 'one'} of ${filter.values.map(describeLiteral).join(', ')}`
    case 'between':
      return `${name} is between ${describeLiteral(filter.low)} and ${describeLiteral(filter.high)}`
    case 'null':
      return `${name} is ${filter.negated ? 'known' : 'missing'}`
    case 'text':
      return `${name} ${filter.negated ? 'not ' : ''}${filter.match.replace('_', ' ')} ${filter.text}`
    case 'period':
    case 'month-of-year':
      return `${name} is ${filter.label}`
    case 'value':
      return filter.alternatives.map((words) => words.map(({ text }) => text).join(' ')).join(' or ')
  }
}

function describeLiteral(literal: Literal): string {
  switch (literal.kind) {
    case 'number':
    case 'string':
      return literal.text
    case 'boolean':
      return String(literal.value)
    case 'time':
      return new Date(literal.ms).toISOString().slice(0, 10)
  }
}

function capitalize(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
