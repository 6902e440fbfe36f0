import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { FloeError } from '@floe/iceberg'
import type { ServerAccount } from './server-binaries.ts'

/** Characters of the server's log that an error keeps. */
const logTailMax = 4000

export type ServerProcess = { readonly child: ChildProcess; stop(): Promise<void> }

export type ServerLaunch = {
  readonly command: string
  readonly args: readonly string[]
  readonly account: ServerAccount | undefined
  /** Removed when this process ends without `stop`. */
  readonly folderToRemove: string | undefined
}

function spawnAs({ command, args, account }: ServerLaunch): ChildProcess {
  const env = { PATH: process.env['PATH'], TZ: 'UTC', LC_ALL: 'C', LC_MESSAGES: 'C' }
  return spawn(command, args, { ...account, cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs a command to its end. */
export async function runServerTool(launch: ServerLaunch): Promise<void> {
  const child = spawnAs(launch)
  const log = keepLogTail(child)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0
        ? resolve()
        : reject(new FloeError('internal', `${launch.command} ended with ${code}: ${log()}`)),
    )
  })
}

/** Starts the server and waits until it takes connections. */
export async function startServerProcess(launch: ServerLaunch): Promise<ServerProcess> {
  const child = spawnAs(launch)
  const log = keepLogTail(child)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new FloeError('unavailable', `PostgreSQL did not start: ${log()}`)))
    child.stderr?.on('data', () => {
      if (log().includes('ready to accept connections')) resolve()
    })
  })
  const unhook = killOnExit(child, launch.folderToRemove)
  return {
    child,
    stop: async () => {
      // SIGINT is the fast shutdown: sessions are ended, files are left clean.
      await endChild(child, 'SIGINT')
      unhook()
    },
  }
}

function keepLogTail(child: ChildProcess): () => string {
  let tail = ''
  const keep = (chunk: Buffer): void => {
    tail = (tail + chunk.toString('utf8')).slice(-logTailMax)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => tail
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.kill(signal)
  })
}

const fatalSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The server is a process of its own: without this it would outlive a test run that is stopped from outside. */
function killOnExit(child: ChildProcess, folderToRemove: string | undefined): () => void {
  const onExit = (): void => {
    child.kill(folderToRemove === undefined ? 'SIGINT' : 'SIGQUIT')
    if (folderToRemove !== undefined) rmSync(folderToRemove, { recursive: true, force: true, maxRetries: 5 })
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    unhook()
    onExit()
    process.kill(process.pid, signal)
  }
  const unhook = (): void => {
    process.off('exit', onExit)
    for (const signal of fatalSignals) process.off(signal, onSignal)
  }
  process.on('exit', onExit)
  for (const signal of fatalSignals) process.on(signal, onSignal)
  return unhook
}
