import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { FloeError } from '@floe/iceberg'
import type { ServerAccount } from './server-binaries.ts'

/** Characters of the server's log that an error keeps. */
const logTailMax = 4000
const exitWaitMsMax = 3000
const exitWaitStepMs = 20

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
    if (folderToRemove === undefined) return
    waitForUnlock(folderToRemove)
    rmSync(folderToRemove, { recursive: true, force: true, maxRetries: 5 })
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

/** An exit handler cannot await: it sleeps until the server, on its way out, removes its lock. */
function waitForUnlock(folder: string): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  const lock = path.join(folder, 'postmaster.pid')
  for (let waitedMs = 0; existsSync(lock) && waitedMs < exitWaitMsMax; waitedMs += exitWaitStepMs) {
    Atomics.wait(sleeper, 0, 0, exitWaitStepMs)
  }
}
