import { formatDecimal } from './decimal.ts'
import type { Expression, LiteralOperator, Reference } from './expression.ts'
import { findFieldById, findFieldName, type Schema } from './schema.ts'
import { singleValueToJson } from './single-value-json.ts'
import { isPrimitive, type PrimitiveValue } from './type.ts'
import { bytesToHex } from './hex.ts'
import { stringifyJson } from './json.ts'

/** Values of a set that are printed; the rest is a count. */
const printedValuesMax = 10

/** Expression as people read it, such as `ts >= '2024-01-01T00:00:00.000000' and (a = 1 or b is null)`. */
export function expressionToString(expression: Expression, schema: Schema): string {
  switch (expression.kind) {
    case 'true':
    case 'false':
      return expression.kind
    case 'not':
      return `not (${expressionToString(expression.child, schema)})`
    case 'and':
    case 'or': {
      const side = (child: Expression): string => {
        const text = expressionToString(child, schema)
        const mixed = (child.kind === 'and' || child.kind === 'or') && child.kind !== expression.kind
        return mixed ? `(${text})` : text
      }
      return `${side(expression.left)} ${expression.kind} ${side(expression.right)}`
    }
    case 'unary':
      return `${columnName(expression.reference, schema)} ${unaryWords[expression.operator]}`
    case 'literal': {
      const value = printValue(expression.reference, expression.value, schema)
      return `${columnName(expression.reference, schema)} ${literalWords[expression.operator]} ${value}`
    }
    case 'set': {
      const shown = expression.values.slice(0, printedValuesMax)
      const texts = shown.map((value) => printValue(expression.reference, value, schema))
      const rest = expression.values.length - shown.length
      const list = [...texts, ...(rest > 0 ? [`... ${rest} more`] : [])].join(', ')
      return `${columnName(expression.reference, schema)} ${expression.operator === 'in' ? 'in' : 'not in'} (${list})`
    }
  }
}

const unaryWords = {
  'is-null': 'is null',
  'not-null': 'is not null',
  'is-nan': 'is nan',
  'not-nan': 'is not nan',
} as const

const literalWords: Readonly<Record<LiteralOperator, string>> = {
  lt: '<',
  'lt-eq': '<=',
  gt: '>',
  'gt-eq': '>=',
  eq: '=',
  'not-eq': '!=',
  'starts-with': 'starts with',
  'not-starts-with': 'does not start with',
}

function columnName(reference: Reference, schema: Schema): string {
  if (reference.kind === 'name') return reference.name
  return findFieldName(schema, reference.fieldId) ?? `#${reference.fieldId}`
}

function printValue(reference: Reference, value: PrimitiveValue, schema: Schema): string {
  if (value instanceof Uint8Array) return `X'${bytesToHex(value)}'`
  const type = reference.kind === 'id' ? findFieldById(schema, reference.fieldId)?.type : undefined
  if (type === undefined || !isPrimitive(type))
    return typeof value === 'string' ? quote(value) : String(value)
  if (type.kind === 'decimal') return formatDecimal(value as bigint, type.scale)
  const json = singleValueToJson(type, value)
  return typeof json === 'string' ? quote(json) : stringifyJson(json)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
