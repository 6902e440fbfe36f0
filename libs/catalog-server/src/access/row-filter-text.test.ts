import { describe, expect, it } from 'vitest'
import { bindExpression, evaluateExpression, expressionToString } from '@floe/iceberg'
import type { PrimitiveValue, Schema } from '@floe/iceberg'
import { parseRowFilter } from './row-filter-text.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'a', type: { kind: 'int' }, required: false },
    { id: 2, name: 'Text "x"', type: { kind: 'string' }, required: false },
    { id: 3, name: 'd', type: { kind: 'date' }, required: false },
    { id: 4, name: 'ok', type: { kind: 'boolean' }, required: false },
    { id: 5, name: 'n', type: { kind: 'decimal', precision: 9, scale: 2 }, required: false },
  ],
}

/** Values of `a` among null and -1..3 that the condition lets through. */
function passing(condition: string): readonly (PrimitiveValue | null)[] {
  const bound = bindExpression(parseRowFilter(condition), schema)
  return [null, -1, 0, 1, 2, 3].filter((a) => evaluateExpression(bound, (id) => (id === 1 ? a : null)))
}

describe('a row filter', () => {
  it.each<[string, readonly (number | null)[]]>([
    ['a = 1', [1]],
    ['a <> 1', [-1, 0, 2, 3]],
    ['NOT a = 1', [-1, 0, 2, 3]],
    ['NOT (NOT a = 1)', [1]],
    ['a < 1 OR a >= 3', [-1, 0, 3]],
    ['NOT (a < 1 OR a >= 3)', [1, 2]],
    ['a in (1, 2) and not a = 2', [1]],
    ['a NOT IN (1, 2)', [-1, 0, 3]],
    ['a BETWEEN 0 AND 2', [0, 1, 2]],
    ['a NOT BETWEEN 0 AND 2', [-1, 3]],
    ['a IS NULL', [null]],
    ['NOT a IS NULL AND a > -1', [0, 1, 2, 3]],
    ['a IS NOT NULL', [-1, 0, 1, 2, 3]],
    ['a = 1 OR a = 2 AND a = 3', [1]],
    ['(a = 1 OR a = 2) AND a < 2', [1]],
    ['{"type":"not-eq","term":"a","value":1}', [null, -1, 0, 2, 3]],
  ])('%s lets through what SQL does', (condition, values) => {
    expect(passing(condition)).toEqual(values)
  })

  it('takes quoted names, texts, dates, decimals and truth values', () => {
    const text = `"Text ""x""" LIKE 'it''s%' AND d > DATE '2026-01-31' AND ok = true AND n <= 1.50`
    const bound = bindExpression(parseRowFilter(text), schema)
    expect(expressionToString(bound, schema)).toContain("starts with 'it''s'")
    expect(expressionToString(bound, schema)).toContain("d > '2026-01-31'")
    expect(expressionToString(bound, schema)).toContain('1.50')
  })

  it.each([
    '',
    'a',
    'a =',
    'a = b',
    'a = 1 AND',
    '(a = 1',
    'a = 1)',
    'a = 1; DROP',
    "a LIKE '%x'",
    'a + 1 = 2',
    'lower(a) = 1',
    'a = NULL',
    "a = 'x",
    '('.repeat(500),
  ])('refuses %s', (text) => {
    expect(() => parseRowFilter(text)).toThrow('the row filter does not parse')
  })
})
