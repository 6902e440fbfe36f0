import { FloeError } from './error.ts'
import { firstPartitionFieldId, type PartitionField, type PartitionSpec } from './partition-spec.ts'
import { findFieldByName, type Schema } from './schema.ts'
import { parseTransformTerm, splitOutsideQuotes } from './transform-term.ts'
import { transformsEqual, transformToString, type Transform } from './transform.ts'

/**
 * Partition spec (id 0, field ids from 1000) from words such as `day(ts), bucket(16, id), truncate(4, name), category`.
 * Both argument orders and Spark's plural names (`days`) are taken; names with odd characters go in double quotes.
 * @throws FloeError invalid-input for unknown columns or transforms, wrong column types, and repeated fields
 */
export function parsePartitionExpression(text: string, schema: Schema): PartitionSpec {
  const fields: PartitionField[] = []
  for (const item of splitOutsideQuotes(text, 'partition')) {
    const field = partitionField(item, firstPartitionFieldId + fields.length, schema)
    checkAgainst(fields, field, schema)
    fields.push(field)
  }
  return { specId: 0, fields }
}

function partitionField(item: string, fieldId: number, schema: Schema): PartitionField {
  const { column, name, transform } = parseTransformTerm(item, schema, 'partition')
  return { sourceIds: [column.id], fieldId, name: name + (nameSuffixes[transform.kind] ?? ''), transform }
}

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
