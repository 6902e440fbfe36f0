import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FloeError } from './error.ts'
import { jsonEqual, parseJson, stringifyJson, type JsonValue } from './json.ts'

const safe = BigInt(Number.MAX_SAFE_INTEGER)
const leaves = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ unit: 'grapheme-composite' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: safe + 1n, max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 70n), max: -safe - 1n }),
)
const documents: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaves,
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value'), { noNullPrototype: true }),
  ),
})).value

describe('lossless JSON', () => {
  it('reads back every value that it wrote, -0 and large integers included', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom(undefined, 2), (value, space) => {
        expect(parseJson(stringifyJson(value, space))).toStrictEqual(value)
      }),
    )
  })

  it('keeps snapshot ids beyond 2^53 exactly, and small integers as numbers', () => {
    const text = '{"snapshot-id":3055729675574597004,"version":2,"negative":-9223372036854775808}'
    expect(parseJson(text)).toEqual({
      'snapshot-id': 3055729675574597004n,
      version: 2,
      negative: -9223372036854775808n,
    })
    expect(stringifyJson(parseJson(text))).toBe(text)
  })

  it('keeps a double beyond 2^53 a double', () => {
    expect(parseJson(stringifyJson([1e17, 2 ** 60]))).toStrictEqual([1e17, 2 ** 60])
  })

  it('refuses nesting that would exhaust the stack, open or closed', () => {
    for (const text of ['['.repeat(1_000_000), `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`]) {
      expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
    }
    let deep: JsonValue = 1
    for (let depth = 0; depth < 1_000_000; depth++) deep = [deep]
    expect(() => stringifyJson(deep)).toThrow(FloeError)
  })

  it('does not count brackets inside strings as nesting', () => {
    const text = JSON.stringify([`\\"${'['.repeat(5000)}`])
    expect(stringifyJson(parseJson(text))).toBe(text)
  })

  it('reports text that is no JSON, and numbers that JSON cannot hold, as invalid input', () => {
    for (const run of [() => parseJson('{"a":'), () => parseJson(''), () => stringifyJson([Number.NaN])]) {
      expect(run).toThrow(expect.objectContaining({ code: 'invalid-input' }))
    }
  })

  it('compares documents without regard to member order, but to member absence', () => {
    expect(jsonEqual({ a: 1, b: [2n ** 60n] }, { b: [2n ** 60n], a: 1 })).toBe(true)
    expect(jsonEqual({ a: 1 }, { a: 1, b: null })).toBe(false)
    expect(jsonEqual([1], { 0: 1 })).toBe(false)
  })
})
