import * as fc from 'fast-check'
import { snappyUncompress } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { compressSnappy } from './snappy.ts'

function roundTrip(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(input.length)
  snappyUncompress(compressSnappy(input), output)
  return output
}

describe('compressSnappy', () => {
  it('gives what an independent decoder turns back', () => {
    const repetitive = fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 3000 }))
    fc.assert(
      fc.property(fc.array(repetitive, { maxLength: 5 }), (parts) => {
        const input = new Uint8Array(
          Buffer.concat(parts.flatMap(([part, times]) => Array.from({ length: times }, () => part))),
        )
        expect(Buffer.from(roundTrip(input)).equals(input)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it.each([0, 1, 3, 4, 59, 60, 61, 65_535, 65_536, 65_537, 200_000])(
    'keeps %i bytes, equal or counting up',
    (length) => {
      for (const step of [0, 1, 37]) {
        const input = Uint8Array.from({ length }, (_, index) => (index * step) >>> 3)
        expect(Buffer.from(roundTrip(input)).equals(input)).toBe(true)
      }
    },
  )

  it('shrinks what repeats', () => {
    expect(compressSnappy(new Uint8Array(100_000)).length).toBeLessThan(6000)
  })
})
