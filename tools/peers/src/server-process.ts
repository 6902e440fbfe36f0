import type { ChildProcess } from 'node:child_process'

/** How long a server may take to answer for the first time: a JVM on a busy machine. */
const startMsMax = 120_000
const pauseMs = 100

/** Resolves when the server answers, with what stops it. Throws with the end of its output when it does not come up. */
export async function startServer(
  name: string,
  url: string,
  child: ChildProcess,
): Promise<() => Promise<void>> {
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)))
  const failure = Promise.withResolvers<never>()
  child.once('error', (cause) => failure.reject(new Error(`cannot start ${name}`, { cause })))
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    await ended
  }
  const started = performance.now()
  while (performance.now() - started < startMsMax) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${log}`)
    const answer = fetch(url).then(
      () => true,
      () => false,
    )
    if (await Promise.race([answer, failure.promise])) return stop
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await stop()
  throw new Error(`${name} on ${url} does not answer: ${log}`)
}
