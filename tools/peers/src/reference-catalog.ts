import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { icebergClassPath, installIcebergKit, jdkCommand } from './iceberg-java.ts'
import { freePort } from './s3-server.ts'
import { startServer } from './server-process.ts'

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
  await installIcebergKit()
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-reference-'))
  // It shares a taken port in silence (SO_REUSEPORT): two would answer by turns.
  const port = await freePort()
  const warehouse = settings['CATALOG_WAREHOUSE'] ?? `file://${folder}/warehouse`
  const child = spawn(
    jdkCommand('java'),
    ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', icebergClassPath, server],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        CATALOG_REST_PORT: String(port),
        CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
        CATALOG_URI: `jdbc:sqlite:${folder}/catalog.db`,
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
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const server = 'org.apache.iceberg.rest.RESTCatalogServer'
