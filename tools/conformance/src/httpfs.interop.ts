import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DirectAccess, openSession, prepareDirectFiles, readRows } from '@floe/engine/testing'
import { defaultWorkers, Lakehouse, readSettings } from '@floe/lakehouse'
import { installDuckDbExtensions, startS3Server } from '@floe/peers'
import type { S3Server } from '@floe/peers'
import { openObjectStore } from '@floe/storage'
import type { StoreSettings } from '@floe/storage'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWire } from './counted-wire.ts'
import type { Wire } from './counted-wire.ts'
import { floeOutput } from './floe-process.ts'
import { parseRows } from './python.ts'

/** DuckDB's httpfs against a real S3 server: the answers of the cache, and nothing but the files of the query. */
const columns = 16
const rows = 60_000

const open = new AsyncDisposableStack()
let folder: string
let settings: Readonly<Record<string, string>>
let storeSettings: StoreSettings
let s3: S3Server
let wire: Wire
let extension: string
let files: readonly string[] = []
let fileBytes = 0

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-httpfs-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  extension = (await installDuckDbExtensions(['httpfs']))[0] ?? ''
  s3 = open.use(await startS3Server())
  wire = open.use(await openWire(s3))
  const { region, accessKeyId, secretAccessKey } = s3
  storeSettings = { s3: { endpoint: wire.endpoint, region, accessKeyId, secretAccessKey, pathStyle: true } }
  settings = {
    FLOE_CATALOG: `sqlite:${folder}/catalog.db`,
    FLOE_WAREHOUSE: `s3://${s3.bucket}/ware house`,
    FLOE_S3_ENDPOINT: wire.endpoint,
    FLOE_S3_REGION: region,
    FLOE_S3_ACCESS_KEY_ID: accessKeyId,
    FLOE_S3_SECRET_ACCESS_KEY: secretAccessKey,
    FLOE_S3_PATH_STYLE: 'true',
  }
  await using postgres = await startPostgres()
  const shown = Array.from({ length: columns }, (_, at) => `md5((i * 31 + ${at})::text) AS c${at}`)
  await postgres.query(
    `CREATE TABLE wide AS SELECT i AS id, ${shown.join(', ')} FROM generate_series(1, ${rows}) i`,
  )
  await using lakehouse = new Lakehouse(readSettings({}, settings, folder, defaultWorkers()))
  await lakehouse.load({ sourceUrl: postgres.url, tables: ['wide'], namespace: ['lake'], mode: 'create' })
  const described = await rowsOf('SELECT file_path, file_size_in_bytes FROM lake."wide$files"', 'files')
  files = described.map((row) => String(row['file_path']))
  fileBytes = described.reduce((sum, row) => sum + Number(row['file_size_in_bytes']), 0)
}, 900_000)
afterAll(() => open.disposeAsync())

/** The rows that a process of its own prints. */
async function rowsOf(
  sql: string,
  cache: string,
  more: Readonly<Record<string, string>> = {},
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const own = { ...settings, FLOE_CACHE_DIRECTORY: path.join(folder, cache), ...more }
  return parseRows(await floeOutput(['sql', sql, '--output', 'ndjson'], folder, own))
}

const withHttpfs = (): Readonly<Record<string, string>> => ({ FLOE_DUCKDB_EXTENSIONS: extension })

async function copiesIn(cache: string): Promise<readonly string[]> {
  const directory = path.join(folder, cache, 'files')
  return access(directory).then(
    () => readdir(directory),
    () => [],
  )
}

const queries = [
  'SELECT count(*)::INTEGER AS n, min(c1) AS low, max(c14) AS high FROM lake.wide WHERE id % 7 = 3',
  'SELECT * FROM lake.wide WHERE id BETWEEN 31000 AND 31010 ORDER BY id',
  `SELECT a.id, b.c2 FROM lake.wide AS a JOIN lake.wide AS b ON a.id = b.id + 1 WHERE a.c0 < '01' ORDER BY 1`,
]

describe('a query over S3 with httpfs', () => {
  it.each(queries)('answers as the cache does: %s', async (sql) => {
    const cached = await rowsOf(sql, 'cached')
    expect(cached.length).toBeGreaterThan(0)
    expect(await rowsOf(sql, 'direct', withHttpfs())).toEqual(cached)
    expect(await copiesIn('direct')).toEqual([])
    expect((await copiesIn('cached')).length).toBeGreaterThan(0)
  })

  it('fetches the columns that it looks at, not whole files', async () => {
    const before = wire.received
    const sql = `SELECT count(DISTINCT c3)::INTEGER AS n FROM lake.wide`
    expect(await rowsOf(sql, 'direct', withHttpfs())).toEqual([{ n: rows }])
    const received = wire.received - before
    expect(received).toBeGreaterThan((fileBytes / columns) * 0.8)
    expect(received).toBeLessThan(fileBytes / 3)
  })

  it('finds httpfs in a folder, and does without one that does not load', async () => {
    const [sql = ''] = queries
    const expected = await rowsOf(sql, 'cached')
    const inFolder = { FLOE_DUCKDB_EXTENSIONS: path.dirname(extension) }
    expect(await rowsOf(sql, 'direct', inFolder)).toEqual(expected)
    expect(await copiesIn('direct')).toEqual([])
    const nowhere = { FLOE_DUCKDB_EXTENSIONS: path.join(folder, 'none') }
    expect(await rowsOf(sql, 'fallback', nowhere)).toEqual(expected)
    expect((await copiesIn('fallback')).length).toBeGreaterThan(0)
  })
})

