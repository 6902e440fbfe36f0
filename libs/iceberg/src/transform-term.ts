import { FloeError } from './error.ts'
import { findFieldByName, type Schema } from './schema.ts'
import { canTransform } from './transform-type.ts'
import { transformParameterMax, type Transform } from './transform.ts'
import { isPrimitive, typeToString, type NestedField } from './type.ts'

type Call = { readonly name: string; readonly arguments: readonly string[] }

/** What the term is for: the word that errors begin with. */
export type TermUse = 'partition' | 'sort'

/** A column, and what is made of its values. `name` is the column's, as it was written. */
export type TransformTerm = {
  readonly column: NestedField
  readonly name: string
  readonly transform: Transform
}

const identity: Transform = { kind: 'identity' }

/**
 * Reads a bare column, or one in a call such as `day(ts)`, `bucket(16, id)`.
 * @throws FloeError invalid-input for unknown columns or transforms, and wrong column types
 */
export function parseTransformTerm(item: string, schema: Schema, what: TermUse): TransformTerm {
  const call = parseCall(item, what)
  const [columnName, transform] = call === undefined ? [item, identity] : callTransform(call, item, what)
  const name = unquote(columnName)
  const column = sourceColumn(name, schema, what)
  checkSource(transform, column, item, what)
  return { column, name, transform }
}

function callTransform(call: Call, item: string, what: TermUse): readonly [string, Transform] {
  const [first, second] = call.arguments
  const name = call.name.toLowerCase()
  switch (name) {
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'identity':
    case 'void':
      if (first === undefined || call.arguments.length !== 1)
        throw wrongArguments(item, what, `${name}(column)`)
      return [first, { kind: name }]
    case 'years':
    case 'months':
    case 'days':
    case 'hours':
      return callTransform({ ...call, name: name.slice(0, -1) }, item, what)
    case 'bucket':
    case 'truncate': {
      if (first === undefined || second === undefined || call.arguments.length !== 2) {
        throw wrongArguments(item, what, `${name}(16, column)`)
      }
      const [column, parameter] = isCount(first) ? [second, Number(first)] : [first, Number(second)]
      if (!Number.isInteger(parameter) || parameter < 1 || parameter > transformParameterMax) {
        throw wrongArguments(item, what, `${name}(16, column)`)
      }
      return [column, name === 'bucket' ? { kind: name, count: parameter } : { kind: name, width: parameter }]
    }
    default:
      throw new FloeError('invalid-input', `unknown ${what} transform "${call.name}" in "${item}"`, {
        hint: 'use year, month, day, hour, bucket, truncate, void or a bare column',
      })
  }
}

function isCount(text: string): boolean {
  return /^\d+$/.test(text)
}

function wrongArguments(item: string, what: TermUse, form: string): FloeError {
  return new FloeError('invalid-input', `${what} "${item}" has wrong arguments`, { hint: `write ${form}` })
}

function sourceColumn(name: string, schema: Schema, what: TermUse): NestedField {
  const column = findFieldByName(schema, name)
  if (column) return column
  throw new FloeError('invalid-input', `${what} column "${name}" is not in the schema`, {
    hint: `the columns are ${schema.fields.map((field) => field.name).join(', ')}`,
  })
}

function checkSource(transform: Transform, column: NestedField, item: string, what: TermUse): void {
  const { type } = column
  if (isPrimitive(type) && canTransform(transform, type)) return
  throw new FloeError(
    'invalid-input',
    `${what} "${item}": ${transform.kind} does not take a ${typeToString(type)}`,
    {
      hint: 'see the source types of partition transforms in the Iceberg spec',
    },
  )
}

/** `name(arguments)`, or `undefined` for a bare column. */
function parseCall(item: string, what: TermUse): Call | undefined {
  const match = /^([A-Za-z_]+)\s*\((.*)\)$/s.exec(item)
  if (!match) return undefined
  return { name: match[1] ?? '', arguments: splitOutsideQuotes(match[2] ?? '', what) }
}

/** Comma-separated items, trimmed; commas inside double quotes, backquotes and parentheses do not separate. */
export function splitOutsideQuotes(text: string, what: TermUse): readonly string[] {
  const items: string[] = []
  let [start, depth, quote] = [0, 0, '']
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === '"' || char === '`') quote = char
    else if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === ',' && depth === 0) {
      items.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  if (depth !== 0 || quote !== '') {
    throw new FloeError('invalid-input', `${what} "${text}" has an open quote or parenthesis`)
  }
  items.push(text.slice(start).trim())
  if (items.length === 1 && items[0] === '') return []
  if (items.includes('')) throw new FloeError('invalid-input', `${what} "${text}" has an empty item`)
  return items
}

function unquote(name: string): string {
  const quoted = /^"(.*)"$|^`(.*)`$/s.exec(name)
  return quoted?.[1] ?? quoted?.[2] ?? name
}
