import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

type ServerProcess = AsyncDisposable & { readonly pid: number }

type ServerProgram = {
  /** What messages call it. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Answers below 500 when the server is up. */
  readonly probe: string
  /** Removed when the server has ended. */
  readonly folder: string
}

/** How often a server that starts is asked whether it is up, and how many times: busy machines start Java slowly. */
const probeIntervalMs = 100
const probesMax = 3000
/** End of what a server has printed, for the message when it does not come up. */
const logCharsMax = 4000

/** Starts a server whose data is in a temporary folder. Resolves when it answers, within five minutes. */
export async function startServerProcess(program: ServerProgram): Promise<ServerProcess> {
  const { name, command, args, env = {}, probe, folder } = program
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let log = ''
  let ended: string | undefined
  child.once('error', (error) => (ended = error.message))
  child.once('close', (code, signal) => (ended ??= `exit code ${code ?? signal}`))
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-logCharsMax)))
  const stop = async (): Promise<void> => {
    if (ended === undefined) {
      const closed = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await closed
    }
    rmSync(folder, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < probesMax && ended === undefined; attempt++) {
    const isUp = await fetch(probe).then(
      ({ status }) => status < 500,
      () => false,
    )
    if (isUp) return { pid: child.pid ?? 0, [Symbol.asyncDispose]: stop }
    await new Promise((resolve) => setTimeout(resolve, probeIntervalMs))
  }
  const problem = ended === undefined ? 'does not answer' : `ended (${ended})`
  await stop()
  throw new Error(`${name} ${problem}: ${log}`)
}

/** A new temporary folder for the data of a server. */
export function dataFolder(name: string): string {
  return mkdtempSync(path.join(tmpdir(), `floe-${name}-`))
}
