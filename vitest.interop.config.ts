import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** What every change is held by; `FLOE_INTEROP=full` adds the lanes that need larger peers. */
const core = [
  'all-types',
  'duckdb-writes',
  'equivalence',
  'httpfs',
  'loads-to-s3',
  'object-store',
  'pyiceberg-writes',
  'rck',
  'remote-files',
  's3-faults',
  'services',
]
const lanes = process.env['FLOE_INTEROP'] === 'full' ? ['*'] : core

/** The interop lane: other engines against Floe. Needs Python 3, Go, Java 17 and Maven; a missing one fails the lane and says so. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: lanes.map((lane) => `tools/conformance/src/**/${lane}.interop.ts`),
    globalSetup: ['tools/conformance/src/interop-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})

export default config
