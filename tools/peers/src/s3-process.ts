import { spawn } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

export type S3Server = AsyncDisposable & {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly bucket: string
  /** Makes another bucket (3 to 63 characters). */
  createBucket(name: string): void
  /** Multipart uploads that were neither completed nor aborted, as the server keeps them on its disk, whatever it lists. */
  unfinishedUploads(): readonly string[]
}

/** How one S3 server is started over `folder`, whose subfolders of `objects` are its buckets. */
type S3Program = {
  readonly binary: string
  /** Below `objects`: has a folder for each key, which has one for each unfinished upload to it. */
  readonly uploadFolder: (bucket: string) => string
  readonly args: (port: number, region: string, folder: string) => readonly string[]
  readonly env: (
    accessKeyId: string,
    secretAccessKey: string,
    region: string,
  ) => Readonly<Record<string, string>>
}

/** Starts the server on a free port with one empty bucket. Resolves when it answers. */
export async function startS3Process(bucket: string, program: S3Program): Promise<S3Server> {
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-s3-'))
  const createBucket = (name: string): void => {
    mkdirSync(path.join(folder, 'objects', name), { recursive: true })
  }
  createBucket(bucket)
  const port = await freePort()
  const keys = { accessKeyId: 'floe-test', secretAccessKey: 'floe-test-secret', region: 'us-east-1' }
  const child = spawn(program.binary, program.args(port, keys.region, folder), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...program.env(keys.accessKeyId, keys.secretAccessKey, keys.region) },
  })
  let log = ''
  let ended: string | undefined
  child.once('error', (error) => (ended = error.message))
  child.once('close', (code, signal) => (ended ??= `exit code ${code ?? signal}`))
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-2000)))
  const stop = async (): Promise<void> => {
    if (ended === undefined) {
      const closed = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await closed
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const endpoint = `http://127.0.0.1:${port}`
  const problem = await waitUntilUp(endpoint, () => ended)
  if (problem !== undefined) {
    await stop()
    throw new Error(`the S3 server on ${endpoint} ${problem}: ${log}`)
  }
  const uploads = path.join(folder, 'objects', program.uploadFolder(bucket))
  const unfinishedUploads = (): readonly string[] => globSync('*/*', { cwd: uploads })
  return { endpoint, bucket, ...keys, createBucket, unfinishedUploads, [Symbol.asyncDispose]: stop }
}

/** Undefined when the server serves; otherwise what is wrong with it. */
async function waitUntilUp(endpoint: string, ended: () => string | undefined): Promise<string | undefined> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const end = ended()
    if (end !== undefined) return `ended (${end})`
    // A server that is still starting answers 503.
    const isUp = await fetch(endpoint).then(
      ({ status }) => status < 500,
      () => false,
    )
    if (isUp) return undefined
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return 'does not answer'
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      )
    })
  })
}
