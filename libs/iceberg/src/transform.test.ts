import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyTransform, firstCodePoints, hashValue } from './apply-transform.ts'
import { arbitraryValue, comparableTypes } from './arbitrary-value.ts'
import { civilFromDays, daysFromCivil, formatDate, parseDate, parseTimestamp } from './calendar.ts'
import { compareValues } from './compare-values.ts'
import { hexToBytes } from './hex.ts'
import { hashLong, murmur3Hash32 } from './murmur3.ts'
import { canTransform, transformResultType } from './transform-type.ts'
import { parseTransform, transformToString } from './transform.ts'
import { parseType, typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'

function primitive(text: string): PrimitiveType {
  return parseType(text) as PrimitiveType
}
function apply(transform: string, type: string, value: PrimitiveValue | null): PrimitiveValue | null {
  return applyTransform(parseTransform(transform), primitive(type), value)
}
const micros = (text: string): bigint => parseTimestamp(text, 6, false)

describe('bucket hashes', () => {
  // Spec Appendix B, "Hash value" examples.
  it.each([
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', parseDate('2017-11-16'), -653330422],
    ['time', 81_068_000_000n, -662762989],
    ['timestamp', micros('2017-11-16T22:31:08'), -2047944441],
    ['timestamp', micros('2017-11-16T22:31:08.000001'), -1207196810],
    ['timestamptz', parseTimestamp('2017-11-16T14:31:08-08:00', 6, true), -2047944441],
    ['timestamptz', parseTimestamp('2017-11-16T14:31:08.000001-08:00', 6, true), -1207196810],
    ['timestamp_ns', parseTimestamp('2017-11-16T22:31:08', 9, false), -2047944441],
    ['timestamp_ns', parseTimestamp('2017-11-16T22:31:08.000001001', 9, false), -1207196810],
    ['timestamptz_ns', parseTimestamp('2017-11-16T14:31:08.000001001-08:00', 9, true), -1207196810],
    ['string', 'iceberg', 1210000089],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
    ['fixed[4]', hexToBytes('00010203'), -188683207],
    ['binary', hexToBytes('00010203'), -188683207],
  ] as const)('of %s %s is %i, as the spec says', (type, value, hash) => {
    expect(hashValue(primitive(type), value)).toBe(hash)
  })

  it('is the same for an int and the long it is promoted to', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        (value) => apply('bucket[97]', 'int', value) === apply('bucket[97]', 'long', BigInt(value)),
      ),
    )
  })

  it('hashes halves of a long as its eight bytes', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (low, high) => {
        const bytes = new Uint8Array(new Int32Array([low, high]).buffer)
        expect(hashLong(low, high)).toBe(murmur3Hash32(bytes))
      }),
    )
  })

  it('hashes a range inside a buffer as the bytes alone', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(9), fc.nat(9), (bytes, before, after) => {
        const buffer = new Uint8Array(before + bytes.length + after).fill(7)
        buffer.set(bytes, before)
        expect(murmur3Hash32(buffer, before, before + bytes.length)).toBe(murmur3Hash32(bytes))
      }),
    )
  })

  it('never gives a negative bucket', () => {
    expect(apply('bucket[16]', 'date', parseDate('2017-11-16'))).toBe((-653330422 & 0x7fffffff) % 16)
  })
})

describe('time transforms', () => {
  it.each([
    ['year', '1969-12-31T23:59:59.999999', -1],
    ['month', '1969-12-31T23:59:59.999999', -1],
    ['day', '1969-12-31T23:59:59.999999', -1],
    ['hour', '1969-12-31T23:59:59.999999', -1],
    ['year', '1970-01-01T00:00:00', 0],
    ['hour', '1970-01-01T00:00:00', 0],
    ['year', '2017-12-01T10:12:55', 47],
    ['month', '2017-12-01T10:12:55', 575],
    ['day', '2017-12-01T10:12:55', 17501],
    ['hour', '2017-12-01T10:12:55', 420034],
    ['year', '0001-01-01T00:00:00', -1969],
    ['month', '1969-01-01T00:00:00', -12],
  ] as const)('%s of %s is %i: floors before 1970', (transform, text, result) => {
    expect(apply(transform, 'timestamp', micros(text))).toBe(result)
    expect(apply(transform, 'timestamptz_ns', micros(text) * 1000n)).toBe(result)
    if (transform !== 'hour') expect(apply(transform, 'date', parseDate(text.slice(0, 10)))).toBe(result)
  })

  it('agrees with the calendar of Date wherever Date reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
        const date = new Date(days * 86_400_000)
        const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
        expect(civilFromDays(days)).toEqual(civil)
        expect(daysFromCivil(civil)).toBe(days)
      }),
    )
  })

  it('reads back every date that it writes, over the whole 32-bit range', () => {
    fc.assert(fc.property(fc.integer(), (days) => parseDate(formatDate(days)) === days))
    expect(formatDate(2 ** 31 - 1)).toBe('+5881580-07-11')
  })
})

