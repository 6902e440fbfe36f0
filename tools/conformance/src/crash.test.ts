import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Catalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import { openPool, taskAt } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { load, removeOrphans } from '@floe/etl'
import type { LoadReport, LoadRequest } from '@floe/etl'
import type { LoadTaskInput, LoadTaskProgress, LoadTaskResult } from '@floe/etl/testing'
import { FloeError } from '@floe/iceberg'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import { openObjectStore } from '@floe/storage'
import { faultStore, seededRandom, startPostgres } from '@floe/testing'
import type { SeededRandom, TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FaultLoadInput } from './fault-load.task.ts'
import { drawFault, faultPlan } from './planned-fault.ts'
import type { PlannedFault } from './planned-fault.ts'

/** Loads under faults in one run; the long run sets more. */
const crashes = Number(process.env['FLOE_TEST_CRASHES'] ?? '200')
const seed = Number(process.env['FLOE_TEST_SEED'] ?? '20260214')
/** Then the tables are made anew, so that their metadata stays small. */
const crashesPerTable = 25
const timeoutPerCrashMs = 5_000

type Subject = {
  readonly table: string
  readonly settings: Pick<LoadRequest, 'mode' | 'cursor' | 'partitionBy'>
  /** The rows of the source that are in the table when it is up to date. */
  readonly present: string
}

const subjects: readonly Subject[] = [
  { table: 'merged', settings: { mode: 'incremental', cursor: { column: 'n' } }, present: 'true' },
  {
    table: 'versions',
    settings: { mode: 'incremental', cursor: { column: 'xmin' }, partitionBy: 'bucket(2, id)' },
    present: 'true',
  },
  { table: 'replaced', settings: { mode: 'replace' }, present: 'true' },
  {
    table: 'stepped',
    settings: { mode: 'incremental', cursor: { column: 'n', merge: false, commitEveryRows: 20 } },
    present: 'n < (SELECT max(n) FROM sim.stepped)',
  },
]

