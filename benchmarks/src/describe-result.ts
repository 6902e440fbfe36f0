import type { BenchmarkResult } from './measurement.ts'

/** The medians of each variant and the ratios, as lines of text. */
export function describeResult({ variants, ratios }: BenchmarkResult): string {
  const lines = variants.map(({ variant, median }) => {
    const figures = Object.entries(median).map(
      ([name, value]) => `${name} ${value.toLocaleString('en-US', { maximumFractionDigits: 2 })}`,
    )
    return `${variant}: ${figures.join(', ')}\n`
  })
  const ratioLines = Object.entries(ratios).map(([name, ratio]) => `${name}: ${ratio.toFixed(2)}\n`)
  return [...lines, ...ratioLines].join('')
}
