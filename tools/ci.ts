import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Runs the static checks and both test lanes, all of them even when one fails, and counts. */
type Counts = { readonly passed: number; readonly failed: number }

const folder = mkdtempSync(path.join(tmpdir(), 'floe-ci-'))

function runCheck(): Counts {
  const { status } = spawnSync(process.execPath, ['tools/check.ts'], { stdio: 'inherit' })
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function runLane(name: string, args: readonly string[]): Counts {
  process.stdout.write(`\n== ${name}\n`)
  const report = path.join(folder, `${name}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const vitest = path.resolve('node_modules/vitest/vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...args, ...reporters], { stdio: 'inherit' })
  const counts = readCounts(report)
  // A lane that dies, or whose files do not even load, has failed whatever it counted.
  return status !== 0 && counts.failed === 0 ? { passed: counts.passed, failed: 1 } : counts
}

function readCounts(report: string): Counts {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<
      string,
      number
    >
    return { passed: numPassedTests ?? 0, failed: numFailedTests ?? 0 }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

const results = [
  runCheck(),
  runLane('npm test', []),
  runLane('npm run test:interop', ['--config', 'vitest.interop.config.ts']),
]
rmSync(folder, { recursive: true, force: true })
const passed = results.reduce((sum, counts) => sum + counts.passed, 0)
const failed = results.reduce((sum, counts) => sum + counts.failed, 0)
process.exitCode = failed === 0 ? 0 : 1
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
