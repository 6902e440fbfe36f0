import type { DuckDBConnection } from '@duckdb/node-api'

/** Between two interrupts of a connection that has not stopped yet. */
const repeatDelayMs = 20

/**
 * Interrupts what a connection does now and begins next, until the function that this returns is called. Once is not
 * enough: DuckDB forgets an interrupt that comes between two of its statements.
 */
export function interruptUntilStopped(connection: DuckDBConnection): () => void {
  connection.interrupt()
  const timer = setInterval(() => connection.interrupt(), repeatDelayMs)
  return () => clearInterval(timer)
}

/** Interrupts the connection when the signal fires, until the function that this returns is called. */
export function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal): () => void {
  let stop: (() => void) | undefined
  const onAbort = (): void => {
    stop ??= interruptUntilStopped(connection)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return () => {
    signal.removeEventListener('abort', onAbort)
    stop?.()
  }
}
