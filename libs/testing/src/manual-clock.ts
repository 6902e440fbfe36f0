/** A clock that moves only when told. Milliseconds. */
export type ManualClock = { now(): number; advance(ms: number): void }

export function manualClock(startMs = 0): ManualClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms
    },
  }
}
