import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyArtifact, javaHint, jdkCommand } from './java.ts'
import { installOnce, peerFolder, run } from './peer-folder.ts'

const version = '1.11.0'
const jetty = '12.1.8'
const folder = path.join(peerFolder, `iceberg-java-${version}`)
const sources = fileURLToPath(new URL('../java/', import.meta.url))

/** `group:name:version[:classifier]`. The newest release of Iceberg whose kit is published. */
const coordinates: readonly string[] = [
  `org.apache.iceberg:iceberg-open-api:${version}:tests`,
  `org.apache.iceberg:iceberg-open-api:${version}:test-fixtures`,
  `org.apache.iceberg:iceberg-core:${version}:tests`,
  `org.apache.iceberg:iceberg-api:${version}:tests`,
  `org.apache.iceberg:iceberg-core:${version}`,
  `org.apache.iceberg:iceberg-parquet:${version}`,
  'org.apache.hadoop:hadoop-client-api:3.4.3',
  'org.apache.hadoop:hadoop-client-runtime:3.4.3',
  `org.eclipse.jetty.ee10:jetty-ee10-servlet:${jetty}`,
  `org.eclipse.jetty.compression:jetty-compression-server:${jetty}`,
  `org.eclipse.jetty.compression:jetty-compression-gzip:${jetty}`,
  'org.slf4j:slf4j-simple:2.0.17',
  'org.junit.jupiter:junit-jupiter:5.14.4',
  'org.junit.platform:junit-platform-suite-engine:1.14.4',
  'org.junit.platform:junit-platform-console:1.14.4',
  'org.assertj:assertj-core:3.27.7',
  'org.awaitility:awaitility:4.3.0',
  'org.mockito:mockito-core:4.11.0',
]

/** Of the kit, once it is installed. */
export const icebergClassPath: string = path.join(folder, 'lib', '*')

/** The Iceberg REST Compatibility Kit from Maven, and Floe's two classes for it, compiled. */
export async function installIcebergKit(): Promise<void> {
  await installOnce('iceberg-kit', version, async () => {
    mkdirSync(folder, { recursive: true })
    cpSync(sources, path.join(folder, 'sources'), { recursive: true })
    writeFileSync(path.join(folder, 'pom.xml'), pom())
    const copy = [
      '--quiet',
      '--batch-mode',
      '--file',
      path.join(folder, 'pom.xml'),
      'dependency:copy-dependencies',
    ]
    await run('mvn', [...copy, `-DoutputDirectory=${path.join(folder, 'lib')}`], javaHint)
    const classes = path.join(folder, 'classes')
    const services = path.join(classes, 'META-INF', 'services')
    mkdirSync(services, { recursive: true })
    writeFileSync(
      path.join(services, 'org.junit.jupiter.api.extension.Extension'),
      'floe.EmptyCatalogExtension\n',
    )
    const files = readdirSync(path.join(folder, 'sources', 'floe')).map((name) =>
      path.join(folder, 'sources', 'floe', name),
    )
    await run(
      jdkCommand('javac'),
      ['-nowarn', '-cp', path.join(folder, 'lib', '*'), '-d', classes, ...files],
      javaHint,
    )
  })
}

function pom(): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, name, number, classifier] = coordinate.split(':')
    const more = classifier === undefined ? '' : `<classifier>${classifier}</classifier>`
    // What the kit's own pom asks for is partly not published.
    const exclusions =
      name === 'iceberg-open-api'
        ? '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
        : ''
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${number}</version>${more}${exclusions}</dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>floe</groupId><artifactId>iceberg-kit</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>\n`
}

/** What the kit's client needs for tables on S3. */
async function installS3ForKit(): Promise<void> {
  await installOnce('iceberg-kit-s3', version, async () => {
    const names = ['iceberg-aws', 'iceberg-aws-bundle'].map((name) => `org.apache.iceberg:${name}:${version}`)
    for (const artifact of [...names, 'dev.failsafe:failsafe:3.3.2'])
      await copyArtifact(artifact, path.join(folder, 'lib'))
  })
}

export type KitClass = 'catalog' | 'views' | 'extended'

const classNames: Readonly<Record<KitClass, string>> = {
  catalog: 'org.apache.iceberg.rest.RESTCompatibilityKitCatalogTests',
  views: 'org.apache.iceberg.rest.RESTCompatibilityKitViewCatalogTests',
  extended: 'floe.ExtendedCatalogTests',
}

export type KitResult = {
  readonly passed: number
  readonly skipped: number
  /** Name and first line of the message of each test that failed. */
  readonly failed: readonly string[]
}

export type KitOptions = {
  /** Properties of the kit's client, such as keys of an S3 store. */
  readonly properties?: Readonly<Record<string, string>>
  /** The name of a test that cannot run. */
  readonly excluded?: string
}

/** Runs one class of the kit against the catalog at `uri`, which is emptied before each test. */
export async function runIcebergKit(
  kitClass: KitClass,
  uri: string,
  options: KitOptions = {},
): Promise<KitResult> {
  await installIcebergKit()
  if (options.properties?.['s3.access-key-id'] !== undefined) await installS3ForKit()
  const reports = mkdtempSync(path.join(tmpdir(), 'floe-kit-'))
  try {
    const log = await runConsole(kitClass, uri, reports, options)
    const files = readdirSync(reports).filter((name) => name.startsWith('TEST-'))
    const cases = files.flatMap((name) =>
      readFileSync(path.join(reports, name), 'utf8').split('<testcase ').slice(1),
    )
    if (cases.length === 0) throw new Error(`no test of the compatibility kit ran: ${log}`)
    const failed = cases.filter((text) => failure.test(text))
    const skipped = cases.filter((text) => text.includes('<skipped'))
    return {
      passed: cases.length - failed.length - skipped.length,
      skipped: skipped.length,
      failed: failed.map((text) => `${/name="([^"]*)"/.exec(text)?.[1]}: ${failure.exec(text)?.[1] ?? ''}`),
    }
  } finally {
    rmSync(reports, { recursive: true, force: true })
  }
}

const failure = /<(?:failure|error)(?: message="([^"]{0,300}))?/

/** Resolves with the end of the console's output, whether tests failed or not: the reports say so. */
async function runConsole(
  kitClass: KitClass,
  uri: string,
  reports: string,
  options: KitOptions,
): Promise<string> {
  const properties = {
    'junit.jupiter.extensions.autodetection.enabled': 'true',
    'org.slf4j.simpleLogger.defaultLogLevel': 'error',
    'rck.local': 'false',
    // Both forms are read, by different parts of the kit.
    'rck.requires-namespace-create': 'true',
    'requires-namespace-create': 'true',
    uri,
    ...options.properties,
    ...Object.fromEntries(
      Object.entries(options.properties ?? {}).map(([key, value]) => [`rck.${key}`, value]),
    ),
  }
  const args = [
    ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
    '-Xmx1g',
    '-cp',
    [path.join(folder, 'classes'), path.join(folder, 'lib', '*')].join(path.delimiter),
    'org.junit.platform.console.ConsoleLauncher',
    'execute',
    '--disable-banner',
    '--details=none',
    '--include-classname=.*',
    ...(options.excluded === undefined ? [] : [`--exclude-methodname=.*${options.excluded}.*`]),
    `--reports-dir=${reports}`,
    `--select-class=${classNames[kitClass]}`,
  ]
  const child = spawn(jdkCommand('java'), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
  await new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`cannot run java: ${javaHint}`, { cause })))
    child.once('close', resolve)
  })
  return log
}
