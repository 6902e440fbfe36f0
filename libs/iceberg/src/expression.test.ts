import { describe, expect, it } from 'vitest'
import { bindExpression } from './bind-expression.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import { expressionToJson, parseExpression } from './expression-json.ts'
import { expressionToString } from './expression-string.ts'
import {
  alwaysFalse,
  alwaysTrue,
  and,
  compare,
  equal,
  isIn,
  isNan,
  isNull,
  not,
  notIn,
  notNull,
  or,
  type Expression,
} from './expression.ts'
import { parseJson, type JsonValue } from './json.ts'
import { parseSchema } from './schema.ts'
import type { PrimitiveValue } from './type.ts'

const schema = parseSchema({
  fields: [
    { id: 1, name: 'id', required: true, type: 'int' },
    { id: 2, name: 'big', required: false, type: 'long' },
    { id: 3, name: 'price', required: false, type: 'decimal(9, 2)' },
    { id: 4, name: 'ts', required: false, type: 'timestamp' },
    { id: 5, name: 'name', required: false, type: 'string' },
    { id: 6, name: 'ratio', required: false, type: 'double' },
    { id: 7, name: 'key', required: false, type: 'uuid' },
    {
      id: 8,
      name: 'place',
      required: false,
      type: { type: 'struct', fields: [{ id: 9, name: 'city', required: true, type: 'string' }] },
    },
    {
      id: 10,
      name: 'tags',
      required: false,
      type: { type: 'list', 'element-id': 11, element: 'string', 'element-required': true },
    },
    { id: 12, name: 'zoned', required: false, type: 'timestamptz' },
    { id: 13, name: 'blob', required: false, type: 'binary' },
  ],
})
const bind = (expression: Expression): Expression => bindExpression(expression, schema)
const matches = (expression: Expression, value: PrimitiveValue | null): boolean =>
  evaluateExpression(expression, () => value)

