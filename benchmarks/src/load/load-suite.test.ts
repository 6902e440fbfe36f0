import { expect, it } from 'vitest'
import { standardVariants } from './variant-list.ts'
import { runLoadSuite } from './load-suite.ts'
import { chooseWorkload } from './workload.ts'

it('measures every variant that npm alone can run, and counts what each has written', async () => {
  const { variants, ratios, workload } = await runLoadSuite({
    workload: chooseWorkload('null', 0.001),
    workers: 2,
    runs: 1,
    variants: standardVariants.npm,
    command: 'test',
    log: () => {},
  })
  expect(workload).toBe('null-0.001')
  expect(variants.map(({ variant }) => variant)).toEqual(standardVariants.npm)
  for (const { variant, median } of variants) {
    expect(median['rows'], variant).toBe(2000)
    expect(median['seconds'], variant).toBeGreaterThan(0)
    expect(median['cpuSeconds'], variant).toBeGreaterThan(median['loaderCpuSeconds'] ?? Number.NaN)
    expect(median['peakMemoryBytes'], variant).toBeGreaterThan(10_000_000)
    const writes = variant === 'copy' || variant === 'cursor'
    expect((median['bytesWritten'] ?? 0) > 0, variant).toBe(writes)
  }
  expect(Object.keys(ratios)).toEqual([
    'copy wall / raw drain',
    'null-encoder wall / copy wall',
    'null-store wall / copy wall',
    'null-source wall / copy wall',
    'cursor wall / raw drain',
    'cursor wall / copy wall',
  ])
}, 600_000)
