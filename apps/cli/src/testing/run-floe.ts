import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const floeBin: string = fileURLToPath(new URL('../../bin/floe.cjs', import.meta.url))
export const checkout: string = fileURLToPath(new URL('../../../..', import.meta.url))

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export type RunOptions = {
  /** Where the command runs: its lakehouse is the folder's `.floe`. */
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** The Node that starts the command; the one of the tests when absent. */
  readonly node?: string
  /** A process group of its own, as a terminal gives one. */
  readonly detached?: boolean
  /** Called with everything that is on stderr so far. */
  readonly onStderr?: (text: string, child: ChildProcess) => void
  /** The same of stdout. */
  readonly onStdout?: (text: string, child: ChildProcess) => void
}

/** The real command as a child process. */
export async function runFloe(args: readonly string[], options: RunOptions): Promise<Finished> {
  const { cwd, env, node = process.execPath, detached = false, onStderr, onStdout } = options
  const child = spawn(node, [floeBin, ...args], {
    cwd,
    detached,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    onStdout?.(stdout, child)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onStderr?.(stderr, child)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout, stderr }
}

/** Settings of whoever runs the tests are not those of the tests. */
export function cleanEnvironment(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FLOE_')))
}

/** Every Node on the path, the one of the tests first. */
export function installedNodes(): readonly string[] {
  const found = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'node'))
  const nodes = [process.execPath, ...found]
    .filter((file) => existsSync(file))
    .map((file) => realpathSync(file))
  return [...new Set(nodes)]
}
