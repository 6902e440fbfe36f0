import { FloeError } from '@floe/iceberg'

/** What `floe serve` takes from the settings; what is absent is the server's own default. */
export type ServeSettings = {
  /** Of one address, and of one principal; `undefined` when it was set to `off`. */
  readonly requestsPerSecondMax?: number | undefined
  readonly concurrentRequestsMax?: number
  readonly stopDelayMs?: number
  readonly drainMsMax?: number
  readonly accessLog?: boolean
}

/** The settings as they were written, by their names. */
type Written = {
  readonly requestsPerSecond?: string
  readonly concurrentRequests?: string
  readonly stopDelayMs?: string
  readonly drainMs?: string
  readonly accessLog?: string
}

/** @throws FloeError invalid-input */
export function parseServeSettings(written: Written): ServeSettings {
  const { requestsPerSecond, concurrentRequests, stopDelayMs, drainMs, accessLog } = written
  return {
    ...(requestsPerSecond === undefined
      ? {}
      : {
          requestsPerSecondMax:
            requestsPerSecond === 'off' ? undefined : parseCount('requestsPerSecond', requestsPerSecond, 1),
        }),
    ...(concurrentRequests === undefined
      ? {}
      : { concurrentRequestsMax: parseCount('concurrentRequests', concurrentRequests, 1) }),
    ...(stopDelayMs === undefined ? {} : { stopDelayMs: parseCount('stopDelayMs', stopDelayMs, 0) }),
    ...(drainMs === undefined ? {} : { drainMsMax: parseCount('drainMs', drainMs, 0) }),
    ...(accessLog === undefined ? {} : { accessLog: parseFlag('accessLog', accessLog) }),
  }
}

export function parseFlag(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new FloeError('invalid-input', `${name} is ${text}`, { hint: 'give true or false' })
}

function parseCount(name: string, text: string, min: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= min) return count
  throw new FloeError('invalid-input', `${name} is ${text}`, { hint: `give a whole number from ${min}` })
}
