import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyArtifact } from './java.ts'
import { startLineProcess } from './line-process.ts'
import { installOnce, peerFolder } from './peer-folder.ts'
import { installVenv } from './python.ts'

const sparkVersion = '3.5.9'
const icebergVersion = '1.12.0'
/** The folder of Iceberg's jars for Spark, once it is installed. */
export const sparkJars: string = path.join(peerFolder, `spark-jars-${icebergVersion}`)
const script = fileURLToPath(new URL('../python/spark_session.py', import.meta.url))

/** Spark from PyPI and Iceberg's runtime for it from Maven. Returns the interpreter that has it. */
export async function installSpark(): Promise<string> {
  const python = await installVenv('spark', sparkVersion, [`pyspark==${sparkVersion}`])
  await installOnce('spark-iceberg', icebergVersion, async () => {
    await copyArtifact(`org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:${icebergVersion}`, sparkJars)
    await copyArtifact(`org.apache.iceberg:iceberg-aws-bundle:${icebergVersion}`, sparkJars)
  })
  return python
}

export type PeerRow = Readonly<Record<string, unknown>>

/** A Spark session: one JVM (12 to 25 s to start, about 1 GB) for any number of statements and catalogs. */
export type Spark = AsyncDisposable & {
  /** Makes a REST catalog known by a name, with further properties of the catalog. */
  addCatalog(name: string, uri: string, properties?: Readonly<Record<string, string>>): Promise<void>
  /** Runs one statement. Rejects with Spark's own message. */
  sql(statement: string): Promise<readonly PeerRow[]>
  /** The same with one canonical text a value: bits of floats, hex of bytes, instants in UTC. */
  canonicalRows(statement: string): Promise<readonly PeerRow[]>
}

type Answer = { readonly rows: readonly PeerRow[] } | { readonly error: string }

export async function startSpark(): Promise<Spark> {
  const python = await installSpark()
  // PySpark gives instants in the zone of its process.
  const env = { SPARK_LOCAL_IP: '127.0.0.1', AWS_REGION: 'us-east-1', TZ: 'UTC' }
  const session = startLineProcess(python, [script, sparkJars], env)
  await session.next()
  const ask = async (request: unknown): Promise<readonly PeerRow[]> => {
    const answer = (await session.ask(request)) as Answer
    if ('error' in answer) throw new Error(answer.error)
    return answer.rows
  }
  return {
    sql: (statement) => ask({ sql: statement }),
    canonicalRows: (statement) => ask({ sql: statement, canonical: true }),
    addCatalog: async (name, uri, properties = {}) => {
      const all = { type: 'rest', uri, 'cache-enabled': 'false', ...properties }
      const prefix = `spark.sql.catalog.${name}`
      const named = Object.entries(all).map(([key, value]) => [`${prefix}.${key}`, value])
      const set = { [prefix]: 'org.apache.iceberg.spark.SparkCatalog', ...Object.fromEntries(named) }
      await ask({ set })
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
