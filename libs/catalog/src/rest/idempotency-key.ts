/** A UUIDv7 (RFC 9562): the time in front, the rest from a random uuid. */
export function newIdempotencyKey(nowMs: number, randomUuid: string): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0').slice(-12)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUuid.slice(15)}`
}

const unitsMs = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1000 }

/** ISO 8601 duration of days and smaller; `undefined` for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (match === null || text.endsWith('P') || text.endsWith('T')) return undefined
  const [, days, hours, minutes, seconds] = match
  const parts = [days, hours, minutes, seconds].map((part) => Number(part ?? 0))
  const [d = 0, h = 0, m = 0, s = 0] = parts
  return d * unitsMs.D + h * unitsMs.H + m * unitsMs.M + s * unitsMs.S
}
