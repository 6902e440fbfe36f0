import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from '@floe/peers'
import { cleanEnvironment } from '../floe-process.ts'

const floe = fileURLToPath(new URL('../../../../apps/cli/bin/floe.cjs', import.meta.url))

/** `floe serve` on a port that stays its own, however often it is killed. */
export class KillableServer implements AsyncDisposable {
  readonly port: number
  readonly #directory: string
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined

  private constructor(port: number, directory: string, flags: readonly string[]) {
    this.port = port
    this.#directory = directory
    this.#flags = flags
  }

  /** `flags` name the catalog and the warehouse. */
  static async start(directory: string, flags: readonly string[]): Promise<KillableServer> {
    const server = new KillableServer(await freePort(), directory, flags)
    await server.restart()
    return server
  }

  /** SIGKILL: nothing of the process runs after it. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** Starts the server again; resolves when it listens. */
  async restart(): Promise<void> {
    const args = [floe, ...this.#flags, 'serve', '--role', 'catalog', '--port', String(this.port)]
    const child = spawn(process.execPath, args, {
      cwd: this.#directory,
      env: cleanEnvironment({}),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.once('close', (code) => reject(new Error(`floe serve ended with exit code ${code}: ${log}`)))
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-4000)
        if (log.includes(' on http://')) resolve()
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
