/** A repeatable stream of numbers in [0, 1): the same seed gives the same numbers on every machine. */
export type SeededRandom = () => number

/** Mulberry32: 32 bits of state, enough for test plans, unfit for secrets. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
