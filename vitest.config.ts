import { defineConfig, type ViteUserConfig } from "vitest/config"

/**
 * `npm test` runs every test that npm alone can run. The interop lane (tools/conformance) has its own
 * configuration, because it needs Python, Go and a real S3 server.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['{apps,libs}/*/src/**/*.test.ts', 'tools/{demo,peers}/src/**/*.test.ts', 'benchmarks/src/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})

export default config
