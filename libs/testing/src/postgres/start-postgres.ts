import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client, Pool } from 'pg'
import type { QueryResultRow } from 'pg'
import { FloeError } from '@floe/iceberg'
import { canEnter, findServerAccount, findServerBinaries, makeServerFolder } from './server-binaries.ts'
import type { ServerAccount, ServerBinaries } from './server-binaries.ts'
import { runServerTool, startServerProcess } from './server-process.ts'

export type TestPostgresOptions = {
  /** Where the cluster lives; a temporary folder when absent. */
  readonly dataDirectory?: string
  /** A free one when absent. */
  readonly port?: number
  /** Keeps the cluster after `stop`, and takes an existing one up again. Writes are durable then. Default false. */
  readonly persistent?: boolean
  /** Server settings, such as `wal_level`. */
  readonly settings?: Readonly<Record<string, string>>
}

export type TestSession = {
  query(sql: string): Promise<readonly unknown[]>
  end(): Promise<void>
}

export type TestPostgres = {
  /** Superuser `postgres`, database `postgres`, over TCP on the loopback address. */
  readonly url: string
  readonly port: number
  /** The postmaster's: its backends are its children. */
  readonly pid: number
  /** Where the cluster is: not where asked, when the server's account cannot go there. */
  readonly dataDirectory: string
  query<Row extends QueryResultRow = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
  ): Promise<readonly Row[]>
  /** A session of its own, for transactions that stay open while the test goes on. */
  openSession(): Promise<TestSession>
  /** Ends the server and removes what is temporary. */
  stop(): Promise<void>
}

const user = 'postgres'
const password = 'floe'

/** Fast and forgetful: a temporary cluster never outlives its process. */
const temporarySettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/**
 * A real PostgreSQL 18 from npm, as root or not. Starts in about two seconds.
 * @throws unsupported where the package has no binaries, unavailable when the server does not come up
 */
export async function startPostgres(
  options: TestPostgresOptions = {},
): Promise<TestPostgres & AsyncDisposable> {
  const account = await findServerAccount()
  const binaries = await findServerBinaries(account)
  const persistent = options.persistent ?? false
  const folder = await clusterFolder(options.dataDirectory, account)
  const removed = persistent ? undefined : folder
  try {
    await prepareCluster(folder, binaries, account)
    const port = options.port ?? (await findFreePort())
    const server = await startServerProcess({
      command: binaries.postgres,
      args: serverArguments(folder, port, { ...(persistent ? {} : temporarySettings), ...options.settings }),
      account,
      folderToRemove: removed,
    })
    const url = `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`
    const pool = new Pool({ connectionString: url, max: 4 })
    pool.on('error', () => undefined)
    let stopping: Promise<void> | undefined
    const stop = (): Promise<void> => (stopping ??= stopCluster(pool, () => server.stop(), removed))
    return {
      url,
      port,
      pid: server.child.pid ?? 0,
      dataDirectory: folder,
      query: async <Row extends QueryResultRow>(sql: string, params: readonly unknown[] = []) =>
        (await pool.query<Row>(sql, params.length === 0 ? undefined : [...params])).rows,
      openSession: () => openSession(url),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    if (removed !== undefined) await rm(removed, { recursive: true, force: true })
    throw error
  }
}

async function openSession(url: string): Promise<TestSession> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return { query: async (sql) => (await client.query(sql)).rows as unknown[], end: () => client.end() }
}

async function stopCluster(
  pool: Pool,
  stopServer: () => Promise<void>,
  removed: string | undefined,
): Promise<void> {
  await pool.end()
  await stopServer()
  if (removed !== undefined) await rm(removed, { recursive: true, force: true, maxRetries: 5 })
}

/** The folder asked for; for a server under another account a folder of the same digest where that account may go. */
async function clusterFolder(
  wanted: string | undefined,
  account: ServerAccount | undefined,
): Promise<string> {
  if (wanted === undefined) return temporaryFolder()
  const parent = path.dirname(path.resolve(wanted))
  await mkdir(parent, { recursive: true })
  if (account === undefined || (await canEnter(parent))) return wanted
  const digest = createHash('sha256').update(path.resolve(wanted)).digest('hex').slice(0, 16)
  return path.join(tmpdir(), `floe-postgres-data-${digest}`)
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-postgres-'))
  await chmod(folder, 0o755)
  return folder
}

/** Makes a cluster in `folder`, unless there is one. */
async function prepareCluster(
  folder: string,
  binaries: ServerBinaries,
  account: ServerAccount | undefined,
): Promise<void> {
  await makeServerFolder(folder, account)
  if (existsSync(path.join(folder, 'PG_VERSION'))) {
    await removeStaleLock(folder)
    return
  }
  const passwordFile = `${folder}.password`
  await writeFile(passwordFile, `${password}\n`, { mode: 0o644 })
  try {
    const args = [`--pgdata=${folder}`, `--username=${user}`, `--pwfile=${passwordFile}`]
    const clusterArgs = [
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ]
    await runServerTool({
      command: binaries.initdb,
      args: [...args, ...clusterArgs],
      account,
      folderToRemove: undefined,
    })
  } finally {
    await rm(passwordFile, { force: true })
  }
}

/** A cluster that was killed leaves `postmaster.pid`; its process id may belong to someone else by now. */
async function removeStaleLock(folder: string): Promise<void> {
  const file = path.join(folder, 'postmaster.pid')
  if (!existsSync(file)) return
  const [pid = '', , , port = ''] = (await readFile(file, 'utf8')).split('\n')
  if (isAlive(Number(pid)) && (await isListening(Number(port)))) {
    throw new FloeError('already-exists', `a PostgreSQL server already runs on ${folder}`, {
      hint: `stop process ${pid} or connect to port ${port}`,
    })
  }
  await rm(file, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function isListening(port: number): Promise<boolean> {
  // By connecting, not by trying to listen: an account may be refused a port that nobody uses.
  const probe = connect({ port, host: '127.0.0.1' })
  return new Promise((resolve) => {
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

async function findFreePort(): Promise<number> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

function serverArguments(
  folder: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): readonly string[] {
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  return [
    '-D',
    folder,
    '-p',
    String(port),
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}
