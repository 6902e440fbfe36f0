import { installDuckDb, installDuckDbExtensions } from '@floe/peers'
import type { LoadSource, LoadVariant } from './load-variant.ts'
import { pythonScript } from './python-script.ts'
import { restTable } from './rest-table.ts'
import type { RestLake } from './rest-lake.ts'

/** DuckDB with its postgres extension, into one local Parquet file. */
export async function duckDbParquetVariant(
  { url, table, workers }: LoadSource,
  codec: 'zstd' | 'snappy',
): Promise<LoadVariant> {
  const python = await installDuckDb()
  const extensions = await installDuckDbExtensions(['postgres_scanner'])
  return ({ folder }) => {
    const file = `${folder}/table.parquet`
    const request = { url, table, threads: workers, extensions, codec, file }
    return {
      command: python,
      args: [pythonScript('load_duckdb_parquet'), JSON.stringify(request)],
      written: () => Promise.resolve([`file://${file}`]),
    }
  }
}

/** DuckDB with its postgres and iceberg extensions, into a table of a REST catalog. */
export async function duckDbIcebergVariant(
  { url, table, workers }: LoadSource,
  lake: RestLake,
): Promise<LoadVariant> {
  const python = await installDuckDb()
  const extensions = await installDuckDbExtensions(['avro', 'httpfs', 'iceberg', 'postgres_scanner'])
  return ({ name }) => {
    const target = restTable(lake, name, table)
    const request = { url, table, threads: workers, extensions, ...target.request }
    return {
      command: python,
      args: [pythonScript('load_duckdb_iceberg'), JSON.stringify(request)],
      written: target.written,
    }
  }
}
