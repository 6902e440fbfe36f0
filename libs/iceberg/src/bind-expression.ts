import { convertLiteral, type ConvertedLiteral } from './convert-literal.ts'
import { FloeError } from './error.ts'
import {
  alwaysFalse,
  alwaysTrue,
  and,
  compare,
  isIn,
  isNull,
  not,
  notIn,
  notNull,
  or,
  type Expression,
  type LiteralOperator,
  type Predicate,
  type Reference,
} from './expression.ts'
import { distinctValues } from './distinct-values.ts'
import { isRepeated, mayBeNull } from './required-field.ts'
import { rewriteNot } from './rewrite-not.ts'
import { findFieldById, findFieldByName, findFieldName, type Schema } from './schema.ts'
import {
  isPrimitive,
  typeToString,
  type NestedField,
  type PrimitiveType,
  type PrimitiveValue,
} from './type.ts'

export type BindOptions = { readonly caseSensitive?: boolean }

/**
 * Resolves columns to field ids and literals to the columns' types, pushes negations down, and folds what the schema
 * decides: null tests of required columns, literals beyond a type's range. The result has no `not`.
 * @throws FloeError invalid-input for unknown columns, columns inside lists or maps, and literals of a wrong type
 */
export function bindExpression(
  expression: Expression,
  schema: Schema,
  options: BindOptions = {},
): Expression {
  return rewriteNot(bind(expression, schema, options), schema)
}

function bind(expression: Expression, schema: Schema, options: BindOptions): Expression {
  switch (expression.kind) {
    case 'true':
    case 'false':
      return expression
    case 'and':
      return and(bind(expression.left, schema, options), bind(expression.right, schema, options))
    case 'or':
      return or(bind(expression.left, schema, options), bind(expression.right, schema, options))
    case 'not':
      return not(bind(expression.child, schema, options))
    case 'unary':
    case 'literal':
    case 'set':
      return bindPredicate(expression, schema, options)
  }
}

function bindPredicate(predicate: Predicate, schema: Schema, options: BindOptions): Expression {
  const field = resolve(predicate.reference, schema, options)
  const column: Column = { field, name: findFieldName(schema, field.id) ?? field.name, schema }
  switch (predicate.kind) {
    case 'unary':
      return bindUnary(predicate.operator, column)
    case 'literal':
      return bindLiteral(predicate.operator, column, predicate.value)
    case 'set':
      return bindSet(predicate.operator, column, predicate.values)
  }
}

type Column = { readonly field: NestedField; readonly name: string; readonly schema: Schema }

function resolve(reference: Reference, schema: Schema, options: BindOptions): NestedField {
  const field =
    reference.kind === 'id'
      ? findFieldById(schema, reference.fieldId)
      : findFieldByName(schema, reference.name, options)
  const shown = reference.kind === 'id' ? `with id ${reference.fieldId}` : `"${reference.name}"`
  if (field === undefined) {
    throw new FloeError('invalid-input', `filter column ${shown} is not in the schema`, {
      hint: `the columns are ${schema.fields.map(({ name }) => name).join(', ')}`,
    })
  }
  if (isRepeated(schema, field.id)) {
    throw new FloeError('invalid-input', `filter column ${shown} is inside a list or map`, {
      hint: 'filter on a column that has one value per row',
    })
  }
  return field
}

function bindUnary(operator: Extract<Predicate, { kind: 'unary' }>['operator'], column: Column): Expression {
  const { field, schema } = column
  const floating = field.type.kind === 'float' || field.type.kind === 'double'
  if (operator === 'is-null') return mayBeNull(schema, field.id) ? isNull(field.id) : alwaysFalse
  if (operator === 'not-null') return hasValue(column)
  if (!floating) return operator === 'is-nan' ? alwaysFalse : alwaysTrue
  return { kind: 'unary', operator, reference: { kind: 'id', fieldId: field.id } }
}

function hasValue({ field, schema }: Column): Expression {
  return mayBeNull(schema, field.id) ? notNull(field.id) : alwaysTrue
}

function bindLiteral(operator: LiteralOperator, column: Column, value: PrimitiveValue): Expression {
  const type = comparableType(column)
  if (operator === 'starts-with' || operator === 'not-starts-with')
    return bindPrefix(operator, column, type, value)
  const literal = convertLiteral(type, value, column.name)
  if (literal.kind === 'value') return compare(column.field.id, operator, literal.value)
  if (operator === 'eq') return alwaysFalse
  if (operator === 'not-eq') return alwaysTrue
  return bindOrder(operator === 'lt' || operator === 'lt-eq', column, literal)
}

/** `column < literal` or `column > literal`, where the literal is no value of the type. */
function bindOrder(
  less: boolean,
  column: Column,
  literal: Exclude<ConvertedLiteral, { kind: 'value' }>,
): Expression {
  if (literal.kind === 'between') return compare(column.field.id, less ? 'lt-eq' : 'gt', literal.floor)
  return less === (literal.kind === 'above') ? hasValue(column) : alwaysFalse
}

function bindPrefix(
  operator: 'starts-with' | 'not-starts-with',
  column: Column,
  type: PrimitiveType,
  value: PrimitiveValue,
): Expression {
  if (type.kind !== 'string' || typeof value !== 'string') {
    throw new FloeError('invalid-input', `${operator} needs a string column and text, not "${column.name}"`)
  }
  if (value !== '') return compare(column.field.id, operator, value)
  return operator === 'starts-with' ? hasValue(column) : bindUnary('is-null', column)
}

function bindSet(operator: 'in' | 'not-in', column: Column, values: readonly PrimitiveValue[]): Expression {
  const type = comparableType(column)
  const literals = values.map((value) => convertLiteral(type, value, column.name))
  const exact = literals.flatMap((literal) => (literal.kind === 'value' ? [literal.value] : []))
  const set = operator === 'in' ? isIn : notIn
  return set(column.field.id, distinctValues(exact))
}

function comparableType({ field, name }: Column): PrimitiveType {
  if (isPrimitive(field.type)) return field.type
  throw new FloeError(
    'invalid-input',
    `filter column "${name}" is a ${field.type.kind} and cannot be compared`,
    {
      hint: `filter on a field inside it; its type is ${typeToString(field.type)}`,
    },
  )
}
