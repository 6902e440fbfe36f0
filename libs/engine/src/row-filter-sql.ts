import { FloeError, isPrimitive, singleValueToJson, stringifyJson } from '@floe/iceberg'
import type { Expression, NestedField, PrimitiveType, PrimitiveValue } from '@floe/iceberg'

import { duckdbType, quoteText } from './sql-text.ts'

type Predicate = Extract<Expression, { readonly kind: 'unary' | 'literal' | 'set' }>

const comparisons = { lt: '<', 'lt-eq': '<=', gt: '>', 'gt-eq': '>=' } as const

/**
 * A bound expression as SQL over columns `c<field id>`. It is exact, and never null: in Iceberg's two-valued logic
 * null and NaN are neither less nor greater than anything, and they are not equal to any literal.
 * @throws FloeError unsupported for fields that are not among `fields`
 */
export function rowFilterSql(expression: Expression, fields: readonly NestedField[]): string {
  switch (expression.kind) {
    case 'true':
    case 'false':
      return expression.kind
    case 'and':
    case 'or': {
      const [left, right] = [expression.left, expression.right].map((side) => rowFilterSql(side, fields))
      return `(${left} ${expression.kind.toUpperCase()} ${right})`
    }
    case 'not':
      return `(NOT ${rowFilterSql(expression.child, fields)})`
    case 'unary':
    case 'literal':
    case 'set':
      return predicateSql(expression, fields)
  }
}

function predicateSql(predicate: Predicate, fields: readonly NestedField[]): string {
  const { reference } = predicate
  const field = reference.kind === 'id' ? fields.find(({ id }) => id === reference.fieldId) : undefined
  if (field === undefined || !isPrimitive(field.type)) {
    throw new FloeError('unsupported', 'the row filter of a table names what is no plain column of it', {
      hint: 'whoever manages the table should set another row filter',
    })
  }
  const column = `c${field.id}`
  switch (predicate.kind) {
    case 'unary':
      return unarySql(predicate.operator, column, field.type)
    case 'literal':
      return literalSql(predicate, column, field.type)
    case 'set': {
      const { type } = field
      const values = predicate.values.map((value) => valueSql(type, value)).join(', ')
      return `${predicate.operator === 'in' ? '' : '(NOT '}coalesce(${column} IN (${values}), false)${predicate.operator === 'in' ? '' : ')'}`
    }
  }
}

function unarySql(
  operator: Extract<Predicate, { kind: 'unary' }>['operator'],
  column: string,
  type: PrimitiveType,
): string {
  if (operator === 'is-null') return `(${column} IS NULL)`
  if (operator === 'not-null') return `(${column} IS NOT NULL)`
  const nan = isFloating(type) ? `coalesce(isnan(${column}), false)` : 'false'
  return operator === 'is-nan' ? nan : `(NOT ${nan})`
}

function literalSql(
  { operator, value }: Extract<Predicate, { kind: 'literal' }>,
  column: string,
  type: PrimitiveType,
): string {
  const literal = valueSql(type, value)
  switch (operator) {
    case 'eq':
      return `(${column} IS NOT DISTINCT FROM ${literal})`
    case 'not-eq':
      return `(${column} IS DISTINCT FROM ${literal})`
    case 'starts-with':
      return `coalesce(starts_with(${column}, ${literal}), false)`
    case 'not-starts-with':
      return `(NOT coalesce(starts_with(${column}, ${literal}), false))`
    case 'lt':
    case 'lt-eq':
    case 'gt':
    case 'gt-eq': {
      // DuckDB orders NaN above every number.
      const number = isFloating(type) ? ` AND NOT isnan(${column})` : ''
      return `coalesce(${column} ${comparisons[operator]} ${literal}${number}, false)`
    }
  }
}

function isFloating({ kind }: PrimitiveType): boolean {
  return kind === 'float' || kind === 'double'
}

function valueSql(type: PrimitiveType, value: PrimitiveValue): string {
  const json = singleValueToJson(type, value)
  const text = typeof json === 'string' ? json : stringifyJson(json)
  const isBytes = type.kind === 'binary' || type.kind === 'fixed'
  const shown = isBytes ? text.replaceAll(/../g, (byte) => `\\x${byte.toUpperCase()}`) : text
  return `CAST(${quoteText(shown)} AS ${duckdbType(type)})`
}
