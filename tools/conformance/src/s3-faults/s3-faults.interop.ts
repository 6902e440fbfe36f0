import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { LoadReport } from '@floe/etl'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import { isMinioInstalled, startMinio, startS3Server } from '@floe/peers'
import type { S3Server } from '@floe/peers'
import { seededRandom, startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isFullLane } from '../lane.ts'
import { drawWeather, weatherFaults } from './planned-weather.ts'
import { startS3FaultProxy } from './s3-fault-proxy.ts'
import type { S3FaultProxy } from './s3-fault-proxy.ts'

/** Loads to an S3 server behind a proxy that fails: each ends complete, or leaves nothing and says why. */
const loads = Number(process.env['FLOE_TEST_S3_LOADS'] ?? (isFullLane ? '150' : '20'))
const seed = Number(process.env['FLOE_TEST_SEED'] ?? '20260214')
const timeoutPerLoadMs = 60_000
/** The smallest that S3 takes: with rows that do not compress, every file has several. */
const partBytes = 5 * 1024 * 1024
const rowsAtFirst = 24_000
const rowsPerChange = 12_000
/** Then the table is made anew, so that it stays small. */
const roundsPerTable = 4

type Kind = 'create' | 'append' | 'replace' | 'incremental' | 'partitioned'
const kinds: readonly Kind[] = ['create', 'append', 'replace', 'incremental', 'partitioned']
const creating: ReadonlySet<Kind> = new Set(['create', 'partitioned'])
/** What a load may fail with when its store does. */
const failures: readonly string[] = ['unavailable', 'commit-state-unknown']

/** 512 bytes that no codec makes smaller. */
const noise = Array.from({ length: 8 }, (_, index) => `sha512(concat_ws(':', i, v, ${index})::bytea)`).join(
  ' || ',
)

const open = new AsyncDisposableStack()
let postgres: TestPostgres
let folder: string
let s3: S3Server
let proxy: S3FaultProxy
let direct: Lakehouse
let loading: Lakehouse

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-s3-faults-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  postgres = open.use(await startPostgres())
  await postgres.query(`CREATE SCHEMA storm;
    CREATE FUNCTION storm.noise(i int, v int) RETURNS bytea LANGUAGE sql AS $$ SELECT ${noise} $$`)
  s3 = open.use(isFullLane || isMinioInstalled() ? await startMinio() : await startS3Server())
  proxy = open.use(await startS3FaultProxy(s3.endpoint))
  direct = open.use(openLakehouse(s3.endpoint))
  loading = open.use(openLakehouse(proxy.endpoint))
})
afterAll(() => open.disposeAsync())

