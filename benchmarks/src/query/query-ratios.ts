import type { VariantResult } from '../measurement.ts'

const figures = ['seconds', 'cpuSeconds'] as const

/**
 * Floe to the bare engine and to DuckDB's iceberg extension, each query and in total; scans with deletes to those
 * without; planning to PyIceberg's. Below 1 is ahead.
 */
export function ratiosOf(variants: readonly VariantResult[]): Readonly<Record<string, number>> {
  const ratios: Record<string, number> = {}
  for (const figure of figures) {
    const medians = new Map(variants.map(({ variant, median }) => [variant, median[figure] ?? Number.NaN]))
    const queries = [...medians.keys()]
      .filter((name) => /^q\d+ floe$/.test(name))
      .map((name) => name.split(' ')[0])
    for (const other of ['bare', 'iceberg']) {
      const total = (variant: string): number =>
        queries.reduce((sum, query) => sum + (medians.get(`${query} ${variant}`) ?? Number.NaN), 0)
      keep(`total ${figure} floe / ${other}`, total('floe') / total(other))
      for (const query of queries)
        keep(`${query} ${figure} floe / ${other}`, quotient(`${query} floe`, `${query} ${other}`))
      keep(`first row ${figure} floe / ${other}`, quotient('first row floe', `first row ${other}`))
    }
    for (const name of medians.keys()) {
      if (name.endsWith(' with deletes floe'))
        keep(`${name} / without ${figure}`, quotient(name, name.replace(' with deletes', '')))
    }
    keep(`plan ${figure} floe / pyiceberg`, quotient('plan floe', 'plan pyiceberg'))

    function quotient(left: string, right: string): number {
      return (medians.get(left) ?? Number.NaN) / (medians.get(right) ?? Number.NaN)
    }
  }
  return ratios

  function keep(name: string, ratio: number): void {
    if (!Number.isNaN(ratio)) ratios[name] = ratio
  }
}

/** The result as lines of text: figures of each measurement, totals, and the ratios that are not of single queries. */
export function describeQueryResult({
  variants,
  ratios,
}: {
  readonly variants: readonly VariantResult[]
  readonly ratios: Readonly<Record<string, number>>
}): string {
  const measured = variants.map(({ variant, median }) => {
    const values = Object.entries(median).map(([name, value]) => `${name} ${value.toFixed(3)}`)
    return `${variant.padEnd(40)} ${values.join(', ')}`
  })
  const shown = Object.entries(ratios).map(([name, ratio]) => `${name}: ${ratio.toFixed(3)}`)
  return [...measured, ...shown, ''].join('\n')
}
