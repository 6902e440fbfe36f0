import { errorReactions, FloeError } from '@floe/iceberg'

/** A signal that arrives so soon after the first is the same one: a terminal sends it to parent and child, and the parent passes it on. */
const sameSignalMs = 500

export type StopSignal = Disposable & {
  readonly signal: AbortSignal
  abort(reason: FloeError): void
}

/** SIGINT and SIGTERM stop the command in order; a second one, later, ends the process at once. */
export function openStopSignal(): StopSignal {
  const stop = new AbortController()
  let firstMs: number | undefined
  const onSignal = (): void => {
    const now = performance.now()
    if (firstMs !== undefined && now - firstMs > sameSignalMs) process.exit(errorReactions.cancelled.exitCode)
    firstMs ??= now
    stop.abort(new FloeError('cancelled', 'stopped by a signal'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: stop.signal,
    abort: (reason) => stop.abort(reason),
    [Symbol.dispose]: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
