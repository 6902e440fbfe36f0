/** Calls a few at a time. After a failure nothing new starts, and what runs is waited for. */
export async function forEachBounded<Item>(
  items: readonly Item[],
  inFlightMax: number,
  call: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    for (const item of waiting) {
      if (failures.length > 0) return
      await call(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlightMax, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}
