import { expect, it } from 'vitest'
import { runCatalogSuite } from './catalog-suite.ts'

it('measures every line of the catalog suite on a server of its own', async () => {
  const { variants, ratios, versions } = await runCatalogSuite({
    servers: ['floe-sqlite'],
    runs: 1,
    seconds: 0.1,
    connections: 2,
    sizes: { snapshots: [10, 30], listedTables: 25, committedTables: 3, changesMax: 6 },
    command: 'test',
    log: () => {},
  })
  const loads = ['load-10-all', 'load-10-refs', 'load-30-all', 'load-30-refs']
  const lines = [...loads, 'create', 'commit-hot', 'commit-many', 'list']
  expect(variants.map(({ variant }) => variant)).toEqual([
    ...lines.map((line) => `${line} floe-sqlite`),
    'memory floe-sqlite',
  ])
  for (const { variant, median } of variants.slice(0, -1)) {
    expect(median['operations'], variant).toBeGreaterThan(0)
    expect(median['p99Ms'], variant).toBeGreaterThanOrEqual(median['p50Ms'] ?? Number.NaN)
  }
  expect(variants.at(-1)?.median['peakMb']).toBeGreaterThan(0)
  expect(Object.keys(ratios)).toEqual(['load-30-refs / load-10-refs p50Ms floe-sqlite'])
  expect(versions).toHaveProperty('floe-sqlite')
}, 300_000)
