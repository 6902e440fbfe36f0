import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** `npm test`: every test that npm alone can run. The interop lane has a configuration of its own. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['{apps,libs,tools}/*/src/**/*.test.ts', 'benchmarks/src/**/*.test.ts'],
    setupFiles: ['tools/fixed-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})

export default config
