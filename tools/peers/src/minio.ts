import { existsSync } from 'node:fs'
import path from 'node:path'
import { installOnce, peerFolder, run } from './peer-folder.ts'
import { startS3Process } from './s3-process.ts'
import type { S3Server } from './s3-process.ts'

/** The newest version that the Go module proxy gives. */
const version = 'v0.0.0-20260212201848-7aac2a2c5b7c'
const binary = path.join(peerFolder, 'bin', 'minio')

/** MinIO, built by Go: 5 to 7 minutes on two cores. The S3 server here that has STS (AssumeRole). */
export async function installMinio(): Promise<void> {
  await installOnce('minio', version, () =>
    run(
      'go',
      ['install', '-ldflags', '-s -w', `github.com/minio/minio@${version}`],
      'install Go 1.24 or newer (https://go.dev/dl)',
      { GOBIN: path.dirname(binary), CGO_ENABLED: '0' },
    ),
  )
}

/** Whether MinIO has been built: the build is too long for a lane that would run one or two cases against it. */
export function isMinioInstalled(): boolean {
  return existsSync(path.join(peerFolder, `.installed-minio-${version}`))
}

/**
 * MinIO on a free port with one empty bucket; its data lives in a temporary folder until it is disposed.
 * STS answers at the same endpoint, and lets the keys given here assume any role.
 */
export async function startMinio(bucket = 'lake'): Promise<S3Server> {
  await installMinio()
  return startS3Process(bucket, {
    binary,
    uploadFolder: () => path.join('.minio.sys', 'multipart'),
    args: (port, _region, folder) => {
      const address = ['--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0']
      return ['server', path.join(folder, 'objects'), ...address, '--quiet']
    },
    env: (accessKeyId, secretAccessKey, region) => ({
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
      MINIO_REGION: region,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CALLHOME_ENABLE: 'off',
    }),
  })
}
