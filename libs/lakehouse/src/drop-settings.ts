import { FloeError } from '@floe/iceberg'

/** Ten years: what is kept for longer is not dropped. */
const retentionSecondsMax = 315_360_000

/** @throws FloeError invalid-input */
export function parseDropRetention(text: string | undefined): number {
  if (text === undefined) return 0
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (seconds <= retentionSecondsMax) return seconds * 1000
  throw new FloeError('invalid-input', `dropRetentionSeconds is ${text}`, {
    hint: `give whole seconds from 0, which keeps nothing, to ${retentionSecondsMax}; a week is 604800`,
  })
}
