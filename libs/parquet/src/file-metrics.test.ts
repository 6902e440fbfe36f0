import { compareValues, decodeSingleValue, type PrimitiveType, type PrimitiveValue } from '@floe/iceberg'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMetricsMode, type MetricsSettings } from './metrics-mode.ts'
import { batchOfRows, type Row } from './testing/batch-of-rows.ts'
import { encodeFile } from './testing/read-back.ts'
import { primitiveSchema, primitiveTypes, valueArbitrary } from './testing/value-arbitraries.ts'

const metricsOf = (groups: readonly (readonly Row[])[], metrics: MetricsSettings) =>
  encodeFile(
    { schema: primitiveSchema, metrics },
    groups.map((rows) => batchOfRows(primitiveSchema, rows)),
  ).metrics

const rowsArbitrary = fc.array(
  fc.record(
    Object.fromEntries(
      primitiveTypes.map((type, index) => [`c${index}`, fc.option(valueArbitrary(type), { freq: 4 })]),
    ),
  ),
  { maxLength: 30 },
)

function naiveExtreme(
  type: PrimitiveType,
  values: readonly PrimitiveValue[],
  sign: 1 | -1,
): PrimitiveValue | undefined {
  const ordered = values.filter((value) => !Number.isNaN(value))
  if (ordered.length === 0) return undefined
  return ordered.reduce((best, value) => (compareFloatsToo(type, value, best) * sign > 0 ? value : best))
}

function compareFloatsToo(type: PrimitiveType, left: PrimitiveValue, right: PrimitiveValue): number {
  if (left === 0 && right === 0) return Number(Object.is(right, -0)) - Number(Object.is(left, -0))
  return compareValues(type, left, right)
}

const narrow = (type: PrimitiveType, value: PrimitiveValue): PrimitiveValue =>
  type.kind === 'float' ? Math.fround(value as number) : value

describe('metrics of a file', () => {
  it('equal a naive computation over all rows, bounds in full', () => {
    fc.assert(
      fc.property(rowsArbitrary, rowsArbitrary, (first, second) => {
        const metrics = metricsOf([first, second], { default: { kind: 'full' } })
        const rows = [...first, ...second]
        primitiveTypes.forEach((type, index) => {
          const id = index + 1
          const present = rows.flatMap((row) => {
            const value = row[`c${index}`] ?? null
            return value === null ? [] : [narrow(type, value)]
          })
          expect(metrics.valueCounts?.get(id) ?? 0).toBe(rows.length)
          expect(metrics.nullValueCounts?.get(id) ?? 0).toBe(rows.length - present.length)
          const isFloat = type.kind === 'float' || type.kind === 'double'
          expect(metrics.nanValueCounts?.get(id)).toBe(
            isFloat ? present.filter(Number.isNaN).length : undefined,
          )
          const lower = metrics.lowerBounds?.get(id)
          const upper = metrics.upperBounds?.get(id)
          expect(lower && decodeSingleValue(type, lower)).toEqual(naiveExtreme(type, present, -1))
          expect(upper && decodeSingleValue(type, upper)).toEqual(naiveExtreme(type, present, 1))
        })
      }),
      { numRuns: 60 },
    )
  })

  it('bound every string from both sides within the truncation', () => {
    const strings = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(strings, fc.integer({ min: 1, max: 8 }), (values, length) => {
        const metrics = metricsOf([values.map((c10) => ({ c10 }))], { default: { kind: 'truncate', length } })
        const lower = Buffer.from(metrics.lowerBounds?.get(11) ?? [])
        const upper = metrics.upperBounds?.get(11)
        for (const value of values) {
          expect(lower.compare(Buffer.from(value))).toBeLessThanOrEqual(0)
          if (upper !== undefined)
            expect(Buffer.from(upper).compare(Buffer.from(value))).toBeGreaterThanOrEqual(0)
        }
        expect(Array.from(lower.toString()).length).toBeLessThanOrEqual(length)
      }),
    )
  })

  it('truncate to 16 code points by default, and raise the upper bound', () => {
    const { metrics } = encodeFile({ schema: primitiveSchema }, [
      batchOfRows(primitiveSchema, [
        { c10: 'aaaaaaaaaaaaaaaaaaaa' },
        { c10: '\u{10FFFF}'.repeat(17), c12: new Uint8Array(20).fill(255) },
      ]),
    ])
    expect(Buffer.from(metrics.lowerBounds?.get(11) ?? []).toString()).toBe('a'.repeat(16))
    expect(metrics.upperBounds?.has(11)).toBe(false)
    expect(metrics.lowerBounds?.get(13)).toEqual(new Uint8Array(16).fill(255))
    expect(metrics.upperBounds?.has(13)).toBe(false)
  })

  it('have no bounds for a column that is all null or all NaN', () => {
    const metrics = metricsOf([[{ c4: NaN }, { c4: NaN }]], { default: { kind: 'full' } })
    expect(metrics.lowerBounds?.size).toBe(0)
    expect(metrics.nanValueCounts?.get(5)).toBe(2)
    expect(metrics.nullValueCounts?.get(1)).toBe(2)
  })

  it('follow the mode of each column', () => {
    const metrics = metricsOf([[{ c1: 1, c2: 2n, c10: 'long enough to be cut' }]], {
      default: { kind: 'none' },
      columns: { c1: { kind: 'counts' }, c10: { kind: 'truncate', length: 4 } },
    })
    expect([...(metrics.columnSizes?.keys() ?? [])]).toEqual([2, 11])
    expect([...(metrics.valueCounts?.entries() ?? [])]).toEqual([
      [2, 1],
      [11, 1],
    ])
    expect([...(metrics.lowerBounds?.keys() ?? [])]).toEqual([11])
    expect(Buffer.from(metrics.upperBounds?.get(11) ?? []).toString()).toBe('lonh')
  })
})

describe('parseMetricsMode', () => {
  it('reads the four forms of table properties in any case', () => {
    const modes = ['none', 'COUNTS', ' full ', 'truncate(16)'].map(parseMetricsMode)
    expect(modes).toEqual([
      { kind: 'none' },
      { kind: 'counts' },
      { kind: 'full' },
      { kind: 'truncate', length: 16 },
    ])
  })

  it.each(['', 'truncate', 'truncate(0)', 'truncate(-1)', 'all'])('refuses %j', (text) => {
    expect(() => parseMetricsMode(text)).toThrow(/metrics mode/)
  })
})