let postgres: TestPostgres & AsyncDisposable
let folder: string
let pool: Pool
let lakehouse: Lakehouse

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-crash-'))
  postgres = await startPostgres()
  pool = openPool({ workers: 1 })
  lakehouse = new Lakehouse(readSettings({}, {}, folder, 1))
  await postgres.query('CREATE SCHEMA sim')
})
afterAll(async () => {
  await pool.close()
  await lakehouse.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

const faultTask = taskAt<FaultLoadInput, LoadTaskResult, LoadTaskProgress>(
  new URL('./fault-load.task.ts', import.meta.url),
)

/** The same threads, on stores that fail. */
function faultPool(fault: PlannedFault): Pool {
  const run = (_: unknown, input: LoadTaskInput, options: object): Promise<unknown> =>
    pool.run(faultTask, { load: input, fault }, options)
  return {
    workers: 1,
    start: () => {},
    run: run as Pool['run'],
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

type CommitFault = 'none' | 'before' | 'lost' | 'crash'

/** A catalog whose commit fails before its effect, loses its answer, or takes the process with it. */
function faultCatalog(catalog: Catalog, fault: CommitFault): Catalog {
  const commitTable: Catalog['commitTable'] = async (...call) => {
    if (fault === 'before') throw new FloeError('unavailable', 'the commit failed as planned')
    const committed = await catalog.commitTable(...call)
    if (fault === 'none') return committed
    throw new FloeError('commit-state-unknown', 'the answer was lost as planned')
  }
  let commits = 0
  const loadTable: Catalog['loadTable'] = async (...call) => {
    if (fault === 'crash' && commits > 0) throw new FloeError('unavailable', 'the process is gone')
    return catalog.loadTable(...call)
  }
  return {
    listNamespaces: (parent) => catalog.listNamespaces(parent),
    createNamespace: (...call) => catalog.createNamespace(...call),
    loadNamespace: (namespace) => catalog.loadNamespace(namespace),
    updateNamespace: (...call) => catalog.updateNamespace(...call),
    dropNamespace: (namespace) => catalog.dropNamespace(namespace),
    listTables: (namespace) => catalog.listTables(namespace),
    loadTable,
    createTable: (...call) => catalog.createTable(...call),
    stageTable: (...call) => catalog.stageTable(...call),
    commitTable: (...call) => {
      commits++
      return commitTable(...call)
    },
    commitTransaction: (changes) => catalog.commitTransaction(changes),
    dropTable: (...call) => catalog.dropTable(...call),
    renameTable: (...call) => catalog.renameTable(...call),
    registerTable: (...call) => catalog.registerTable(...call),
    unregisterTable: (identifier) => catalog.unregisterTable(identifier),
    listViews: (namespace) => catalog.listViews(namespace),
    loadView: (identifier) => catalog.loadView(identifier),
    createView: (...call) => catalog.createView(...call),
    commitView: (...call) => catalog.commitView(...call),
    dropView: (identifier) => catalog.dropView(identifier),
    renameView: (...call) => catalog.renameView(...call),
    registerView: (...call) => catalog.registerView(...call),
    forRequest: (request) => catalog.forRequest(request),
    close: () => catalog.close(),
  }
}

type Faults = { readonly worker: PlannedFault; readonly main: PlannedFault; readonly commit: CommitFault }

const noFaults: Faults = { worker: { kind: 'none' }, main: { kind: 'none' }, commit: 'none' }

function drawFaults(random: SeededRandom): Faults {
  const commits: readonly CommitFault[] = ['none', 'none', 'none', 'before', 'lost', 'crash']
  const commit = commits[Math.floor(random() * commits.length)] ?? 'none'
  return { worker: drawFault(random), main: drawFault(random), commit }
}

/** One process: its own store, catalog and workers, with what befalls them. */
async function runLoad({ table, settings }: Subject, { worker, main, commit }: Faults): Promise<LoadReport> {
  await using inner = openObjectStore()
  const store = faultStore(inner, faultPlan(main))
  const clock = { now: () => Date.now() }
  const catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: path.join(folder, '.floe', 'catalog.db') },
      warehouse: `file://${folder}/.floe/warehouse`,
      clock,
      uuid: randomUUID,
    },
    { store },
  )
  try {
    return await load(
      { ...settings, sourceUrl: postgres.url, tables: [`sim.${table}`], namespace: ['lake'], workers: 1 },
      {
        catalog: faultCatalog(catalog, commit),
        store,
        storeSettings: () => ({}),
        pool: faultPool(worker),
        clock,
        uuid: randomUUID,
        newSnapshotId: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
        sleep: async () => {},
        cpuUsage: () => 0,
      },
    )
  } finally {
    await catalog.close()
  }
}

async function sourceRows({ table, present }: Subject): Promise<readonly string[]> {
  const rows = await postgres.query<{ row: string }>(
    `SELECT concat(id, ':', v, ':', n) AS row FROM sim.${table} WHERE ${present}`,
  )
  return rows.map(({ row }) => row).toSorted()
}

async function lakeRows({ table }: Subject): Promise<readonly string[]> {
  const catalog = await lakehouse.catalog()
  const namespaces = await catalog.listNamespaces()
  if (!namespaces.some(([name]) => name === 'lake')) return []
  if (!(await catalog.listTables(['lake'])).some(({ name }) => name === table)) return []
  const result = await lakehouse.query(`SELECT concat(id, ':', v, ':', n) FROM lake.${table}`)
  const rows: string[] = []
  for await (const batch of result.rows()) rows.push(...batch.map(String))
  await result.close()
  return rows.toSorted()
}

async function makeSource({ table }: Subject): Promise<void> {
  const catalog = await lakehouse.catalog()
  await catalog.dropTable({ namespace: ['lake'], name: table }, { purge: true }).catch(() => undefined)
  await postgres.query(`DROP TABLE IF EXISTS sim.${table};
    CREATE TABLE sim.${table} (id int PRIMARY KEY, v int NOT NULL, n int NOT NULL); CREATE INDEX ON sim.${table} (n);
    INSERT INTO sim.${table} SELECT i, 0, 0 FROM generate_series(1, 30) i`)
}

/** New rows, and changed ones where the load sees them; the cursor grows, with ties. */
async function changeSource({ table }: Subject, round: number, random: SeededRandom): Promise<void> {
  const count = Math.floor(random() * 40)
  const first = 1000 * (round + 1)
  await postgres.query(
    `INSERT INTO sim.${table} SELECT i, 0, ${round + 1} FROM generate_series(${first}, ${first + count}) i`,
  )
  if (table === 'stepped') return
  await postgres.query(
    `UPDATE sim.${table} SET v = v + 1, n = ${round + 1} WHERE id % 7 = ${Math.floor(random() * 7)}`,
  )
}

/** What dead loads have left is not reachable, and nothing else goes. */
async function removeLeftovers({ table }: Subject): Promise<void> {
  const catalog = await lakehouse.catalog()
  const clock = { now: () => Date.now() }
  const request = { identifier: { namespace: ['lake'], name: table }, olderThanMs: -60_000 }
  await removeOrphans(request, { catalog, store: lakehouse.store, clock })
  expect((await removeOrphans(request, { catalog, store: lakehouse.store, clock })).orphans).toEqual([])
}

it(
  `agrees with its source after every one of ${crashes} loads under faults and the next without (seed ${seed})`,
  async () => {
    const random = seededRandom(seed)
    const outcomes = { loaded: 0, failed: 0 }
    /** What each table was seen to hold after its last load. */
    const held = new Map<Subject, readonly string[]>()
    for (let crash = 0; crash < crashes; crash++) {
      const round = crash % (crashesPerTable * subjects.length)
      const subject = subjects[crash % subjects.length] as Subject
      if (round < subjects.length) {
        await makeSource(subject)
        held.delete(subject)
      }
      await changeSource(subject, round, random)
      const [before, after] = [held.get(subject) ?? [], await sourceRows(subject)]
      const faults = drawFaults(random)
      const where = `crash ${crash} of ${subject.table}: ${JSON.stringify(faults)}`
      const report = await runLoad(subject, faults).catch(() => undefined)
      const isLoaded = report?.tables.every(({ status }) => status === 'loaded') === true
      outcomes[isLoaded ? 'loaded' : 'failed']++
      const now = await lakeRows(subject)
      if (isLoaded) expect(now, where).toEqual(after)
      // Each commit of several is final: the table lies between the two.
      else if (subject.table === 'stepped') expect(after, where).toEqual(expect.arrayContaining([...now]))
      else expect([before, after], where).toContainEqual(now)
      const recovery = await runLoad(subject, noFaults)
      expect(
        recovery.tables.flatMap((table) => (table.status === 'failed' ? [table.error] : [])),
        where,
      ).toEqual([])
      expect(await lakeRows(subject), where).toEqual(after)
      held.set(subject, after)
      if (crash % crashesPerTable === crashesPerTable - 1) {
        await removeLeftovers(subject)
        expect(await lakeRows(subject), where).toEqual(after)
      }
    }
    expect(Math.min(outcomes.loaded, outcomes.failed), JSON.stringify(outcomes)).toBeGreaterThan(0)
  },
  Math.max(120_000, crashes * timeoutPerCrashMs),
)
