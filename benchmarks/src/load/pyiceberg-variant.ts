import { installDuckDbExtensions, installPyIcebergLoaders } from '@floe/peers'
import type { LoadSource, LoadVariant } from './load-variant.ts'
import { pythonScript } from './python-script.ts'
import { restTable } from './rest-table.ts'
import type { RestLake } from './rest-lake.ts'

/** PyIceberg's append of an Arrow table that DuckDB or ConnectorX reads, into a table of a REST catalog. */
export async function pyIcebergVariant(
  source: LoadSource,
  lake: RestLake,
  reader: 'duckdb' | 'connectorx',
): Promise<LoadVariant> {
  const python = await installPyIcebergLoaders()
  const extensions = reader === 'duckdb' ? await installDuckDbExtensions(['postgres_scanner']) : []
  const { url, table, key, workers } = source
  return ({ name }) => {
    const target = restTable(lake, name, table)
    const request = { url, table, key, threads: workers, extensions, reader, ...target.request }
    return {
      command: python,
      args: [pythonScript('load_pyiceberg'), JSON.stringify(request)],
      written: target.written,
    }
  }
}
