import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { installOnce, peerFolder, run } from './peer-folder.ts'
import { startS3Process } from './s3-process.ts'
import type { S3Server } from './s3-process.ts'

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

/** A real S3 server on a free port with one empty bucket; its data lives in a temporary folder until it is disposed. */
export async function startS3Server(bucket = 'lake'): Promise<S3Server> {
  await installS3Server()
  return startS3Process(bucket, {
    binary,
    uploadFolder: (bucket) => path.join(bucket, '.sgwtmp', 'multipart'),
    args: (port, region, folder) => {
      // A folder of its own: not every temporary file system has extended attributes.
      const attributes = path.join(folder, 'attributes')
      mkdirSync(attributes)
      const posix = ['posix', '--sidecar', attributes, path.join(folder, 'objects')]
      return ['--port', `127.0.0.1:${port}`, '--region', region, '--quiet', ...posix]
    },
    env: (accessKeyId, secretAccessKey) => ({
      ROOT_ACCESS_KEY: accessKeyId,
      ROOT_SECRET_KEY: secretAccessKey,
    }),
  })
}
