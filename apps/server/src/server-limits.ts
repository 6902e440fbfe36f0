/** What one server takes on. Every limit has a default; `readLimits` fills them in. */
export type ServerLimits = {
  /** Requests a second that one address, and one principal, may keep up; no limit when absent. */
  readonly requestsPerSecondMax: number | undefined
  /** Requests that may come at once after a pause (default: those of two seconds). */
  readonly requestBurstMax: number
  /** Addresses and principals whose rates are remembered. */
  readonly rateKeysMax: number
  /** Requests under way; further ones are told to come back. */
  readonly concurrentRequestsMax: number
  /** Bytes of a request's line and headers. */
  readonly headerBytesMax: number
  /** How long the headers of a request, and how long all of it, may take to arrive. */
  readonly headersMsMax: number
  readonly requestMsMax: number
  /** How long a connection may stay open with no request on it. */
  readonly idleMsMax: number
  /** How long the checks of `/ready` may take, and how long what they found is told to others. */
  readonly readyCheckMsMax: number
  readonly readyCacheMs: number
  /** Between two looks for dropped tables whose retention is over. */
  readonly expireEveryMs: number
  /** From being told to stop until new connections are refused: load balancers need a moment to notice. */
  readonly stopDelayMs: number
  /** How long requests under way may take once connections are refused. */
  readonly drainMsMax: number
}

const burstSeconds = 2

const defaults: Omit<ServerLimits, 'requestBurstMax'> = {
  requestsPerSecondMax: 1000,
  rateKeysMax: 10_000,
  concurrentRequestsMax: 256,
  headerBytesMax: 32 * 1024,
  headersMsMax: 20_000,
  requestMsMax: 300_000,
  // Longer than the idle limits of common load balancers: the side that closes first must be theirs.
  idleMsMax: 75_000,
  readyCheckMsMax: 2000,
  readyCacheMs: 1000,
  expireEveryMs: 60_000,
  stopDelayMs: 0,
  drainMsMax: 10_000,
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|::1)$/

/** Defaults and what was chosen over them. On loopback, where a user is alone, rates have no limit unless one is chosen. */
export function readLimits(chosen: Partial<ServerLimits>, host: string): ServerLimits {
  const byHost = loopback.test(host) ? { ...defaults, requestsPerSecondMax: undefined } : defaults
  const limits = { ...byHost, ...chosen }
  return { requestBurstMax: (limits.requestsPerSecondMax ?? 0) * burstSeconds, ...limits }
}
