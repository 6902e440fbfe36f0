import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from '@floe/peers'

const floe = fileURLToPath(new URL('../../../apps/cli/bin/floe.cjs', import.meta.url))

export type FloeResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Environment of a process that finds no settings but those given. */
export function cleanEnvironment(settings: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(FLOE_|AWS_)/.test(name))
  return { ...(Object.fromEntries(inherited) as Record<string, string>), ...settings }
}

/** Runs `floe` to its end in `directory`; `kill` ends it as nothing can be caught. */
export async function runFloe(
  args: readonly string[],
  directory: string,
  settings: Readonly<Record<string, string>> = {},
  kill?: AbortSignal,
): Promise<FloeResult> {
  const child = spawn(process.execPath, [floe, ...args], { cwd: directory, env: cleanEnvironment(settings) })
  kill?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}

/** The same, for commands that must succeed: gives stdout. */
export async function floeOutput(
  args: readonly string[],
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await runFloe(args, directory, settings)
  if (code !== 0) throw new Error(`floe ${args.join(' ')} ended with exit code ${code}:\n${stderr}`)
  return stdout
}

export type FloeServer = AsyncDisposable & { readonly url: string; readonly pid: number }

/** `floe serve` as a process of its own on a free port, up when this resolves. */
export async function startFloeServer(
  role: string,
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<FloeServer> {
  const port = await freePort()
  const args = [floe, 'serve', '--role', role, '--port', String(port)]
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env: cleanEnvironment(settings),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  const url = `http://127.0.0.1:${port}`
  await new Promise<void>((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`floe serve ended with exit code ${code}: ${log}`)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
      if (log.includes(` on http://`)) resolve()
    })
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    await ended
  }
  return { url, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop }
}
