import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { run } from './peer-folder.ts'

const hint = 'install pgbench (the package postgresql-contrib, or postgresql of Debian)'
const clients = 4
/** Longer than any test: it is stopped. */
const secondsMax = 3600

/** Debian keeps the programs of each version in a folder of its own; the newest, or whatever the path has. */
function findPgbench(): string {
  const found = globSync('/usr/lib/postgresql/*/bin/pgbench')
  return found.toSorted((left, right) => versionOf(left) - versionOf(right)).at(-1) ?? 'pgbench'
}

function versionOf(file: string): number {
  return Number(/postgresql\/(\d+)/.exec(file)?.[1] ?? 0)
}

/** Makes the tables of TPC-B: 100,000 accounts. */
export async function initPgbench(url: string): Promise<void> {
  await run(findPgbench(), ['--initialize', '--quiet', '--scale=1', url], hint)
}

/** Runs TPC-B in several sessions until `stop`. */
export function startPgbench(url: string): { stop(): Promise<void> } {
  const args = [`--client=${clients}`, '--no-vacuum', `--time=${secondsMax}`, url]
  const child = spawn(findPgbench(), args, { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  return {
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
