import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { defaultWorkers, Lakehouse, readSettings } from '@floe/lakehouse'
import { startS3Server } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWire } from './counted-wire.ts'
import type { Wire } from './counted-wire.ts'
import { floeOutput, runFloe } from './floe-process.ts'
import { parseRows } from './python.ts'

/** What queries fetch from a real S3 server, counted on the wire, and a cache that processes fill together. */
const columns = 16
const rows = 60_000

const open = new AsyncDisposableStack()
let folder: string
let settings: Readonly<Record<string, string>>
let wire: Wire
let fileBytes = 0
/** A hash of each column, as PostgreSQL has it. */
let hashes: readonly string[]

const column = (at: number): string => `md5((i * 31 + ${at})::text)`

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-remote-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  const s3 = open.use(await startS3Server())
  wire = open.use(await openWire(s3))
  settings = {
    FLOE_CATALOG: `sqlite:${folder}/catalog.db`,
    FLOE_WAREHOUSE: `s3://${s3.bucket}/warehouse`,
    FLOE_S3_ENDPOINT: wire.endpoint,
    FLOE_S3_REGION: s3.region,
    FLOE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    FLOE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    FLOE_S3_PATH_STYLE: 'true',
  }
  await using postgres = await startPostgres()
  const names = Array.from({ length: columns }, (_, at) => `c${at}`)
  await postgres.query(
    `CREATE TABLE wide AS SELECT i AS id, ${names.map((name, at) => `${column(at)} AS ${name}`).join(', ')} FROM generate_series(1, ${rows}) i`,
  )
  const hashed = names.map((name) => `md5(string_agg(${name}, '' ORDER BY id)) AS ${name}`).join(', ')
  const [found] = await postgres.query<Record<string, string>>(`SELECT ${hashed} FROM wide`)
  hashes = names.map((name) => found?.[name] ?? '')
  await using lakehouse = new Lakehouse(readSettings({}, settings, folder, defaultWorkers()))
  await lakehouse.load({ sourceUrl: postgres.url, tables: ['wide'], namespace: ['lake'], mode: 'create' })
  const files = await rowsOf('SELECT sum(file_size_in_bytes)::BIGINT AS bytes FROM lake."wide$files"', 'none')
  fileBytes = Number(files[0]?.['bytes'])
}, 300_000)
afterAll(() => open.disposeAsync())

/** The rows that a process of its own prints, with the cache `cache`. */
async function rowsOf(sql: string, cache: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const own = { ...settings, FLOE_CACHE_DIRECTORY: path.join(folder, cache) }
  return parseRows(await floeOutput(['sql', sql, '--output', 'ndjson'], folder, own))
}

function hashSql(...names: readonly number[]): string {
  const shown = names.map((at) => `md5(string_agg(c${at}, '' ORDER BY id)) AS c${at}`)
  return `SELECT ${shown.join(', ')} FROM lake.wide`
}

function hashesOf(...names: readonly number[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(names.map((at) => [`c${at}`, hashes[at]]))
}

async function received(work: () => Promise<unknown>): Promise<number> {
  const before = wire.received
  await work()
  return wire.received - before
}

/** Manifests, footers, headers of answers, and what lies between two column chunks. */
const overheadBytes = 400_000

describe('a query over files in S3', () => {
  it('fetches the chunks of the columns that it looks at, once', async () => {
    const sql = `SELECT count(DISTINCT c3)::INTEGER AS n FROM lake.wide WHERE c11 >= '0'`
    const share = (fileBytes * 2) / columns
    const first = await received(async () => expect(await rowsOf(sql, 'one')).toEqual([{ n: rows }]))
    expect(first).toBeGreaterThan(share * 0.8)
    expect(first).toBeLessThan(share * 1.1 + overheadBytes)
    const again = await received(async () => expect(await rowsOf(sql, 'one')).toEqual([{ n: rows }]))
    expect(again).toBeLessThan(overheadBytes)
    const count = await received(() => rowsOf('SELECT count(*) FROM lake.wide WHERE c0 IS NOT NULL', 'two'))
    expect(count).toBeLessThan(overheadBytes)
  })

  it('is answered from a cache that several processes fill at once', async () => {
    const chosen = [
      [0, 1],
      [1, 2],
      [2, 15],
      [0, 15],
    ] as const
    const answers = await Promise.all(chosen.map((names) => rowsOf(hashSql(...names), 'shared')))
    expect(answers).toEqual(chosen.map((names) => [hashesOf(...names)]))
    const cached = await received(async () =>
      expect(await rowsOf(hashSql(0, 1, 2, 15), 'shared')).toEqual([hashesOf(0, 1, 2, 15)]),
    )
    expect(cached).toBeLessThan(overheadBytes)
    expect(await readdir(path.join(folder, 'shared', 'in-use'))).toEqual([])
  })

  it('is answered right after another was killed while it filled the cache', async () => {
    const sql = hashSql(4, 5, 6, 7)
    const own = { ...settings, FLOE_CACHE_DIRECTORY: path.join(folder, 'killed') }
    for (const afterBytes of [100_000, 1_000_000, 3_000_000]) {
      const before = wire.received
      const stop = new AbortController()
      const running = runFloe(['sql', sql], folder, own, stop.signal)
      while (wire.received - before < afterBytes) await new Promise((resolve) => setTimeout(resolve, 2))
      stop.abort()
      expect((await running).code).toBe(null)
    }
    expect(await rowsOf(sql, 'killed')).toEqual([hashesOf(4, 5, 6, 7)])
    expect(await rowsOf(hashSql(8), 'killed')).toEqual([hashesOf(8)])
  })

  it('keeps the cache within its bytes', async () => {
    const own = { ...settings, FLOE_CACHE_DIRECTORY: path.join(folder, 'small'), FLOE_CACHE_SIZE: '1MB' }
    const output = await floeOutput(['sql', hashSql(9, 10), '--output', 'ndjson'], folder, own)
    expect(parseRows(output)).toEqual([hashesOf(9, 10)])
    const kept = await readdir(path.join(folder, 'small', 'files'))
    expect(kept.filter((name) => !name.endsWith('.ranges')).length).toBeLessThanOrEqual(1)
  })
})
