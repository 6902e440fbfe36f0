import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Catalog } from '@floe/catalog'
import { openPool, taskAt } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { FloeError } from '@floe/iceberg'
import type { StoreSettings } from '@floe/storage'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IllLoadInput, Illness } from '../fixtures/ill-load.task.ts'
import type { LoadTaskProgress, LoadTaskResult } from '../load-task.ts'
import { load } from '../load.ts'
import type { LoadRequest, LoadRunComponents } from '../load.ts'
import type { LoadReport, TableFailure, TableLoad } from '../load-report.ts'
import { openTestLake } from './test-lake.ts'
import type { TestLake } from './test-lake.ts'

/** Where the loads of one test go. */
export type LoadPlace = AsyncDisposable & {
  /** Location of the warehouse; nothing lies below it at first. */
  readonly warehouse: string
  readonly storeSettings: StoreSettings
  /** Data files below the warehouse, and whatever uploads have left that were neither completed nor aborted. */
  dataFiles(): Promise<readonly string[]>
}

let postgres: TestPostgres & AsyncDisposable
let pool: Pool
let place: LoadPlace
let lake: TestLake
let catalog: Catalog
let components: LoadRunComponents

/** What a load keeps wherever its table lies, as tests; every kind of store runs it. */
export function describeLoads(name: string, openPlace: () => Promise<LoadPlace>): void {
  describe(`a load to ${name}`, () => {
    let folder: string
    beforeAll(async () => {
      postgres = await startPostgres()
      pool = openPool({ workers: 2 })
    })
    afterAll(async () => {
      await pool.close()
      await postgres.stop()
    })
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'floe-loads-'))
      place = await openPlace()
      lake = await openTestLake(path.join(folder, 'catalog.db'), pool, place)
      components = lake.components
      catalog = components.catalog
      await postgres.query('DROP SCHEMA IF EXISTS shop CASCADE')
      await postgres.query('CREATE SCHEMA shop')
    })
    afterEach(async () => {
      await lake[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    })
    describe('to one table', tablesAndModes)
    describe('beside others', manyAtOnce)
    describe('that is refused or stopped', refusals)
    describe('with little memory', memory)
    describe('of a table with a comment', comments)
    describe('that cannot end well', deathsOfThreads)
    describe('whose commit has no known outcome', unknownOutcomes)
  })
}

function request(changes: Partial<LoadRequest> = {}): LoadRequest {
  return {
    sourceUrl: postgres.url,
    tables: ['shop.*'],
    namespace: ['lake'],
    mode: 'create',
    workers: 2,
    ...changes,
  }
}

function loaded({ tables }: LoadReport): TableLoad {
  const [table] = tables
  if (table?.status !== 'loaded')
    throw new Error(
      `not loaded: ${JSON.stringify(table, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`,
    )
  return table
}

function failed({ tables }: LoadReport): TableFailure {
  const [table] = tables
  if (table?.status !== 'failed') throw new Error('the load did not fail')
  return table
}

async function tableExists(name: string): Promise<boolean> {
  return (await catalog.listTables(['lake'])).some((table) => table.name === name)
}

const illLoadTask = taskAt<IllLoadInput, LoadTaskResult, LoadTaskProgress>(
  new URL('../fixtures/ill-load.task.ts', import.meta.url),
)

/** The threads of a pool, with an illness that befalls every load on them. */
function illPool(healthy: Pool, illness: Illness): Pool {
  const run = (_: unknown, load: IllLoadInput['load'], options: object): Promise<unknown> =>
    healthy.run(illLoadTask, { load, illness }, options)
  return {
    workers: healthy.workers,
    start: (task) => healthy.start(task),
    run: run as Pool['run'],
    close: () => healthy.close(),
    [Symbol.asyncDispose]: () => healthy.close(),
  }
}

async function currentRows(name: string): Promise<string | undefined> {
  const { metadata } = await catalog.loadTable({ namespace: ['lake'], name })
  return metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)?.summary?.[
    'total-records'
  ]
}

const orders = `CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text, price numeric(10,2), at timestamptz NOT NULL);
  INSERT INTO shop.orders SELECT i, 'note ' || i % 7, i / 4.0, timestamptz '2024-01-01' + i * interval '1 hour'
  FROM generate_series(1, 20000) i`