describe('binding', () => {
  it.each([
    ['an int beyond the range above', compare('big', 'lt', '9223372036854775808'), notNull(2)],
    ['an int beyond the range below', compare('id', 'lt', -3e9), alwaysFalse],
    ['a required column beyond its range', compare('id', 'lt', 3e9), alwaysTrue],
    ['equality beyond the range', equal('id', 3e9), alwaysFalse],
    ['a fraction below', compare('id', 'lt', 5.5), compare(1, 'lt-eq', 5)],
    ['a fraction above', compare('id', 'gt-eq', -5.5), compare(1, 'gt', -6)],
    ['a fraction for equality', equal('id', 5.5), alwaysFalse],
    ['a number for a decimal', compare('price', 'gt', 14.2), compare(3, 'gt', 1420n)],
    ['a decimal with too many digits', compare('price', 'lt', '1.005'), compare(3, 'lt-eq', 100n)],
    ['an unscaled bigint', equal('price', 1420n), equal(3, 1420n)],
    ['a date for a timestamp', compare('ts', 'gt-eq', '1970-01-02'), compare(4, 'gt-eq', 86_400_000_000n)],
    ['micros as digits', equal('ts', '12'), equal(4, 12n)],
    [
      'an upper-case UUID',
      equal('key', 'F79C3E09-677C-4BBD-A479-3F349CB785E7'),
      equal(7, 'f79c3e09-677c-4bbd-a479-3f349cb785e7'),
    ],
    ['hexadecimal text for bytes', equal('blob', '00ff'), equal(13, Uint8Array.of(0, 255))],
    ['negative zero', equal('ratio', -0), equal(6, 0)],
    ['a set, to its distinct values in range', isIn('id', [1, 1, 3e9, 2.5, 2]), isIn(1, [1, 2])],
    ['a set of one', notIn('id', [4, 4.5]), compare(1, 'not-eq', 4)],
    ['an empty set', isIn('id', [0.5, 1.5]), alwaysFalse],
    ['an empty prefix', compare('name', 'starts-with', ''), notNull(5)],
    ['null tests of required columns', or(isNull('id'), notNull('name')), notNull(5)],
    ['a required field of an optional struct', isNull('place.city'), isNull(9)],
    ['NaN tests of integers', isNan('id'), alwaysFalse],
  ])('converts %s', (_name, expression, bound) => {
    expect(bind(expression)).toStrictEqual(bound)
    expect(bind(bound)).toStrictEqual(bound)
  })

  it.each([
    ['an unknown column', equal('nope', 1), /"nope" is not in the schema/],
    ['text for a number', equal('id', 'five'), /does not convert to int/],
    ['a number for text', equal('name', 5), /does not convert to string/],
    ['a struct', equal('place', 1), /is a struct and cannot be compared/],
    ['a list element', equal('tags.element', 'a'), /inside a list or map/],
    ['NaN', equal('ratio', Number.NaN), /cannot be compared with NaN/],
    [
      'a timestamp without its zone',
      equal('zoned', '2024-01-01T00:00:00'),
      /does not convert to timestamptz/,
    ],
    ['a prefix of a number', compare('id', 'starts-with', '1'), /starts-with needs a string column/],
  ])('refuses %s', (_name, expression, message) => {
    expect(() => bind(expression)).toThrow(message)
  })

  it('follows the case of names only when asked to', () => {
    expect(() => bind(equal('ID', 1))).toThrow(/"ID" is not in the schema/)
    expect(bindExpression(equal('ID', 1), schema, { caseSensitive: false })).toEqual(equal(1, 1))
  })

  it('never puts a literal into an error message', () => {
    expect(() => bind(equal('id', 'secret-value'))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })
})

describe('negation', () => {
  const rows: (PrimitiveValue | null)[] = [null, Number.NaN, -1, 0, 5, 6]
  const operators = ['lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq'] as const

  it.each(operators)('of %s, pushed down, is true exactly where it was false', (operator) => {
    const bound = bind(compare('ratio', operator, 5))
    const negated = bind(not(compare('ratio', operator, 5)))
    for (const row of rows) expect(matches(negated, row), `${row}`).toBe(!matches(bound, row))
  })

  it('of sets, tests and combinations flips them', () => {
    const inner = and(isIn('ratio', [1, 2]), or(isNan('ratio'), not(isNull('ratio'))))
    for (const row of rows) expect(matches(bind(not(inner)), row)).toBe(!matches(bind(inner), row))
    expect(JSON.stringify(bind(not(inner)))).not.toContain('"not"')
  })

  it('of a comparison of a required integer needs no test for null', () => {
    expect(bind(not(compare('id', 'lt', 5)))).toEqual(compare(1, 'gt-eq', 5))
    expect(bind(not(compare('big', 'lt', 5)))).toEqual(or(compare(2, 'gt-eq', 5n), isNull(2)))
  })

  it('of a literal beyond the range stays exact for nulls', () => {
    const negated = bind(not(compare('big', 'lt', 1e30)))
    expect(matches(negated, null)).toBe(true)
    expect(matches(negated, 5n)).toBe(false)
  })
})

describe('evaluation', () => {
  it('is two-valued: null is not equal, and not less', () => {
    expect(matches(compare(2, 'not-eq', 5n), null)).toBe(true)
    expect(matches(notIn(2, [5n, 6n]), null)).toBe(true)
    expect(matches(compare(5, 'not-starts-with', 'a'), null)).toBe(true)
    expect(matches(compare(2, 'lt', 5n), null)).toBe(false)
    expect(matches(compare(6, 'gt', 5), Number.NaN)).toBe(false)
  })

  it('sees one zero, UTF-8 order, and promoted integers', () => {
    expect(matches(equal(6, 0), -0)).toBe(true)
    expect(matches(compare(5, 'lt', '😀'), '\u{FFFD}')).toBe(true)
    expect(matches(equal(2, 5n), 5)).toBe(true)
    expect(matches(equal(13, Uint8Array.of(1)), Uint8Array.of(1))).toBe(true)
  })
})

describe('expression JSON', () => {
  it.each([
    ['old', { type: 'lt', term: 'id', value: 5 }, compare('id', 'lt', 5)],
    ['old with an object term', { type: 'is-null', term: { type: 'reference', term: 'id' } }, isNull('id')],
    [
      'old identity transform',
      { type: 'eq', term: { type: 'transform', transform: 'identity', term: 'id' }, value: 5 },
      equal('id', 5),
    ],
    [
      'old with an object literal',
      { type: 'eq', term: 'id', value: { type: 'literal', value: 5 } },
      equal('id', 5),
    ],
    ['new', { type: 'lt', left: { type: 'reference', name: 'id' }, right: 5 }, compare('id', 'lt', 5)],
    ['new by id', { type: 'not-null', child: { type: 'reference', id: 2 } }, notNull(2)],
    [
      'new typed literal',
      {
        type: 'gt',
        left: { type: 'reference', id: 4 },
        right: { type: 'literal', value: '2024-01-01', 'data-type': 'date' },
      },
      compare(4, 'gt', '2024-01-01'),
    ],
    [
      'new with the sides swapped',
      { type: 'lt', left: 5, right: { type: 'reference', name: 'id' } },
      compare('id', 'gt', 5),
    ],
    ['set', { type: 'in', term: 'id', values: [1, 2] }, isIn('id', [1, 2])],
    [
      'typed set',
      {
        type: 'not-in',
        child: { type: 'reference', name: 'id' },
        values: { type: 'literals', values: [1, 2], 'data-type': 'int' },
      },
      notIn('id', [1, 2]),
    ],
    ['constants', { type: 'and', left: true, right: { type: 'not', child: { type: 'true' } } }, alwaysFalse],
  ] as [string, JsonValue, Expression][])('reads the %s spelling', (_name, json, expression) => {
    expect(parseExpression(json)).toEqual(expression)
  })

  it.each([
    [{ type: 'eq', term: { type: 'transform', transform: 'day', term: 'ts' }, value: 1 }, 'unsupported'],
    [{ type: 'eq', left: { type: 'apply', function: 'f', arguments: [] }, right: true }, 'unsupported'],
    [{ type: 'eq', left: { type: 'reference', id: 1 }, right: { type: 'reference', id: 2 } }, 'unsupported'],
    [{ type: 'like', term: 'id', value: 'x' }, 'invalid-input'],
    [{ type: 'eq', term: 'id', value: null }, 'invalid-input'],
    [
      {
        type: 'gt',
        left: { type: 'reference', id: 4 },
        right: { type: 'literal', value: 'x', 'data-type': 'date' },
      },
      'invalid-input',
    ],
    ['id < 5', 'invalid-input'],
  ] as [JsonValue, string][])('refuses %j as %s', (json, code) => {
    expect(() => parseExpression(json)).toThrow(expect.objectContaining({ code }))
  })

  const bound = bind(
    or(
      and(compare('ts', 'gt-eq', '2024-01-01T00:00:00'), isIn('price', ['1.50', '20']), notNull('name')),
      not(equal('big', 9007199254740993n)),
    ),
  )

  it.each(['term', 'reference'] as const)(
    'binds to the same expression after a round trip as %s',
    (spelling) => {
      expect(bind(parseExpression(expressionToJson(bound, { schema, spelling })))).toEqual(bound)
    },
  )

  it('keeps a long literal of a decimal column a number, not its unscaled value', () => {
    const parsed = parseExpression(parseJson('{"type":"lt","term":"price","value":90071992547409930}'))
    expect(bind(parsed)).toEqual(notNull(3))
  })

  it('needs the schema to write a bound expression with names', () => {
    expect(() => expressionToJson(equal(1, 5))).toThrow(/needs its schema/)
    expect(expressionToJson(equal(1, 5), { spelling: 'reference' })).toEqual({
      type: 'eq',
      left: { type: 'reference', id: 1 },
      right: { type: 'literal', value: 5 },
    })
  })
})

describe('printing', () => {
  it('shows names, types and precedence as people read them', () => {
    const expression = bind(
      and(
        or(equal('id', 1), isNull('place.city')),
        compare('ts', 'lt', '2024-01-01'),
        compare('name', 'starts-with', "o'b"),
      ),
    )
    expect(expressionToString(expression, schema)).toBe(
      "(id = 1 or place.city is null) and ts < '2024-01-01T00:00:00.000000' and name starts with 'o''b'",
    )
    expect(expressionToString(bind(compare('price', 'gt', 5)), schema)).toBe('price > 5.00')
    expect(expressionToString(not(equal('blob', Uint8Array.of(1))), schema)).toBe("not (blob = X'01')")
  })

  it('cuts long sets and says by how much', () => {
    const expression = isIn(
      1,
      Array.from({ length: 14 }, (_, at) => at),
    )
    expect(expressionToString(expression, schema)).toBe('id in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 4 more)')
  })
})
