/** Milliseconds since the epoch, as a component: tests hand in their own. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() }
