import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** Where peers are installed: `FLOE_PEERS`, or a cache folder that every checkout of one user shares. */
export const peerFolder: string = process.env['FLOE_PEERS'] ?? path.join(homedir(), '.cache', 'floe-peers')

/** Runs a command to its end with its output on stderr. Throws with `hint` when it is missing or fails. */
export async function run(
  command: string,
  args: readonly string[],
  hint: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 2, 2], env: { ...process.env, ...env } })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`cannot run ${command}: ${hint}`, { cause })))
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with exit code ${code}: ${hint}`)
}

/** Installs once per version: a mark is left when `install` has come to its end. */
export async function installOnce(
  name: string,
  version: string,
  install: () => Promise<void>,
): Promise<void> {
  mkdirSync(peerFolder, { recursive: true })
  const mark = path.join(peerFolder, `.installed-${name}-${version}`)
  if (existsSync(mark)) return
  process.stderr.write(`peers: installing ${name} ${version} into ${peerFolder}\n`)
  const started = performance.now()
  await install()
  writeFileSync(mark, '')
  process.stderr.write(`peers: ${name} took ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
}
