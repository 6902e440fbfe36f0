import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { installOnce, peerFolder, run } from './peer-folder.ts'

const version = 'v1.8.0'
const binary = path.join(peerFolder, 'bin', 'versitygw')

/** versitygw, an S3 server over a folder, built by Go: half the build time of MinIO, and Apache-licensed. */
export async function installS3Server(): Promise<void> {
  await installOnce('versitygw', version, () =>
    run(
      'go',
      ['install', '-ldflags', '-s -w', `github.com/versity/versitygw/cmd/versitygw@${version}`],
      'install Go 1.24 or newer (https://go.dev/dl)',
      { GOBIN: path.dirname(binary), CGO_ENABLED: '0' },
    ),
  )
}

export type S3Server = AsyncDisposable & {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly bucket: string
}

/** A real S3 server on a free port with one empty bucket; its data lives in a temporary folder until it is disposed. */
export async function startS3Server(bucket = 'lake'): Promise<S3Server> {
  await installS3Server()
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-s3-'))
  const [objects, attributes] = [path.join(folder, 'objects'), path.join(folder, 'attributes')]
  mkdirSync(path.join(objects, bucket), { recursive: true })
  // A folder of its own: not every temporary file system has extended attributes.
  mkdirSync(attributes)
  const port = await freePort()
  const credentials = { accessKeyId: 'floe-test', secretAccessKey: 'floe-test-secret', region: 'us-east-1' }
  const child = spawn(
    binary,
    [
      '--port',
      `127.0.0.1:${port}`,
      '--region',
      credentials.region,
      '--quiet',
      'posix',
      '--sidecar',
      attributes,
      objects,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: credentials.accessKeyId,
        ROOT_SECRET_KEY: credentials.secretAccessKey,
      },
    },
  )
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-2000)))
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('close', resolve))
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const endpoint = `http://127.0.0.1:${port}`
  await waitUntilUp(
    endpoint,
    () => child.exitCode,
    () => log,
  )
  return { endpoint, bucket, ...credentials, [Symbol.asyncDispose]: stop }
}

async function waitUntilUp(
  endpoint: string,
  exitCode: () => number | null,
  log: () => string,
): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (exitCode() !== null) throw new Error(`the S3 server ended with ${exitCode()}: ${log()}`)
    const isUp = await fetch(endpoint).then(
      () => true,
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the S3 server on ${endpoint} does not answer: ${log()}`)
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
