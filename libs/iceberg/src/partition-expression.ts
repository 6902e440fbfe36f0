import { FloeError } from './error.ts'
import { firstPartitionFieldId, type PartitionField, type PartitionSpec } from './partition-spec.ts'
import { findFieldByName, type Schema } from './schema.ts'
import { canTransform } from './transform-type.ts'
import { transformParameterMax, transformsEqual, transformToString, type Transform } from './transform.ts'
import { isPrimitive, typeToString, type NestedField } from './type.ts'

type Call = { readonly name: string; readonly arguments: readonly string[] }

/**
 * Partition spec (id 0, field ids from 1000) from words such as `day(ts), bucket(16, id), truncate(4, name), category`.
 * Both argument orders and Spark's plural names (`days`) are taken; names with odd characters go in double quotes.
 * @throws FloeError invalid-input for unknown columns or transforms, wrong column types, and repeated fields
 */
export function parsePartitionExpression(text: string, schema: Schema): PartitionSpec {
  const fields: PartitionField[] = []
  for (const item of splitOutsideQuotes(text)) {
    const field = partitionField(item, firstPartitionFieldId + fields.length, schema)
    checkAgainst(fields, field, schema)
    fields.push(field)
  }
  return { specId: 0, fields }
}

function partitionField(item: string, fieldId: number, schema: Schema): PartitionField {
  const call = parseCall(item)
  const [columnName, transform] = call === undefined ? [item, identity] : callTransform(call, item)
  const column = sourceColumn(unquote(columnName), schema)
  checkSource(transform, column, item)
  const name = unquote(columnName) + (nameSuffixes[transform.kind] ?? '')
  return { sourceIds: [column.id], fieldId, name, transform }
}

const identity: Transform = { kind: 'identity' }

/** Names that Java's `PartitionSpec.Builder` gives. */
const nameSuffixes: Partial<Record<Transform['kind'], string>> = {
  bucket: '_bucket',
  truncate: '_trunc',
  year: '_year',
  month: '_month',
  day: '_day',
  hour: '_hour',
  void: '_null',
}

function callTransform(call: Call, item: string): readonly [string, Transform] {
  const [first, second] = call.arguments
  const name = call.name.toLowerCase()
  switch (name) {
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'identity':
    case 'void':
      if (first === undefined || call.arguments.length !== 1) throw wrongArguments(item, `${name}(column)`)
      return [first, { kind: name }]
    case 'years':
    case 'months':
    case 'days':
    case 'hours':
      return callTransform({ ...call, name: name.slice(0, -1) }, item)
    case 'bucket':
    case 'truncate': {
      if (first === undefined || second === undefined || call.arguments.length !== 2) {
        throw wrongArguments(item, `${name}(16, column)`)
      }
      const [column, parameter] = isCount(first) ? [second, Number(first)] : [first, Number(second)]
      if (!Number.isInteger(parameter) || parameter < 1 || parameter > transformParameterMax) {
        throw wrongArguments(item, `${name}(16, column)`)
      }
      return [column, name === 'bucket' ? { kind: name, count: parameter } : { kind: name, width: parameter }]
    }
    default:
      throw new FloeError('invalid-input', `unknown partition transform "${call.name}" in "${item}"`, {
        hint: 'use year, month, day, hour, bucket, truncate, void or a bare column',
      })
  }
}

function isCount(text: string): boolean {
  return /^\d+$/.test(text)
}

function wrongArguments(item: string, form: string): FloeError {
  return new FloeError('invalid-input', `partition "${item}" has wrong arguments`, { hint: `write ${form}` })
}

function sourceColumn(name: string, schema: Schema): NestedField {
  const column = findFieldByName(schema, name)
  if (column) return column
  throw new FloeError('invalid-input', `partition column "${name}" is not in the schema`, {
    hint: `the columns are ${schema.fields.map((field) => field.name).join(', ')}`,
  })
}

function checkSource(transform: Transform, column: NestedField, item: string): void {
  const { type } = column
  if (isPrimitive(type) && canTransform(transform, type)) return
  throw new FloeError(
    'invalid-input',
    `partition "${item}": ${transform.kind} does not take a ${typeToString(type)}`,
    {
      hint: 'see the source types of partition transforms in the Iceberg spec',
    },
  )
}

const timeTransforms: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour'])

function checkAgainst(fields: readonly PartitionField[], field: PartitionField, schema: Schema): void {
  const column = field.transform.kind === 'identity' ? undefined : findFieldByName(schema, field.name)
  if (column !== undefined) throw repeated(field, `the column "${column.name}" has that name`)
  for (const other of fields) {
    if (other.name === field.name) throw repeated(field, 'another partition field has that name')
    if (other.sourceIds[0] !== field.sourceIds[0]) continue
    const bothTime = timeTransforms.has(other.transform.kind) && timeTransforms.has(field.transform.kind)
    if (bothTime || transformsEqual(other.transform, field.transform)) {
      throw repeated(field, `${transformToString(other.transform)} of the same column is there already`)
    }
  }
}

function repeated(field: PartitionField, reason: string): FloeError {
  return new FloeError('invalid-input', `partition field "${field.name}" is not allowed: ${reason}`)
}

/** `name(arguments)`, or `undefined` for a bare column. */
function parseCall(item: string): Call | undefined {
  const match = /^([A-Za-z_]+)\s*\((.*)\)$/s.exec(item)
  if (!match) return undefined
  return { name: match[1] ?? '', arguments: splitOutsideQuotes(match[2] ?? '') }
}

/** Comma-separated items, trimmed; commas inside double quotes, backquotes and parentheses do not separate. */
function splitOutsideQuotes(text: string): readonly string[] {
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
    throw new FloeError('invalid-input', `partition "${text}" has an open quote or parenthesis`)
  }
  items.push(text.slice(start).trim())
  if (items.length === 1 && items[0] === '') return []
  if (items.includes('')) throw new FloeError('invalid-input', `partition "${text}" has an empty item`)
  return items
}

function unquote(name: string): string {
  const quoted = /^"(.*)"$|^`(.*)`$/s.exec(name)
  return quoted?.[1] ?? quoted?.[2] ?? name
}
