import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** The interop lane: other engines against Floe. Needs Python 3, Go, Java 17 and Maven; a missing one fails the lane and says so. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['tools/conformance/src/**/*.interop.ts'],
    globalSetup: ['tools/conformance/src/interop-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})

export default config
