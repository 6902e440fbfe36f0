import { installPostgresDriver, installSpark, sparkJars } from '@floe/peers'
import type { LoadSource, LoadVariant } from './load-variant.ts'
import { pythonScript } from './python-script.ts'
import { restTable } from './rest-table.ts'
import type { RestLake } from './rest-lake.ts'

/** Ranges of the key for each core, as Floe's loads have chunks for each worker. */
const rangesPerWorker = 4

/** Spark's JDBC source read in ranges of the key, into a table of a REST catalog. */
export async function sparkVariant(source: LoadSource, lake: RestLake): Promise<LoadVariant> {
  const python = await installSpark()
  const driver = await installPostgresDriver()
  const { url, table, key, keyMin, keyMax, workers } = source
  const { hostname, port, pathname, username, password } = new URL(url)
  const jdbc = { url: `jdbc:postgresql://${hostname}:${port}${pathname}`, user: username, password }
  const ranges = { key, keyMin, keyMax, count: workers * rangesPerWorker }
  return ({ name }) => {
    const target = restTable(lake, name, table)
    const request = { jdbc, table, ranges, cores: workers, jars: sparkJars, driver, ...target.request }
    return {
      command: python,
      args: [pythonScript('load_spark'), JSON.stringify(request)],
      env: { SPARK_LOCAL_IP: '127.0.0.1', AWS_REGION: lake.s3.region, TZ: 'UTC' },
      written: target.written,
    }
  }
}
