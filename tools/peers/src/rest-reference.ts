import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { javaHint, jdkCommand } from './java.ts'
import { installOnce, peerFolder, run } from './peer-folder.ts'
import { freePort } from './s3-process.ts'
import { dataFolder, startServerProcess } from './server-process.ts'

/** The newest release whose server is published. */
const version = '1.11.0'
const folder = path.join(peerFolder, `iceberg-rest-reference-${version}`)
const jetty = '12.1.8'

/** `group:name:version[:classifier]` of the server, of what it runs on, and of the drivers of its databases. */
const coordinates: readonly string[] = [
  `org.apache.iceberg:iceberg-open-api:${version}:test-fixtures`,
  `org.apache.iceberg:iceberg-core:${version}`,
  `org.apache.iceberg:iceberg-core:${version}:tests`,
  'org.apache.hadoop:hadoop-client-api:3.4.3',
  'org.apache.hadoop:hadoop-client-runtime:3.4.3',
  `org.eclipse.jetty.ee10:jetty-ee10-servlet:${jetty}`,
  `org.eclipse.jetty.compression:jetty-compression-server:${jetty}`,
  `org.eclipse.jetty.compression:jetty-compression-gzip:${jetty}`,
  'org.xerial:sqlite-jdbc:3.53.0.0',
  'org.postgresql:postgresql:42.7.7',
  `org.apache.iceberg:iceberg-aws:${version}`,
  `org.apache.iceberg:iceberg-aws-bundle:${version}`,
  'org.slf4j:slf4j-simple:2.0.17',
]

/** Apache Iceberg's reference REST catalog from Maven. */
export async function installRestReference(): Promise<void> {
  await installOnce('rest-reference', `${version}-aws`, async () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'pom.xml'), pom())
    const copy = [
      '--quiet',
      '--batch-mode',
      '--file',
      path.join(folder, 'pom.xml'),
      'dependency:copy-dependencies',
    ]
    await run('mvn', [...copy, `-DoutputDirectory=${path.join(folder, 'lib')}`], javaHint)
  })
}

function pom(): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, name, number, classifier] = coordinate.split(':')
    const more = classifier === undefined ? '' : `<classifier>${classifier}</classifier>`
    // What its own pom asks for is partly not published.
    const exclusions =
      name === 'iceberg-open-api'
        ? '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
        : ''
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${number}</version>${more}${exclusions}</dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>floe</groupId><artifactId>iceberg-rest-reference</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>\n`
}

/** A running REST catalog; its tables and its database live in a temporary folder until it is disposed. */
export type PeerCatalog = AsyncDisposable & {
  /** What `/v1/config` is below. */
  readonly uri: string
  readonly pid: number
  readonly version: string
}

export type RestReference = PeerCatalog & {
  /** Location of its warehouse. */
  readonly warehouse: string
  /** Its SQLite file, when it is on one. */
  readonly database: string | undefined
}

type PostgresTarget = { readonly jdbcUrl: string; readonly user: string; readonly password: string }

export type RestReferenceOptions = {
  /** Its database; SQLite when there is none. */
  readonly postgres?: PostgresTarget
  /** Its own `CATALOG_*` variables, such as a warehouse in S3. */
  readonly settings?: Readonly<Record<string, string>>
}

/** The reference server on a free port; its warehouse is a folder of local files unless the settings say otherwise. */
export async function startRestReference({
  postgres,
  settings = {},
}: RestReferenceOptions = {}): Promise<RestReference> {
  await installRestReference()
  const data = dataFolder('rest-reference')
  const warehouse = settings['CATALOG_WAREHOUSE'] ?? pathToFileURL(path.join(data, 'warehouse')).href
  const database = postgres === undefined ? path.join(data, 'catalog.db') : undefined
  const port = await freePort()
  const uri = `http://127.0.0.1:${port}`
  const server = await startServerProcess({
    name: 'the reference REST catalog',
    command: jdkCommand('java'),
    args: [
      '-Xmx1g',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      path.join(folder, 'lib', '*'),
      'org.apache.iceberg.rest.RESTCatalogServer',
    ],
    env: {
      CATALOG_REST_PORT: String(port),
      CATALOG_WAREHOUSE: warehouse,
      CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
      // Without it tables are made in namespaces that do not exist.
      CATALOG_JDBC_STRICT__MODE: 'true',
      CATALOG_URI: postgres?.jdbcUrl ?? `jdbc:sqlite:${database}`,
      CATALOG_JDBC_USER: postgres?.user ?? 'user',
      CATALOG_JDBC_PASSWORD: postgres?.password ?? 'password',
      ...settings,
    },
    probe: `${uri}/v1/config`,
    folder: data,
  })
  return {
    uri,
    pid: server.pid,
    version,
    warehouse,
    database,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
