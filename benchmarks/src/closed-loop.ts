export type LoopLimits = {
  readonly connections: number
  readonly operationsMax: number
  readonly secondsMax: number
}

/** One operation. Returns how often it had to begin again. */
type LoopOperation = (connection: number, count: number) => Promise<number>

/**
 * Each connection runs one operation after the other until the limits are reached. Latencies in milliseconds, from
 * the start of an operation to its success, begun again or not.
 */
export async function runClosedLoop(
  { connections, operationsMax, secondsMax }: LoopLimits,
  operation: LoopOperation,
): Promise<Readonly<Record<string, number>>> {
  const latencies: number[] = []
  let started = 0
  let repeats = 0
  const begin = performance.now()
  const end = begin + secondsMax * 1000
  const run = async (connection: number): Promise<void> => {
    while (started < operationsMax && performance.now() < end) {
      const count = started++
      const from = performance.now()
      repeats += await operation(connection, count)
      latencies.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: connections }, (_, connection) => run(connection)))
  const seconds = (performance.now() - begin) / 1000
  const sorted = latencies.toSorted((left, right) => left - right)
  return {
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    perSecond: sorted.length / seconds,
    operations: sorted.length,
    repeats,
  }
}

/** Nearest rank. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
