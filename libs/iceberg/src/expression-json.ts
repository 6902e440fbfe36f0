import { FloeError } from './error.ts'
import {
  alwaysFalse,
  alwaysTrue,
  and,
  compare,
  isIn,
  not,
  notIn,
  or,
  toReference,
  type Expression,
  type LiteralOperator,
  type Reference,
  type UnaryOperator,
} from './expression.ts'
import { bytesToHex } from './hex.ts'
import { isPresent, readArray, readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { findFieldById, findFieldName, type Schema } from './schema.ts'
import { singleValueFromJson, singleValueToJson } from './single-value-json.ts'
import { isPrimitive, parseType, type PrimitiveValue } from './type.ts'

/**
 * Expression from JSON in either spelling: objects for references and literals (expressions spec, Appendix B), or the
 * `term` and `value` of older REST clients.
 * @throws FloeError invalid-input for what is no expression, unsupported for function calls and transform terms
 */
export function parseExpression(json: JsonValue): Expression {
  if (typeof json === 'boolean') return json ? alwaysTrue : alwaysFalse
  const object = readObject(json, 'expression')
  const type = readString(object, 'type', 'expression')
  switch (type) {
    case 'true':
      return alwaysTrue
    case 'false':
      return alwaysFalse
    case 'and':
    case 'or': {
      const combine = type === 'and' ? and : or
      return combine(parseExpression(object['left'] ?? null), parseExpression(object['right'] ?? null))
    }
    case 'not':
      return not(parseExpression(object['child'] ?? null))
    default:
      return parsePredicate(type, object)
  }
}

const unaryOperators: ReadonlySet<string> = new Set<UnaryOperator>([
  'is-null',
  'not-null',
  'is-nan',
  'not-nan',
])

/** Each comparison with the one that holds when its sides change places. */
const swappedOperators: Readonly<Record<string, LiteralOperator>> = {
  lt: 'gt',
  'lt-eq': 'gt-eq',
  gt: 'lt',
  'gt-eq': 'lt-eq',
  eq: 'eq',
  'not-eq': 'not-eq',
}
const prefixOperators: ReadonlySet<string> = new Set(['starts-with', 'not-starts-with'])

function parsePredicate(type: string, object: JsonObject): Expression {
  if (unaryOperators.has(type)) {
    return {
      kind: 'unary',
      operator: type as UnaryOperator,
      reference: parseReference(object['term'] ?? object['child']),
    }
  }
  if (type === 'in' || type === 'not-in') {
    const set = type === 'in' ? isIn : notIn
    return set(parseReference(object['term'] ?? object['child']), parseLiterals(object['values']))
  }
  if (swappedOperators[type] === undefined && !prefixOperators.has(type)) {
    throw new FloeError('invalid-input', `"${type}" is no expression type`, {
      hint: 'see the Iceberg expressions spec',
    })
  }
  return parseComparison(type as LiteralOperator, object)
}

function parseComparison(operator: LiteralOperator, object: JsonObject): Expression {
  if (isPresent(object['term'])) {
    return compare(parseReference(object['term']), operator, parseLiteral(object['value']))
  }
  const { left, right } = object
  if (!isReference(left) && isReference(right)) {
    const swapped = swappedOperators[operator]
    if (swapped !== undefined) return compare(parseReference(right), swapped, parseLiteral(left))
  }
  if (isReference(right)) {
    throw new FloeError('unsupported', `comparing two columns (${operator}) is not supported in filters`)
  }
  return compare(parseReference(left), operator, parseLiteral(right))
}

function isReference(json: JsonValue | undefined): boolean {
  return typeof json === 'object' && json !== null && (json as JsonObject)['type'] === 'reference'
}

function parseReference(json: JsonValue | undefined): Reference {
  if (typeof json === 'string') return toReference(json)
  const object = readObject(json, 'expression term')
  const type = object['type']
  if (type === 'reference') {
    if (isPresent(object['id'])) return toReference(readInteger(object, 'id', 'reference'))
    return toReference(readString(object, isPresent(object['name']) ? 'name' : 'term', 'reference'))
  }
  if (type === 'transform' && object['transform'] === 'identity') return parseReference(object['term'])
  throw new FloeError('unsupported', `an expression over ${describe(type)} cannot be planned here`, {
    hint: 'compare a column with a literal; filters on columns prune partitions by themselves',
  })
}

function describe(type: JsonValue | undefined): string {
  return typeof type === 'string' ? `"${type}"` : 'an object without type'
}

function parseLiteral(json: JsonValue | undefined): PrimitiveValue {
  if (typeof json !== 'object' || json === null) return plainLiteral(json)
  const object = readObject(json, 'literal')
  if (object['type'] !== 'literal') {
    throw new FloeError('unsupported', `a filter cannot compare with ${describe(object['type'])}`, {
      hint: 'compare a column with a literal',
    })
  }
  checkDataType(object['data-type'], [object['value'] ?? null])
  return plainLiteral(object['value'])
}

function parseLiterals(json: JsonValue | undefined): readonly PrimitiveValue[] {
  if (Array.isArray(json)) return readArray(json, 'literals').map(parseLiteral)
  const object = readObject(json, 'literals')
  const values = readArray(object['values'], 'literals')
  checkDataType(object['data-type'], values)
  return values.map(parseLiteral)
}

/** The column's type decides what a literal means; the stated type must at least fit its value. */
function checkDataType(dataType: JsonValue | undefined, values: readonly JsonValue[]): void {
  if (!isPresent(dataType)) return
  const type = parseType(dataType)
  if (!isPrimitive(type))
    throw new FloeError('unsupported', `literals of type ${type.kind} are not supported`)
  for (const value of values) singleValueFromJson(type, value)
}

function plainLiteral(json: JsonValue | undefined): PrimitiveValue {
  // As digits, because a `bigint` literal of a decimal column would be its unscaled value.
  if (typeof json === 'bigint') return json.toString()
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json
  throw new FloeError('invalid-input', 'a filter literal must be a value that is not null', {
    hint: 'test for null with is-null or not-null',
  })
}

export type ExpressionJsonOptions = {
  /** Names columns and writes values by their types; needed for bound expressions. */
  readonly schema?: Schema
  /** `term`, which every REST client reads, or `reference`, the objects of the expressions spec. Default `term`. */
  readonly spelling?: 'term' | 'reference'
}

/** Inverse of `parseExpression`. */
export function expressionToJson(expression: Expression, options: ExpressionJsonOptions = {}): JsonValue {
  switch (expression.kind) {
    case 'true':
    case 'false':
      return expression.kind === 'true'
    case 'and':
    case 'or':
      return {
        type: expression.kind,
        left: expressionToJson(expression.left, options),
        right: expressionToJson(expression.right, options),
      }
    case 'not':
      return { type: 'not', child: expressionToJson(expression.child, options) }
    case 'unary':
      return { type: expression.operator, ...subjectToJson('child', expression.reference, options) }
    case 'literal': {
      const value = literalToJson(expression.reference, expression.value, options)
      const literal = options.spelling === 'reference' ? { right: { type: 'literal', value } } : { value }
      return {
        type: expression.operator,
        ...subjectToJson('left', expression.reference, options),
        ...literal,
      }
    }
    case 'set':
      return {
        type: expression.operator,
        ...subjectToJson('child', expression.reference, options),
        values: expression.values.map((value) => literalToJson(expression.reference, value, options)),
      }
  }
}

function subjectToJson(
  key: 'child' | 'left',
  reference: Reference,
  options: ExpressionJsonOptions,
): JsonObject {
  const { schema, spelling } = options
  const named = reference.kind === 'id' ? schema && findFieldName(schema, reference.fieldId) : reference.name
  if (spelling === 'reference') {
    const target =
      named === undefined && reference.kind === 'id' ? { id: reference.fieldId } : { name: named ?? null }
    return { [key]: { type: 'reference', ...target } }
  }
  if (named !== undefined) return { term: named }
  throw new FloeError('invalid-input', 'a bound expression needs its schema to be written with names')
}

function literalToJson(
  reference: Reference,
  value: PrimitiveValue,
  { schema }: ExpressionJsonOptions,
): JsonValue {
  const field =
    schema !== undefined && reference.kind === 'id' ? findFieldById(schema, reference.fieldId) : undefined
  if (field !== undefined && isPrimitive(field.type)) return singleValueToJson(field.type, value)
  return value instanceof Uint8Array ? bytesToHex(value) : value
}
