import path from 'node:path'
import { copyArtifact } from './java.ts'
import { installOnce, peerFolder } from './peer-folder.ts'
import { installVenv } from './python.ts'

const driverVersion = '42.7.7'
const driverFolder = path.join(peerFolder, `jdbc-${driverVersion}`)

/**
 * PyIceberg with what feeds it from PostgreSQL: DuckDB with its postgres extension, and ConnectorX. Returns the
 * interpreter that has them.
 */
export function installPyIcebergLoaders(): Promise<string> {
  return installVenv('pyiceberg-load', '0.12.0', [
    'pyiceberg[pyarrow]==0.12.0',
    'pyiceberg-core==0.10.1',
    'pyarrow==25.0.1',
    'duckdb==1.5.5',
    'duckdb-extensions==1.5.5',
    'duckdb-extension-postgres-scanner==1.5.5',
    'connectorx==0.4.6',
  ])
}

/** PostgreSQL's JDBC driver from Maven, for Spark. Returns its file. */
export async function installPostgresDriver(): Promise<string> {
  await installOnce('jdbc-postgresql', driverVersion, async () => {
    await copyArtifact(`org.postgresql:postgresql:${driverVersion}`, driverFolder)
  })
  return path.join(driverFolder, `postgresql-${driverVersion}.jar`)
}
