import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Runs every static check, all of them even when one fails. Exit code 0 only when none did. */
type Check = { readonly name: string; readonly command: readonly string[]; readonly rejects?: RegExp }

const checks: readonly Check[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  // The boundary rule reads the project graph that this leaves behind.
  { name: 'project graph', command: ['nx', 'graph', '--file=.nx/graph.json'] },
  // Without a graph the rule says so, skips itself and passes: that must not count as a pass.
  {
    name: 'lint and import direction',
    command: ['oxlint', '--deny-warnings'],
    rejects: /The rule will be skipped/,
  },
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'unused code and dependencies', command: ['knip'] },
]

function runCheck({ name, command, rejects }: Check): boolean {
  const started = performance.now()
  const [bin = '', ...args] = command
  const { status, stdout, stderr } = spawnSync(bin, args, {
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
  })
  const output = `${stdout}${stderr}`
  const passed = status === 0 && rejects?.test(output) !== true
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'}  ${name} (${command.join(' ')}), ${seconds} s\n`)
  if (!passed) process.stdout.write(`${output}\n`)
  return passed
}

if (!existsSync('nx.json')) throw new Error('run this from the top of the checkout: npm run check')
const results = checks.map(runCheck)
process.exitCode = results.every(Boolean) ? 0 : 1
