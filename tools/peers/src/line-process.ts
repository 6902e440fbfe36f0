import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A process that answers one JSON line for each JSON line it is given, in order. */
export type LineProcess = AsyncDisposable & {
  /** Sends one line; rejects with the end of the process's log when it ends instead of answering. */
  ask(request: unknown): Promise<unknown>
  /** Waits for a line that nobody asked for, as a process prints one when it is ready. */
  next(): Promise<unknown>
}

type Waiting = { readonly resolve: (line: unknown) => void; readonly reject: (error: Error) => void }

/** Bytes of the log that an error carries. */
const logBytesMax = 4000

export function startLineProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): LineProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const waiting: Waiting[] = []
  let log = ''
  let end: Error | undefined
  const finish = (reason: string, cause?: Error): void => {
    end ??= new Error(`${command} ${args.join(' ')} ended (${reason}): ${log}`, { cause })
    for (const { reject } of waiting.splice(0)) reject(end)
  }
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-logBytesMax)))
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  child.once('error', (error) => finish(error.message, error))
  child.once('close', (code, signal) => finish(`exit code ${code ?? signal}`))
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => (end === undefined ? waiting.push({ resolve, reject }) : reject(end)))
  const stop = async (): Promise<void> => {
    if (end !== undefined) return
    const closed = new Promise((resolve) => child.once('close', resolve))
    child.stdin.end()
    await closed
  }
  return {
    next,
    ask: (request) => {
      const answer = next()
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return answer
    },
    [Symbol.asyncDispose]: stop,
  }
}
