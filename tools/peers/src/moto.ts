import path from 'node:path'
import { installVenv } from './python.ts'
import { freePort } from './s3-process.ts'
import { dataFolder, startServerProcess } from './server-process.ts'

const version = '5.2.5'

export type AwsServer = AsyncDisposable & {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
}

/** moto: S3, Glue and STS of AWS, in memory. Returns its command. */
export async function installAwsServer(): Promise<string> {
  const python = await installVenv('moto', version, [`moto[server,s3,glue,sts]==${version}`])
  return path.join(path.dirname(python), 'moto_server')
}

/** An account of AWS with one empty bucket, on a free port; gone when it is disposed. */
export async function startAwsServer(bucket = 'lake'): Promise<AwsServer> {
  const command = await installAwsServer()
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const server = await startServerProcess({
    name: 'moto',
    command,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    probe: endpoint,
    folder: dataFolder('moto'),
  })
  const made = await fetch(`${endpoint}/${bucket}`, { method: 'PUT' })
  if (!made.ok) throw new Error(`moto made no bucket: ${made.status} ${await made.text()}`)
  const keys = { accessKeyId: 'floe-test', secretAccessKey: 'floe-test-secret', region: 'us-east-1' }
  return { endpoint, bucket, ...keys, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
