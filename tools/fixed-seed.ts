import { configureGlobal } from 'fast-check'

/** Properties draw the same cases in every run; `FLOE_TEST_SEED` draws others. A failure prints its seed and its path. */
configureGlobal({ seed: Number(process.env['FLOE_TEST_SEED'] ?? '20260214') })