describe('truncate', () => {
  it.each([
    ['truncate[10]', 'int', 1, 0],
    ['truncate[10]', 'int', -1, -10],
    ['truncate[10]', 'long', -11n, -20n],
    ['truncate[50]', 'decimal(9, 2)', 1065n, 1050n],
    ['truncate[10]', 'decimal(9, 2)', -1n, -10n],
    ['truncate[3]', 'string', 'iceberg', 'ice'],
    ['truncate[2]', 'string', 'a😀b', 'a😀'],
    ['truncate[10]', 'string', '😀', '😀'],
  ] as const)('%s of %s %s is %s', (transform, type, value, result) => {
    expect(apply(transform, type, value)).toBe(result)
  })

  it('keeps the first bytes of a binary', () => {
    expect(apply('truncate[2]', 'binary', Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2))
  })

  it('never splits a character', () => {
    fc.assert(
      fc.property(arbitraryValue({ kind: 'string' }), fc.integer({ min: 1, max: 20 }), (text, count) => {
        expect(firstCodePoints(text as string, count)).toBe(
          Array.from(text as string)
            .slice(0, count)
            .join(''),
        )
      }),
    )
  })
})

describe('every transform', () => {
  const transforms = ['identity', 'year', 'month', 'day', 'hour', 'void', 'bucket[7]', 'truncate[3]'].map(
    parseTransform,
  )

  it('keeps null, and takes exactly the types that it says it takes', () => {
    for (const transform of transforms) {
      for (const type of comparableTypes) {
        expect(applyTransform(transform, type, null)).toBeNull()
        const [value] = fc.sample(arbitraryValue(type), 1)
        const run = (): unknown => applyTransform(transform, type, value ?? null)
        if (canTransform(transform, type)) expect(run).not.toThrow()
        else expect(run, `${transformToString(transform)} of ${typeToString(type)}`).toThrow(/does not take/)
      }
    }
  })

  it('keeps the order of values where the spec says that it is monotonic', () => {
    const ordered = transforms.filter(({ kind }) => kind !== 'bucket' && kind !== 'void')
    for (const transform of ordered) {
      // Truncating the lowest int or long wraps around, which the projections know of.
      const types = comparableTypes.filter(
        (type) =>
          canTransform(transform, type) &&
          !(transform.kind === 'truncate' && ['int', 'long'].includes(type.kind)),
      )
      for (const type of types) {
        const result = transformResultType(transform, type)
        fc.assert(
          fc.property(arbitraryValue(type), arbitraryValue(type), (a, b) => {
            const [low, high] = compareValues(type, a, b) <= 0 ? [a, b] : [b, a]
            const low2 = applyTransform(transform, type, low) as PrimitiveValue
            expect(
              compareValues(result, low2, applyTransform(transform, type, high) as PrimitiveValue),
            ).toBeLessThanOrEqual(0)
          }),
          { numRuns: 50 },
        )
      }
    }
  })

  it('writes the string it was read from, unheard-of ones included', () => {
    for (const text of ['bucket[16]', 'truncate[4]', 'day', 'zorder[2]', 'bucket[x]']) {
      expect(transformToString(parseTransform(text))).toBe(text)
    }
    expect(() => parseTransform('bucket[0]')).toThrow(/needs a number from 1/)
    expect(() => apply('zorder[2]', 'int', 1)).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })
})