/** One catalog, seen through one or the other endpoint. */
function openLakehouse(endpoint: string): Lakehouse {
  const variables = {
    FLOE_WAREHOUSE: `s3://${s3.bucket}/warehouse`,
    FLOE_S3_ENDPOINT: endpoint,
    FLOE_S3_REGION: s3.region,
    FLOE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    FLOE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
  const settings = readSettings({}, variables, folder, 2)
  return new Lakehouse({ ...settings, store: { ...settings.store, partBytes } })
}

const identifier = (kind: Kind) => ({ namespace: ['lake'], name: kind })

async function makeSource(kind: Kind): Promise<void> {
  const catalog = await direct.catalog()
  await catalog.dropTable(identifier(kind), { purge: true }).catch(() => undefined)
  await postgres.query(`DROP TABLE IF EXISTS storm.${kind};
    CREATE TABLE storm.${kind} (id int PRIMARY KEY, n int NOT NULL, v int NOT NULL, noise bytea NOT NULL);
    INSERT INTO storm.${kind} SELECT i, 0, 0, storm.noise(i, 0) FROM generate_series(1, ${rowsAtFirst}) i`)
}

/** What the next load will find: other rows for an append, else new rows, changed ones and, where it sees them, fewer. */
async function changeSource(kind: Kind, round: number): Promise<void> {
  const rowsFrom = (first: number, count: number): string =>
    `INSERT INTO storm.${kind} SELECT i, ${round}, 0, storm.noise(i, 0) FROM generate_series(${first}, ${first + count - 1}) i`
  if (kind === 'append') {
    await postgres.query(`TRUNCATE storm.append; ${rowsFrom(round * rowsAtFirst, rowsAtFirst)}`)
    return
  }
  const remove = kind === 'replace' ? 'DELETE FROM storm.replace WHERE id % 5 = 0;' : ''
  await postgres.query(`${remove}
    UPDATE storm.${kind} SET v = v + 1, n = ${round}, noise = storm.noise(id, v + 1) WHERE id % 7 = ${round % 7};
    ${rowsFrom(rowsAtFirst + round * rowsPerChange + 1, rowsPerChange)}`)
}

async function runLoad(kind: Kind): Promise<LoadReport> {
  const isNew = (await currentMetadata(kind)) === undefined
  return loading.load({
    sourceUrl: postgres.url,
    tables: [`storm.${kind}`],
    namespace: ['lake'],
    mode: kind === 'partitioned' || (kind === 'append' && isNew) ? 'create' : kind,
    ...(kind === 'incremental' ? { cursor: { column: 'n' } } : {}),
    ...(kind === 'partitioned' ? { partitionBy: 'bucket(2, id)' } : {}),
  })
}

async function sourceRows(kind: Kind): Promise<readonly string[]> {
  const rows = await postgres.query<{ row: string }>(
    `SELECT concat(id, ':', n, ':', v, ':', md5(noise)) AS row FROM storm.${kind}`,
  )
  return rows.map(({ row }) => row)
}

/** `undefined` when there is no such table. */
async function lakeRows(kind: Kind): Promise<readonly string[] | undefined> {
  if ((await currentMetadata(kind)) === undefined) return undefined
  const result = await direct.query(`SELECT concat(id, ':', n, ':', v, ':', md5(noise)) FROM lake.${kind}`)
  const rows: string[] = []
  for await (const batch of result.rows()) rows.push(...batch.map(String))
  await result.close()
  return rows.toSorted()
}

async function currentMetadata(kind: Kind): Promise<string | undefined> {
  const catalog = await direct.catalog()
  const namespaces = await catalog.listNamespaces()
  if (namespaces.length === 0) return undefined
  if (!(await catalog.listTables(['lake'])).some(({ name }) => name === kind)) return undefined
  return (await catalog.loadTable(identifier(kind))).metadataLocation
}

async function objects(): Promise<readonly string[]> {
  const found = await Array.fromAsync(direct.store.list(`s3://${s3.bucket}/`))
  return found.map(({ location }) => location).toSorted()
}

/** Keys and rows after a load, by what it has reported. */
function expectedRows(kind: Kind, before: readonly string[], source: readonly string[]): readonly string[] {
  return (kind === 'append' ? [...before, ...source] : source).toSorted()
}

async function expectNoLeftovers(kind: Kind, where: string): Promise<void> {
  expect(s3.unfinishedUploads(), where).toEqual([])
  if ((await currentMetadata(kind)) === undefined) return
  const request = { identifier: identifier(kind), olderThanMs: -60_000, dryRun: true }
  expect((await direct.removeOrphans(request)).orphans, where).toEqual([])
}

describe(`loads to S3 under faults (seed ${seed})`, () => {
  const outcomes = { loaded: 0, failed: 0, faults: 0, uploads: 0 }

  const load = async (kind: Kind, fault: S3FaultProxy['fault'], where: string): Promise<boolean> => {
    const [rowsBefore, metadataBefore, objectsBefore] = [
      await lakeRows(kind),
      await currentMetadata(kind),
      await objects(),
    ]
    const source = await sourceRows(kind)
    proxy.fault = (call) => {
      const befalling = fault(call)
      if (befalling !== undefined) outcomes.faults++
      if (call.operation === 'CompleteMultipartUpload') outcomes.uploads++
      return befalling
    }
    const { tables } = await runLoad(kind)
    proxy.fault = () => undefined
    const [result] = tables
    if (result?.status === 'failed') {
      expect(failures, `${where}: ${JSON.stringify(result.error)}`).toContain(result.error.code)
      expect(result.error.hint, where).toBeDefined()
      expect(await currentMetadata(kind), where).toBe(metadataBefore)
      expect(await lakeRows(kind), where).toEqual(rowsBefore)
      expect(await objects(), where).toEqual(objectsBefore)
    } else expect(await lakeRows(kind), where).toEqual(expectedRows(kind, rowsBefore ?? [], source))
    await expectNoLeftovers(kind, where)
    return result?.status === 'loaded'
  }

  for (let number = 0; number < loads; number++) {
    const kind = kinds[number % kinds.length] as Kind
    const round = Math.floor(number / kinds.length)
    it(
      `${number}: ${kind} ends complete or clean`,
      async () => {
        if (round % roundsPerTable === 0 || creating.has(kind)) await makeSource(kind)
        if (!creating.has(kind)) await changeSource(kind, round)
        const random = seededRandom(seed + number)
        const weather = drawWeather(random)
        const where = `load ${number}: ${JSON.stringify(weather)}`
        const isLoaded = await load(kind, weatherFaults(weather, random), where)
        outcomes[isLoaded ? 'loaded' : 'failed']++
        if (!isLoaded) expect(await load(kind, () => undefined, `${where}, and again`), where).toBe(true)
      },
      timeoutPerLoadMs,
    )
  }

  it('have met faults and used multipart uploads, and have ended in both ways', () => {
    expect(Math.min(...Object.values(outcomes)), JSON.stringify(outcomes)).toBeGreaterThan(0)
  })
})