const direct = (given: StoreSettings): DirectAccess =>
  new DirectAccess({ extensions: extension, storeSettings: () => given })

describe('the files that httpfs is given', () => {
  it('are those whose keys are known until the end of the query', async () => {
    const [file = ''] = files
    const { s3: own = {} } = storeSettings
    const count = async (given: StoreSettings): Promise<number> =>
      (await direct(given).filesOf([file], 1_000)).urls.size
    expect(await count({ s3: own })).toBe(1)
    expect(await count({ s3: { ...own, keysExpireAtMs: 1_000 } })).toBe(1)
    expect(await count({ s3: { ...own, keysExpireAtMs: 999 } })).toBe(0)
    expect(await count({ places: [{ prefix: file, s3: own, renewal: 'somebody' }] })).toBe(0)
    expect(await count({ s3: { region: 'us-east-1' } })).toBe(0)
  })

  it('have no pattern in their names, and no other scheme', async () => {
    const names = ['s3://b/a?b', 's3://b/a*', 's3://b/[a]', 's3://b/{a}', '/a', 's3a://b/a']
    const { urls } = await direct(storeSettings).filesOf(names, 0)
    expect([...urls]).toEqual([['s3a://b/a', 's3://b/a']])
  })
})

describe('a file that S3 does not give', () => {
  it.each([
    ['is gone', 'not-found', {}],
    ['is not for these keys', 'permission-denied', { secretAccessKey: 'another' }],
  ])('%s', async (_, code, other) => {
    const file = `s3://${s3.bucket}/gone.parquet`
    const session = await openSession({ memoryMaxMb: 64, threads: 1 })
    try {
      const given = await direct({ s3: { ...storeSettings.s3, ...other } }).filesOf([file], 0)
      await prepareDirectFiles(session.connection, given)
      await session.lock([file])
      const reading = readRows(session.connection, 'FROM read_parquet($1)', [file])
      await expect(reading).rejects.toMatchObject({ code })
    } finally {
      session.close()
    }
  })
})

describe('a locked session with httpfs, should the gate ever let something through', () => {
  it('opens the files of the query, whatever their names are, and no others', async () => {
    await using store = openObjectStore(storeSettings)
    const [source = ''] = files
    const bytes = await store.get(source)
    const named = (name: string): string => `s3://${s3.bucket}/odd/${name}`
    const odd = ['day=2026-01-01/a b.parquet', 'c#d%20e=1&ü+.parquet', "it's.parquet"].map(named)
    const secret = named('day=2026-01-01/secret.parquet')
    for (const name of [...odd, secret]) await store.put(name, bytes)
    const session = await openSession({ memoryMaxMb: 256, threads: 1 })
    try {
      const { connection } = session
      const given = await direct(storeSettings).filesOf(odd, 0)
      await prepareDirectFiles(connection, given)
      await session.lock([...given.urls.values()])
      const read = (from: string): Promise<unknown> =>
        readRows(connection, `SELECT count(*)::INTEGER FROM read_parquet($1)`, [from])
      const [expected] = await readRows(
        connection,
        'SELECT count(*)::INTEGER FROM read_parquet($1)',
        odd.slice(0, 1),
      )
      for (const name of odd) {
        expect(await read(name)).toEqual([expected])
        const seen = 'SELECT DISTINCT file_name FROM parquet_schema($1)'
        expect(await readRows(connection, seen, [name])).toEqual([[name]])
      }
      const [first = ''] = odd
      const refused = [
        secret,
        named('*.parquet'),
        `${first}/../secret.parquet`,
        first.replace('s3:', 's3a:'),
        `${first}?s3_endpoint=other.example`,
        `${wire.endpoint}/${s3.bucket}/odd/it's.parquet`,
        '/etc/passwd',
      ]
      for (const name of refused)
        await expect(read(name)).rejects.toMatchObject({ code: 'permission-denied' })
      const statements = [
        `COPY (SELECT 1) TO '${named('new.parquet')}'`,
        `FROM glob('${named('**')}')`,
        "SET s3_endpoint = 'other.example'",
        'INSTALL postgres',
      ]
      for (const sql of statements) await expect(readRows(connection, sql)).rejects.toThrow()
      const shown = JSON.stringify(await readRows(connection, 'SELECT secret_string FROM duckdb_secrets()'))
      expect(shown).not.toContain(s3.secretAccessKey)
      await expect(readRows(connection, 'FROM duckdb_secrets(redact = false)')).rejects.toThrow()
    } finally {
      session.close()
    }
  })
})
