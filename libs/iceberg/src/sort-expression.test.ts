import { describe, expect, it } from 'vitest'
import type { Schema } from './schema.ts'
import { parseSortExpression, sortOrdersEqual } from './sort-expression.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', type: { kind: 'long' }, required: true },
    { id: 2, name: 'at', type: { kind: 'timestamp' }, required: false },
    { id: 3, name: 'a desc', type: { kind: 'string' }, required: false },
    {
      id: 4,
      name: 'tags',
      type: { kind: 'list', elementId: 5, element: { kind: 'int' }, elementRequired: false },
      required: false,
    },
  ],
}

const words = (text: string): unknown =>
  parseSortExpression(text, schema).fields.map(({ sourceIds, transform, direction, nullOrder }) => [
    sourceIds[0],
    transform.kind,
    direction,
    nullOrder,
  ])

describe('a sort expression', () => {
  it('has terms with a direction and a place of nulls, each with its default', () => {
    expect(words('id, day(at) DESC, "a desc" asc nulls last, bucket(16, id) desc Nulls First')).toEqual([
      [1, 'identity', 'asc', 'nulls-first'],
      [2, 'day', 'desc', 'nulls-last'],
      [3, 'identity', 'asc', 'nulls-last'],
      [1, 'bucket', 'desc', 'nulls-first'],
    ])
    expect(words('id nulls last')).toEqual([[1, 'identity', 'asc', 'nulls-last']])
    expect(parseSortExpression('', schema)).toEqual({ orderId: 0, fields: [] })
  })

  it.each([
    ['missing', /sort column "missing" is not in the schema/],
    ['id up', /sort column "id up"/],
    ['id, id desc', /twice/],
    ['year(id)', /sort "year\(id\)"/],
    ['tags', /does not take a list/],
    ['sorted(id)', /unknown sort transform/],
  ])('is refused: %s', (text, message) => {
    expect(() => parseSortExpression(text, schema)).toThrow(message)
  })

  it('equals another that sorts alike', () => {
    const order = parseSortExpression('id desc', schema)
    expect(sortOrdersEqual(order, { ...parseSortExpression('id DESC nulls last', schema), orderId: 7 })).toBe(
      true,
    )
    for (const other of ['id', 'id desc nulls first', 'id desc, at', 'bucket(2, id) desc', ''])
      expect(sortOrdersEqual(order, parseSortExpression(other, schema))).toBe(false)
  })
})
