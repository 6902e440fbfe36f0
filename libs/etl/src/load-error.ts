import { FloeError, toFloeError } from '@floe/iceberg'

/** What a failure means for a load. A commit that may have happened stays unknown, also when the load was stopped. */
export function loadError(error: unknown, signal: AbortSignal | undefined): FloeError {
  const floe = toFloeError(error)
  if (floe.code === 'commit-state-unknown') return floe
  const isTold = floe.code === 'cancelled' && floe.hint !== undefined
  if (signal?.aborted === true && !isTold) {
    return new FloeError('cancelled', 'the load was stopped', {
      hint: 'nothing was committed: load again',
      cause: error,
    })
  }
  // A thread that dies says why in its message only: what it means for the load is known here.
  if (floe.code !== 'internal' || floe.hint !== undefined) return floe
  return new FloeError(floe.code, floe.message, {
    hint: 'nothing was committed: load again, with fewer workers if the machine was short of memory',
    cause: floe,
  })
}
