import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryValue, comparableTypes } from './arbitrary-value.ts'
import { boundLength, truncateLowerBound, truncateUpperBound } from './bounds.ts'
import { compareBytes, compareValues } from './compare-values.ts'
import { bytesToHex, hexToBytes } from './hex.ts'
import { singleValueFromJson, singleValueToJson } from './single-value-json.ts'
import { decodeSingleValue, encodeSingleValue } from './single-value.ts'
import { parseType, typeToString, type PrimitiveType } from './type.ts'

const utf8 = new TextEncoder()
function primitive(text: string): PrimitiveType {
  return parseType(text) as PrimitiveType
}

describe('binary single values', () => {
  it.each(comparableTypes.map((type) => [typeToString(type), type] as const))(
    'read back every %s',
    (_name, type) => {
      fc.assert(
        fc.property(arbitraryValue(type), (value) => {
          expect(decodeSingleValue(type, encodeSingleValue(type, value))).toStrictEqual(value)
        }),
      )
    },
  )

  it.each([
    ['boolean', true, '01'],
    ['int', -2, 'feffffff'],
    ['long', 1n, '0100000000000000'],
    ['date', 1, '01000000'],
    ['double', 1, '000000000000f03f'],
    ['decimal(9, 2)', 1420n, '058c'],
    ['decimal(9, 2)', 0n, '00'],
    ['decimal(9, 2)', -128n, '80'],
    ['decimal(9, 2)', 128n, '0080'],
    ['decimal(9, 2)', -129n, 'ff7f'],
    ['string', 'é', 'c3a9'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
  ] as const)('write %s %s as %s', (type, value, hex) => {
    expect(bytesToHex(encodeSingleValue(primitive(type), value))).toBe(hex)
  })

  it('read the bounds of files older than a promotion by their length', () => {
    expect(decodeSingleValue(primitive('long'), hexToBytes('feffffff'))).toBe(-2n)
    expect(decodeSingleValue(primitive('double'), encodeSingleValue(primitive('float'), 1.5))).toBe(1.5)
    expect(decodeSingleValue(primitive('timestamp'), hexToBytes('ffffffff'))).toBe(-86_400_000_000n)
    expect(decodeSingleValue(primitive('timestamp_ns'), hexToBytes('01000000'))).toBe(86_400_000_000_000n)
    expect(decodeSingleValue(primitive('decimal(38, 2)'), hexToBytes('058c'))).toBe(1420n)
  })

  it('read values in the middle of a buffer', () => {
    expect(decodeSingleValue(primitive('int'), Uint8Array.of(9, 1, 0, 0, 0, 9).subarray(1, 5))).toBe(1)
  })

  it('keep a byte order mark, and refuse bytes that fit no form of the type', () => {
    expect(decodeSingleValue(primitive('string'), hexToBytes('efbbbf61'))).toBe('\u{FEFF}a')
    for (const [type, hex] of [
      ['int', '0100'],
      ['long', '01'],
      ['string', 'c3'],
      ['uuid', '00'],
      ['decimal(9, 2)', ''],
    ] as const) {
      expect(() => decodeSingleValue(primitive(type), hexToBytes(hex))).toThrow(
        expect.objectContaining({ code: 'corrupt-data' }),
      )
    }
  })
})

describe('JSON single values', () => {
  it.each(comparableTypes.map((type) => [typeToString(type), type] as const))(
    'read back every %s',
    (_name, type) => {
      fc.assert(
        fc.property(arbitraryValue(type), (value) => {
          expect(singleValueFromJson(type, singleValueToJson(type, value))).toStrictEqual(value)
        }),
      )
    },
  )

  it.each([
    ['date', '2017-11-16', 17486],
    ['time', '22:31:08.123456', 81_068_123_456n],
    ['timestamp', '2017-11-16T22:31:08.123456', 1_510_871_468_123_456n],
    ['timestamptz', '2017-11-16T22:31:08.123456+00:00', 1_510_871_468_123_456n],
    ['timestamptz_ns', '2017-11-16T22:31:08.123456789+00:00', 1_510_871_468_123_456_789n],
    ['decimal(9, 2)', '14.20', 1420n],
    ['decimal(9, 2)', '-0.05', -5n],
    ['binary', '00ff', Uint8Array.of(0, 255)],
    ['timestamp', '-0001-12-31T23:59:59.999999', -62_167_219_200_000_001n],
  ] as const)('write %s as %s, the form of the spec', (type, json, value) => {
    expect(singleValueToJson(primitive(type), value)).toBe(json)
    expect(singleValueFromJson(primitive(type), json)).toStrictEqual(value)
  })

  it('reads offsets other than UTC, and short decimals', () => {
    expect(singleValueFromJson(primitive('timestamptz'), '1970-01-01T01:00:00+01:00')).toBe(0n)
    expect(singleValueFromJson(primitive('decimal(9, 2)'), '7')).toBe(700n)
  })

  it.each([
    ['int', 2 ** 31],
    ['int', 1.5],
    ['int', '1'],
    ['long', 2n ** 63n],
    ['date', '2023-02-29'],
    ['timestamp', '2023-01-01T00:00:00Z'],
    ['timestamptz', '2023-01-01T00:00:00'],
    ['time', '24:00:00'],
    ['decimal(4, 2)', '100.00'],
    ['decimal(4, 2)', '1.005'],
    ['fixed[2]', '00'],
    ['binary', 'xyz'],
    ['uuid', 'nope'],
    ['boolean', 1],
    ['string', null],
  ] as const)('refuses %s %s', (type, json) => {
    expect(() => singleValueFromJson(primitive(type), json)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    )
  })
})

describe('the order of values', () => {
  it('is the order of UTF-8 bytes for strings', () => {
    const type = primitive('string')
    fc.assert(
      fc.property(arbitraryValue(type), arbitraryValue(type), (a, b) => {
        const bytes = compareBytes(utf8.encode(a as string), utf8.encode(b as string))
        expect(Math.sign(compareValues(type, a, b))).toBe(Math.sign(bytes))
      }),
    )
    expect(compareValues(type, '\u{FFFD}', '😀')).toBeLessThan(0)
  })

  it('is the order of unsigned bytes for UUIDs and binaries', () => {
    const type = primitive('uuid')
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (a, b) => {
        const bytes = compareBytes(encodeSingleValue(type, a), encodeSingleValue(type, b))
        expect(Math.sign(compareValues(type, a, b))).toBe(Math.sign(bytes))
      }),
    )
    expect(compareValues(primitive('binary'), Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0)
  })

  it('puts -0 before 0 and NaN last, as the spec sorts floats', () => {
    const sorted = [-Infinity, -1, -0, 0, 1, Infinity, Number.NaN]
    const type = primitive('double')
    expect(sorted.toReversed().sort((a, b) => compareValues(type, a, b))).toStrictEqual(sorted)
    expect(compareValues(type, Number.NaN, Number.NaN)).toBe(0)
  })
})