function tablesAndModes(): void {
  it('makes the table with every row in one snapshot', async () => {
    await postgres.query(orders)
    const result = loaded(await load(request(), components))
    expect(result).toMatchObject({ rows: 20_000, table: 'lake.orders', method: 'copy', schemaChanges: [] })
    expect(await currentRows('orders')).toBe('20000')
    expect(await place.dataFiles()).toHaveLength(result.files)
  })

  it('loads a table without rows as a table with a snapshot', async () => {
    await postgres.query('CREATE TABLE shop.empty (id int)')
    expect(loaded(await load(request(), components)).files).toBe(0)
    expect(await currentRows('empty')).toBe('0')
  })

  it('refuses to create a table that exists', async () => {
    await postgres.query(orders)
    await load(request(), components)
    expect(failed(await load(request(), components)).error).toMatchObject({ code: 'already-exists' })
  })

  it('appends, with a column that the source has gained and one that it has renamed', async () => {
    await postgres.query(orders)
    await load(request(), components)
    await postgres.query(
      'ALTER TABLE shop.orders RENAME note TO remark; ALTER TABLE shop.orders ADD COLUMN tags text[]',
    )
    const result = loaded(await load(request({ mode: 'append' }), components))
    expect(result.schemaChanges).toEqual([
      { kind: 'rename', column: 'note', to: 'remark' },
      { kind: 'add', column: 'tags' },
    ])
    expect(await currentRows('orders')).toBe('40000')
    const { metadata } = await catalog.loadTable({ namespace: ['lake'], name: 'orders' })
    expect(metadata.snapshots).toHaveLength(2)
    expect(metadata.snapshots.map(({ schemaId }) => schemaId)).toEqual([0, 1])
  })

  it('replaces every row in one snapshot, and drops the columns that are gone', async () => {
    await postgres.query(orders)
    await load(request(), components)
    await postgres.query('DELETE FROM shop.orders WHERE id > 5; ALTER TABLE shop.orders DROP COLUMN note')
    loaded(await load(request({ mode: 'replace' }), components))
    expect(await currentRows('orders')).toBe('5')
    const { metadata } = await catalog.loadTable({ namespace: ['lake'], name: 'orders' })
    const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)
    expect(schema?.fields.map(({ name }) => name)).toEqual(['id', 'price', 'at'])
    expect(metadata.snapshots.at(-1)?.summary).toMatchObject({
      operation: 'overwrite',
      'deleted-records': '20000',
    })
  })

  it('writes each partition into files of its own', async () => {
    await postgres.query(orders)
    loaded(await load(request({ partitionBy: 'month(at), bucket(2, id)' }), components))
    const partitions = new Set(
      (await place.dataFiles()).map((file) => path.dirname(file).split('/').slice(-2).join('/')),
    )
    // 20,000 hours after 1 January 2024 touch 28 months.
    expect(partitions.size).toBe(56)
    expect([...partitions].toSorted()[0]).toBe('at_month=2024-01/id_bucket=0')
    expect(await currentRows('orders')).toBe('20000')
  })
}

function manyAtOnce(): void {
  it('loads the other tables when one of them cannot be', async () => {
    await postgres.query(
      `${orders}; CREATE TABLE shop.bad (x numeric(4,2)); INSERT INTO shop.bad VALUES ('NaN')`,
    )
    const { tables } = await load(request(), components)
    expect(new Map(tables.map(({ table, status }) => [table, status]))).toEqual(
      new Map([
        ['lake.bad', 'failed'],
        ['lake.orders', 'loaded'],
      ]),
    )
  })

  it('commits both of two loads that append at the same time', async () => {
    await postgres.query(orders)
    await load(request(), components)
    const both = await Promise.all(
      [1, 2].map(() => load(request({ mode: 'append', workers: 1 }), components)),
    )
    for (const report of both) loaded(report)
    expect(await currentRows('orders')).toBe('60000')
    const { metadata } = await catalog.loadTable({ namespace: ['lake'], name: 'orders' })
    expect(metadata.snapshots).toHaveLength(3)
  })

  it('reads the source at one instant while it is being changed', async () => {
    await postgres.query(orders)
    const onProgress: NonNullable<LoadRunComponents['onProgress']> = ({ kind }) => {
      if (kind === 'table-started') void postgres.query('DELETE FROM shop.orders')
    }
    expect(loaded(await load(request(), { ...components, onProgress })).rows).toBe(20_000)
  })

  it('gives the same rows by COPY and by cursor', async () => {
    await postgres.query(orders)
    loaded(await load(request({ namespace: ['a'] }), components))
    const cursor = loaded(await load(request({ namespace: ['b'], method: 'cursor' }), components))
    expect(cursor).toMatchObject({ rows: 20_000, method: 'cursor' })
  })
}

