import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { cleanEnvironment, floeBin } from './run-floe.ts'

type Server = AsyncDisposable & { readonly url: string }

/** `floe serve` on a free port, as a process of its own that is up; ended in order when it is disposed of. */
export async function serveFloe(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, [floeBin, 'serve', '--port', '0', ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let log = ''
    child.once('close', (code) => reject(new Error(`floe serve ended with ${code}: ${log}`)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text
      const found = / on (http:\S+)/.exec(log)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    await ended
  }
  return { url, [Symbol.asyncDispose]: stop }
}