describe('truncated bounds', () => {
  const texts = fc.string({
    unit: fc.constantFrom('a', '\u{7F}', '\u{7FF}', '\u{D7FF}', '\u{FFFF}', '😀', '\u{10FFFF}'),
    maxLength: 24,
  })

  it('enclose the string within 16 code points of well-formed text', () => {
    const type = primitive('string')
    fc.assert(
      fc.property(texts, (text) => {
        const lower = truncateLowerBound(text)
        const upper = truncateUpperBound(text)
        expect(compareValues(type, lower, text)).toBeLessThanOrEqual(0)
        expect(Array.from(lower).length).toBeLessThanOrEqual(boundLength)
        if (upper === undefined)
          return expect(
            Array.from(text)
              .slice(0, boundLength)
              .every((point) => point === '\u{10FFFF}'),
          ).toBe(true)
        expect(compareValues(type, upper, text)).toBeGreaterThanOrEqual(0)
        expect(Array.from(upper).length).toBeLessThanOrEqual(boundLength)
        expect(upper.isWellFormed()).toBe(true)
      }),
    )
  })

  it.each([
    ['abcd', 2, 'ac'],
    ['ab', 2, 'ab'],
    ['a\u{D7FF}z', 2, 'a\u{E000}'],
    ['a\u{10FFFF}z', 2, 'b'],
    ['\u{10FFFF}\u{10FFFF}z', 2, undefined],
    ['😀😀😀', 2, '😀😁'],
    ['', 2, ''],
  ] as const)('of %s at %i code points end at %s', (text, length, upper) => {
    expect(truncateUpperBound(text, length)).toBe(upper)
  })

  it('enclose binaries, and have no upper end after 0xFF alone', () => {
    expect(truncateUpperBound(Uint8Array.of(1, 255, 255, 1), 3)).toEqual(Uint8Array.of(2))
    expect(truncateUpperBound(new Uint8Array(17).fill(255))).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const upper = truncateUpperBound(bytes)
        expect(compareBytes(truncateLowerBound(bytes), bytes)).toBeLessThanOrEqual(0)
        if (upper !== undefined) expect(compareBytes(upper, bytes)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
