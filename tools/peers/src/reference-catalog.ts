import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { icebergClassPath, icebergVersion, installIcebergKit, jdkCommand } from './iceberg-java.ts'
import { installOnce, peerFolder, run } from './peer-folder.ts'
import { freePort } from './s3-server.ts'
import { startServer } from './server-process.ts'

/** What the server needs beside the jars of the compatibility kit: its database, and S3. */
const coordinates: readonly string[] = [
  'org.xerial:sqlite-jdbc:3.53.0.0',
  `org.apache.iceberg:iceberg-aws:${icebergVersion}`,
  `org.apache.iceberg:iceberg-aws-bundle:${icebergVersion}`,
  'dev.failsafe:failsafe:3.3.2',
]
const folder = path.join(peerFolder, `iceberg-reference-${icebergVersion}`)

/** Apache's reference REST catalog, from Maven. */
export async function installReferenceCatalog(): Promise<void> {
  await installIcebergKit()
  await installOnce('iceberg-reference', icebergVersion, async () => {
    for (const artifact of coordinates) {
      const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy'
      const options = [
        '--quiet',
        '--batch-mode',
        copy,
        `-Dartifact=${artifact}`,
        `-DoutputDirectory=${folder}`,
      ]
      await run('mvn', options, 'install a JDK 17 and Maven')
    }
  })
}

export type ReferenceCatalog = AsyncDisposable & {
  readonly url: string
  /** Location of its tables. */
  readonly warehouse: string
}

/**
 * Apache's reference REST catalog, from the jars of the compatibility kit, over SQLite and a folder of its own.
 * `settings` are its `CATALOG_*` variables.
 */
export async function startReferenceCatalog(
  settings: Readonly<Record<string, string>> = {},
): Promise<ReferenceCatalog> {
  await installReferenceCatalog()
  const state = mkdtempSync(path.join(tmpdir(), 'floe-reference-'))
  // It shares a taken port in silence (SO_REUSEPORT): two would answer by turns.
  const port = await freePort()
  const warehouse = settings['CATALOG_WAREHOUSE'] ?? `file://${state}/warehouse`
  const child = spawn(
    jdkCommand('java'),
    ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath, server],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        CATALOG_REST_PORT: String(port),
        CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
        CATALOG_URI: `jdbc:sqlite:${state}/catalog.db`,
        CATALOG_JDBC_USER: 'user',
        CATALOG_JDBC_PASSWORD: 'password',
        CATALOG_JDBC_STRICT__MODE: 'true',
        ...settings,
        CATALOG_WAREHOUSE: warehouse,
      },
    },
  )
  const url = `http://127.0.0.1:${port}`
  const stop = await startServer('the reference catalog', `${url}/v1/config`, child)
  return {
    url,
    warehouse,
    [Symbol.asyncDispose]: async () => {
      await stop()
      rmSync(state, { recursive: true, force: true })
    },
  }
}

const classPath = [icebergClassPath, path.join(folder, '*')].join(path.delimiter)
const server = 'org.apache.iceberg.rest.RESTCatalogServer'
