import { FloeError } from '@floe/iceberg/values'

/** The error of a call whose signal fired. */
export function cancelledError(location: string, cause?: unknown): FloeError {
  return new FloeError('cancelled', `the call on ${location} was cancelled`, { cause })
}

export function throwIfCancelled(signal: AbortSignal | undefined, location: string): void {
  if (signal?.aborted === true) throw cancelledError(location, signal.reason)
}
