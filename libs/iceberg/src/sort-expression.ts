import { FloeError } from './error.ts'
import type { Schema } from './schema.ts'
import type { SortField, SortOrder } from './sort-order.ts'
import { parseTransformTerm, splitOutsideQuotes } from './transform-term.ts'
import { transformsEqual } from './transform.ts'

/**
 * Sort order (id 1) from words such as `category, day(ts) desc nulls first, bucket(16, id)`: terms as in a partition
 * expression, each with a direction (asc) and a place of nulls (first when ascending, last when descending, as in Spark).
 * @throws FloeError invalid-input for unknown columns, transforms or words, and repeated terms
 */
export function parseSortExpression(text: string, schema: Schema): SortOrder {
  const fields: SortField[] = []
  for (const item of splitOutsideQuotes(text, 'sort')) {
    const field = sortField(item, schema)
    if (fields.some((other) => isSameTerm(other, field))) {
      throw new FloeError('invalid-input', `sort "${text}" has "${item}" twice`)
    }
    fields.push(field)
  }
  return { orderId: fields.length === 0 ? 0 : 1, fields }
}

const modifiers = /^(.*?)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$/is

function sortField(item: string, schema: Schema): SortField {
  const [, term = item, direction = 'asc', nulls] = modifiers.exec(item) ?? []
  const { column, transform } = parseTransformTerm(term, schema, 'sort')
  const isAscending = direction.toLowerCase() === 'asc'
  const nullsFirst = nulls === undefined ? isAscending : nulls.toLowerCase() === 'first'
  return {
    sourceIds: [column.id],
    transform,
    direction: isAscending ? 'asc' : 'desc',
    nullOrder: nullsFirst ? 'nulls-first' : 'nulls-last',
  }
}

function isSameTerm(left: SortField, right: SortField): boolean {
  return left.sourceIds[0] === right.sourceIds[0] && transformsEqual(left.transform, right.transform)
}

/** True when the orders sort alike, whatever their ids. */
export function sortOrdersEqual(left: SortOrder, right: SortOrder): boolean {
  return (
    left.fields.length === right.fields.length &&
    left.fields.every((field, index) => {
      const other = right.fields[index]
      return (
        other !== undefined &&
        isSameTerm(field, other) &&
        field.direction === other.direction &&
        field.nullOrder === other.nullOrder
      )
    })
  )
}
