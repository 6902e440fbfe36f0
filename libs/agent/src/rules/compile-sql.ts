import { quoteIdentifier, quoteTable } from '../quote-sql.ts'
import { compileFilter, timeSql, type ColumnSql } from './filter-sql.ts'
import type { ColumnReference, ForeignKey } from './semantic-model.ts'
import type { AggregateName, Grain, Group, Measure, QueryOrder, StructuredQuery } from './structured-query.ts'

const aggregateTitles = { sum: 'total', avg: 'average', min: 'min', max: 'max', median: 'median' } as const

/** DuckDB SQL of a query whose values are resolved. Identifiers are quoted; times are UTC. */
export function compileSql(query: StructuredQuery): string {
  const joins = findJoins(query)
  const columnSql = columnNames(query, joins)
  const selected = [
    ...query.groups.map((group) => ({ sql: groupSql(group, columnSql), alias: groupAlias(group) })),
    ...query.measures.map((measure) => ({
      sql: measureSql(measure, columnSql),
      alias: measureAlias(measure),
    })),
    ...query.projection.map((column) => ({ sql: columnSql(column), alias: columnAlias(column) })),
  ]
  const list = selected.map(({ sql, alias }) =>
    sql === quoteIdentifier(alias) ? sql : `${sql} AS ${quoteIdentifier(alias)}`,
  )
  const all = joins.length === 0 ? '*' : `${quoteIdentifier(query.table.base)}.*`
  const where = query.filters.map((filter) => compileFilter(filter, columnSql))
  return [
    `SELECT ${query.distinct ? 'DISTINCT ' : ''}${list.length === 0 ? all : list.join(', ')}`,
    `FROM ${quoteTable(query.table.description.name)}${joins.length === 0 ? '' : ` AS ${quoteIdentifier(query.table.base)}`}`,
    ...joins.map((join) => joinSql(join, query)),
    ...(where.length === 0 ? [] : [`WHERE ${where.join(' AND ')}`]),
    ...(query.groups.length === 0 ? [] : ['GROUP BY ALL']),
    ...orderSql(query, columnSql),
    ...(query.limit === undefined ? [] : [`LIMIT ${query.limit}`]),
  ].join(' ')
}

function findJoins(query: StructuredQuery): readonly ForeignKey[] {
  const references = [
    ...query.groups.map(({ column }) => column),
    ...query.measures.flatMap((measure) => (measure.kind === 'count' ? [] : [measure.column])),
    ...query.projection,
    ...query.filters.flatMap((filter) => (filter.column === undefined ? [] : [filter.column])),
    ...(query.order?.target.kind === 'column' ? [query.order.target.column] : []),
  ]
  return [...new Set(references.flatMap(({ through }) => (through === undefined ? [] : [through])))]
}

function columnNames(query: StructuredQuery, joins: readonly ForeignKey[]): ColumnSql {
  return ({ column, through }) => {
    if (joins.length === 0) return quoteIdentifier(column.name)
    return `${quoteIdentifier(through === undefined ? query.table.base : joinAlias(through))}.${quoteIdentifier(column.name)}`
  }
}

/** The key's own name without `_id`: a table may be joined twice. */
function joinAlias({ column }: ForeignKey): string {
  return column.name.replace(/_?id$/i, '')
}

function joinSql(join: ForeignKey, query: StructuredQuery): string {
  const alias = quoteIdentifier(joinAlias(join))
  // A missing key must not drop the row that is counted.
  const kind = join.column.description.required ? 'JOIN' : 'LEFT JOIN'
  const key = `${quoteIdentifier(query.table.base)}.${quoteIdentifier(join.column.name)}`
  return `${kind} ${quoteTable(join.target.description.name)} AS ${alias} ON ${key} = ${alias}.${quoteIdentifier(join.targetColumn.name)}`
}

function measureSql(measure: Measure, columnSql: ColumnSql): string {
  switch (measure.kind) {
    case 'count':
      return 'count(*)'
    case 'count-distinct':
      return `count(DISTINCT ${columnSql(measure.column)})`
    case 'aggregate':
      return `${measure.name}(${columnSql(measure.column)})`
  }
}

function measureAlias(measure: Measure): string {
  switch (measure.kind) {
    case 'count':
      return 'count'
    case 'count-distinct':
      return `different_${columnAlias(measure.column)}`
    case 'aggregate':
      return `${aggregateTitle(measure.name, measure.column)}_${columnAlias(measure.column)}`
  }
}

/** A total of a column named "total" is its sum. */
function aggregateTitle(name: AggregateName, { column }: ColumnReference): string {
  return name === 'sum' && column.words.includes('total') ? 'sum' : aggregateTitles[name]
}

function columnAlias({ column, through }: ColumnReference): string {
  return through === undefined ? column.name : `${joinAlias(through)}_${column.name}`
}

function groupSql(group: Group, columnSql: ColumnSql): string {
  return group.kind === 'column'
    ? columnSql(group.column)
    : grainSql(group.grain, timeSql(group.column, columnSql))
}

function grainSql(grain: Grain, time: string): string {
  switch (grain) {
    case 'hour':
      return `date_trunc('hour', ${time})`
    case 'day':
      return `CAST(${time} AS DATE)`
    case 'week':
    case 'month':
    case 'quarter':
      return `CAST(date_trunc('${grain}', ${time}) AS DATE)`
    case 'year':
      return `year(${time})`
    case 'weekday':
      return `dayname(${time})`
    case 'hour of day':
      return `hour(${time})`
  }
}

function groupAlias(group: Group): string {
  return group.kind === 'column' ? columnAlias(group.column) : group.grain.replaceAll(' ', '_')
}

/** Equal ranks are ordered by the groups, so that one question has one answer. */
function orderSql(query: StructuredQuery, columnSql: ColumnSql): readonly string[] {
  const { order, groups, measures } = query
  if (order === undefined) return []
  const tieBreakers = groups.map((group) => groupOrderSql(group, columnSql))
  const keys = orderKeys(order, query, tieBreakers, columnSql)
  const rest =
    order.target.kind === 'group' || measures.length === 0
      ? []
      : tieBreakers.filter((key) => !keys[0]?.startsWith(key))
  return [`ORDER BY ${[...keys, ...rest].join(', ')}`]
}

function orderKeys(
  order: QueryOrder,
  query: StructuredQuery,
  groupKeys: readonly string[],
  columnSql: ColumnSql,
): readonly string[] {
  const { target, direction } = order
  const [measure] = query.measures
  switch (target.kind) {
    case 'measure': {
      const key = measure === undefined ? groupKeys[0] : quoteIdentifier(measureAlias(measure))
      return key === undefined ? ['1'] : [`${key} ${direction} NULLS LAST`]
    }
    case 'group':
      return query.distinct
        ? query.projection.map((column) => quoteIdentifier(columnAlias(column)))
        : groupKeys
    case 'column': {
      const key =
        query.groups.length === 0 ? columnSql(target.column) : quoteIdentifier(columnAlias(target.column))
      return [`${key} ${direction} NULLS LAST`]
    }
  }
}

function groupOrderSql(group: Group, columnSql: ColumnSql): string {
  // Names of days sort by letter; their numbers sort by week.
  if (group.kind === 'grain' && group.grain === 'weekday')
    return `min(isodow(${timeSql(group.column, columnSql)}))`
  return quoteIdentifier(groupAlias(group))
}
