import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** The long run of the history checker: 200 kills for each store of the catalog. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['tools/conformance/src/history/history.test.ts'],
    env: { FLOE_TEST_HISTORY_KILLS: '200' },
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 120_000,
  },
})

export default config