function refusals(): void {
  it('says that a source table does not exist', async () => {
    await expect(load(request({ tables: ['shop.nothing'] }), components)).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('leaves no file and no table behind when a value cannot be held', async () => {
    await postgres.query(`${orders}; UPDATE shop.orders SET at = 'infinity' WHERE id = 19999`)
    const { error } = failed(await load(request(), components))
    expect(error.message).toContain('at')
    expect(error.hint).toBeDefined()
    expect(await place.dataFiles()).toEqual([])
    await expect(catalog.loadTable({ namespace: ['lake'], name: 'orders' })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('takes a value that cannot be held as the policy of its column says, and counts it', async () => {
    await postgres.query(`${orders}; UPDATE shop.orders SET at = 'infinity' WHERE id = 19999`)
    const policies = {
      columns: { 'shop.orders.at': { infinity: 'clamp' }, 'shop.other.x': { nan: 'null' } },
    } as const
    const result = loaded(await load(request({ policies }), components))
    expect(result.stats.touched).toEqual({ 'at: infinity -> clamp': 1 })
  })

  it('stops when told to, with the old snapshot and no file of its own left', async () => {
    await postgres.query(orders)
    await load(request(), components)
    const before = await place.dataFiles()
    const stop = new AbortController()
    const onProgress: NonNullable<LoadRunComponents['onProgress']> = ({ kind }) => {
      if (kind === 'table-started') stop.abort()
    }
    const report = await load(request({ mode: 'append' }), { ...components, signal: stop.signal, onProgress })
    expect(failed(report).error.code).toBe('cancelled')
    expect(await place.dataFiles()).toEqual(before)
    expect(await currentRows('orders')).toBe('20000')
  })

  it('plans without leaving anything behind', async () => {
    await postgres.query(orders)
    const { tables } = await load(request({ dryRun: true, partitionBy: 'day(at)' }), components)
    expect(tables[0]).toMatchObject({ status: 'planned', table: 'lake.orders', partitionedBy: 'at_day: day' })
    expect(await catalog.listNamespaces()).toEqual([])
  })

  it('refuses a transform that does not fit its column', async () => {
    await postgres.query(orders)
    const { error } = failed(await load(request({ partitionBy: 'day(note)' }), components))
    expect(error).toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('note') as unknown,
    })
  })
}

function memory(): void {
  it('holds a wide table within the memory that it is given', async () => {
    const columns = Array.from({ length: 150 }, (_, index) => `md5((i * ${index + 1})::text) AS c${index}`)
    await postgres.query(
      `CREATE TABLE shop.wide AS SELECT i AS id, ${columns.join(', ')} FROM generate_series(1, 2000) i`,
    )
    const memoryBytes = 56 * 1024 * 1024
    const small = loaded(await load(request({ namespace: ['a'], memoryBytes }), components))
    expect(small).toMatchObject({ rows: 2000, workers: 1 })
    expect(small.stats.heldBytesMax).toBeGreaterThan(0)
    expect(small.stats.heldBytesMax).toBeLessThanOrEqual(memoryBytes)
    const free = loaded(await load(request({ namespace: ['b'], workers: 1 }), components))
    expect(free.stats.heldBytesMax).toBeGreaterThan(memoryBytes)
    const { error } = failed(await load(request({ namespace: ['c'], memoryBytes: 1000 }), components))
    expect(error.code).toBe('invalid-input')
  })
}

function comments(): void {
  const commentOf = async (): Promise<string | undefined> =>
    (await catalog.loadTable({ namespace: ['lake'], name: 'orders' })).metadata.properties['comment']

  it('becomes the property comment, follows each load, and stays when the source drops it', async () => {
    await postgres.query(`${orders}; COMMENT ON TABLE shop.orders IS 'what was bought'`)
    loaded(await load(request(), components))
    expect(await commentOf()).toBe('what was bought')
    await postgres.query(`COMMENT ON TABLE shop.orders IS 'what was sold'`)
    loaded(await load(request({ mode: 'append' }), components))
    expect(await commentOf()).toBe('what was sold')
    await postgres.query(`COMMENT ON TABLE shop.orders IS 'both'`)
    loaded(await load(request({ mode: 'replace' }), components))
    expect(await commentOf()).toBe('both')
    await postgres.query('COMMENT ON TABLE shop.orders IS NULL')
    loaded(await load(request({ mode: 'append' }), components))
    expect(await commentOf()).toBe('both')
  })

  it('is absent when the source has none, and gives way to one that the load was given', async () => {
    await postgres.query(orders)
    loaded(await load(request(), components))
    expect(await commentOf()).toBeUndefined()
    await postgres.query(`COMMENT ON TABLE shop.orders IS 'of the source'`)
    loaded(await load(request({ mode: 'append', properties: { comment: 'given' } }), components))
    expect(await commentOf()).toBe('given')
  })
}

function deathsOfThreads(): void {
  const limits = { batchRowsMax: 500 }
  const deaths = [
    { illness: 'exit', code: 'internal', message: 'ended', hint: 'load again' },
    { illness: 'fill-heap', code: 'resource-exhausted', message: 'heap', hint: 'heapMaxMb' },
  ] as const

  it.each(deaths)(
    'leaves nothing when a thread dies by $illness, and the pool loads on',
    async ({ illness, code, message, hint }) => {
      await postgres.query(orders)
      await using healthy = openPool({ workers: 2, heapMaxMb: 128 })
      const report = await load(request({ limits }), { ...components, pool: illPool(healthy, illness) })
      const { error } = failed(report)
      expect(error.code).toBe(code)
      expect(error.message).toContain(message)
      expect(error.hint).toContain(hint)
      expect(await place.dataFiles()).toEqual([])
      expect(await tableExists('orders')).toBe(false)
      expect(loaded(await load(request(), { ...components, pool: healthy })).rows).toBe(20_000)
    },
  )

  it('leaves the table as it was when a thread dies in an append', async () => {
    await postgres.query(orders)
    await load(request(), components)
    const before = await place.dataFiles()
    await using healthy = openPool({ workers: 2 })
    failed(await load(request({ mode: 'append', limits }), { ...components, pool: illPool(healthy, 'exit') }))
    expect(await place.dataFiles()).toEqual(before)
    expect(await currentRows('orders')).toBe('20000')
  })

  it('leaves no file that a thread opened after it was told to stop', async () => {
    await postgres.query(orders)
    const stop = new AbortController()
    const onProgress: NonNullable<LoadRunComponents['onProgress']> = ({ kind }) => {
      if (kind === 'table-progress') stop.abort()
    }
    // One file for each batch: many are opened after the signal.
    const properties = { 'write.target-file-size-bytes': '1' }
    const run = { ...components, pool: illPool(pool, 'deaf'), signal: stop.signal, onProgress }
    expect(failed(await load(request({ limits, properties }), run)).error.code).toBe('cancelled')
    expect(await place.dataFiles()).toEqual([])
    expect(await tableExists('orders')).toBe(false)
  })
}

function unknownOutcomes(): void {
  it('keeps its files when it is stopped while the outcome of its commit is unknown', async () => {
    await postgres.query(orders)
    const stop = new AbortController()
    const [commitTable, loadTable] = [catalog.commitTable.bind(catalog), catalog.loadTable.bind(catalog)]
    const unreachable = new FloeError('unavailable', 'the catalog does not answer')
    // The commit happens, its answer is lost, and the catalog cannot be asked whether it did.
    Object.assign(catalog, {
      commitTable: async (...call: Parameters<Catalog['commitTable']>) => {
        await commitTable(...call)
        stop.abort()
        catalog.loadTable = () => Promise.reject(unreachable)
        throw new FloeError('commit-state-unknown', 'the answer was lost')
      },
    })
    const report = await load(request({ properties: { 'commit.status-check.num-retries': '0' } }), {
      ...components,
      signal: stop.signal,
    })
    expect(failed(report).error.code).toBe('commit-state-unknown')
    expect(failed(report).error.hint).toContain('before loading again')
    catalog.loadTable = loadTable
    expect(await currentRows('orders')).toBe('20000')
    expect(await place.dataFiles()).not.toEqual([])
  })
}
