import { array, assert, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBuckets } from './token-buckets.ts'

describe('a bucket of tokens', () => {
  it('lets a burst through, then says how long to wait, and fills up again', () => {
    const buckets = new TokenBuckets({ perSecond: 2, capacity: 3, keysMax: 10 })
    expect([0, 0, 0, 0].map((now) => buckets.take('a', now))).toEqual([0, 0, 0, 500])
    expect(buckets.take('b', 0)).toBe(0)
    expect(buckets.take('a', 499)).toBeGreaterThan(0)
    expect(buckets.take('a', 500)).toBe(0)
    expect([60_000, 60_000, 60_000, 60_000].map((now) => buckets.take('a', now) > 0)).toEqual([
      false,
      false,
      false,
      true,
    ])
  })

  it('never gives more than the burst and what flowed in since', () => {
    assert(
      property(array(nat(300), { maxLength: 200 }), (pauses) => {
        const buckets = new TokenBuckets({ perSecond: 10, capacity: 5, keysMax: 10 })
        let now = 0
        let taken = 0
        for (const pause of pauses) {
          now += pause
          if (buckets.take('a', now) === 0) taken++
          expect(taken).toBeLessThanOrEqual(5 + (now / 1000) * 10 + 1e-6)
        }
      }),
    )
  })

  it('forgets the key that was quiet longest, and no other', () => {
    const buckets = new TokenBuckets({ perSecond: 1, capacity: 1, keysMax: 2 })
    for (const key of ['a', 'b', 'a', 'c']) buckets.take(key, 0)
    expect(buckets.take('a', 0)).toBeGreaterThan(0)
    expect(buckets.take('b', 0)).toBe(0)
  })
})
