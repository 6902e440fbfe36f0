import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** The real clock, ids and sleep. Everything below the composition root gets them as components. */
export type System = {
  /** Milliseconds since the Unix epoch. */
  readonly clock: { now(): number }
  readonly uuid: () => string
  readonly newSnapshotId: () => bigint
  readonly sleep: (ms: number) => Promise<void>
  /** Bytes that nobody can foresee. */
  readonly randomBytes: (count: number) => Uint8Array
  /** CPU microseconds of this process, all threads. */
  readonly cpuUsage: () => number
}

export const system: System = {
  // oxlint-disable-next-line no-restricted-properties -- this is the one place where the real clock comes from
  clock: { now: () => Date.now() },
  uuid: randomUUID,
  // Positive and never 0: the spec's ids are signed longs, and several readers take 0 or -1 for "none".
  newSnapshotId: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
  randomBytes: (count) => randomBytes(count),
  sleep: async (ms) => {
    await delay(ms)
  },
  cpuUsage: () => {
    const { user, system: kernel } = process.cpuUsage()
    return user + kernel
  },
}
