import { readResult } from './measurement.ts'

/** Ratios are compared, not seconds: two machines differ, the ratio to the limit of the same run much less. */
const dropTolerated = 1.15

/** Prints two results side by side. Returns false when a ratio of the second is worse beyond the tolerance. */
export function compareResults(beforeFile: string, afterFile: string): boolean {
  const before = readResult(beforeFile)
  const after = readResult(afterFile)
  let isHeld = true
  for (const [name, ratio] of Object.entries(after.ratios)) {
    const earlier = before.ratios[name]
    if (earlier === undefined) continue
    const change = ratio / earlier
    const isWorse = change > dropTolerated
    isHeld &&= !isWorse
    process.stdout.write(`${name}: ${earlier.toFixed(2)} -> ${ratio.toFixed(2)}${isWorse ? '  WORSE' : ''}\n`)
  }
  for (const { variant, median } of after.variants) {
    const earlier = before.variants.find((candidate) => candidate.variant === variant)?.median
    for (const [name, value] of Object.entries(median)) {
      process.stdout.write(
        `${variant} ${name}: ${earlier?.[name]?.toFixed(2) ?? '-'} -> ${value.toFixed(2)}\n`,
      )
    }
  }
  return isHeld
}
