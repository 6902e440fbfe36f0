import type { ExpiryReport } from '@floe/lakehouse'

/** Looks every `everyMs` for dropped tables whose retention is over; `onReport` gets what came of it, or the failure. */
export function expirePeriodically(
  expire: () => Promise<readonly ExpiryReport[]>,
  everyMs: number,
  onReport: (counts: { readonly expired: number; readonly failed: number }) => void,
): AsyncDisposable {
  let running: Promise<void> = Promise.resolve()
  let isRunning = false
  const run = async (): Promise<void> => {
    try {
      const reports = await expire()
      const expired = reports.reduce((sum, report) => sum + report.expired.length, 0)
      onReport({ expired, failed: reports.reduce((sum, report) => sum + report.failures.length, 0) })
    } catch {
      // The next look finds what this one could not.
      onReport({ expired: 0, failed: 1 })
    }
  }
  const timer = setInterval(() => {
    if (isRunning) return
    isRunning = true
    running = run().finally(() => {
      isRunning = false
    })
  }, everyMs)
  timer.unref()
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    await running
  }
  return { [Symbol.asyncDispose]: stop }
}
