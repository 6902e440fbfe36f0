import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { mergeRanges, missingRanges, splitRanges } from './byte-ranges.ts'
import type { ByteRange } from './byte-ranges.ts'

const ranges = fc.array(
  fc.record({ start: fc.integer({ min: 0, max: 60 }), end: fc.integer({ min: 0, max: 60 }) }),
  { maxLength: 12 },
)

function bytesOf(parts: readonly ByteRange[]): readonly number[] {
  const bytes = new Set<number>()
  for (const { start, end } of parts) for (let at = start; at < end; at++) bytes.add(at)
  return [...bytes].sort((a, b) => a - b)
}

function areApart(parts: readonly ByteRange[], gap: number): boolean {
  return parts.every(({ start }, at) => at === 0 || start - (parts[at - 1]?.end ?? 0) > gap)
}

describe('byte ranges', () => {
  it('merge into the same bytes, in order and apart', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 0, max: 5 }), (parts, gap) => {
        expect(bytesOf(mergeRanges(parts))).toEqual(bytesOf(parts))
        const bridged = mergeRanges(parts, gap)
        expect(areApart(bridged, gap)).toBe(true)
        expect(bytesOf(bridged)).toEqual(expect.arrayContaining([...bytesOf(parts)]))
      }),
    )
  })

  it('miss what is wanted and not present', () => {
    fc.assert(
      fc.property(ranges, ranges, (wanted, present) => {
        const held = new Set(bytesOf(present))
        expect(bytesOf(missingRanges(wanted, present))).toEqual(bytesOf(wanted).filter((at) => !held.has(at)))
      }),
    )
  })

  it('split into parts of a size at most', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 9 }), (parts, bytesMax) => {
        const merged = mergeRanges(parts)
        const split = splitRanges(merged, bytesMax)
        expect(bytesOf(split)).toEqual(bytesOf(merged))
        expect(split.every(({ start, end }) => end > start && end - start <= bytesMax)).toBe(true)
      }),
    )
  })
})
