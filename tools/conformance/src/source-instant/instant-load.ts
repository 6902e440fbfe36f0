import { randomBytes, randomUUID } from 'node:crypto'
import path from 'node:path'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { Pool } from '@floe/compute'
import { load } from '@floe/etl'
import type { LoadReport, LoadRequest } from '@floe/etl'
import type { LoadTaskInput } from '@floe/etl/testing'
import { openObjectStore } from '@floe/storage'
import type { TestPostgres } from '@floe/testing'

/** A load, and a session of the source that sees the instant which the load has read. */
export type InstantLoad = AsyncDisposable & {
  readonly report: LoadReport
  /** One for all tables and workers, or the load has read several instants. */
  readonly snapshotIds: ReadonlySet<string>
  sourceRows(sql: string): Promise<readonly string[]>
}

export type InstantLoadPlaces = {
  readonly postgres: TestPostgres
  readonly pool: Pool
  /** Its catalog and warehouse are below `.floe`, as those of the command line are. */
  readonly folder: string
}

/** The first worker is held up until the other session has taken over the snapshot of the load. */
export async function loadAtInstant(
  request: Omit<LoadRequest, 'sourceUrl' | 'workers'>,
  { postgres, pool, folder }: InstantLoadPlaces,
): Promise<InstantLoad> {
  const session = await postgres.openSession()
  const snapshotIds = new Set<string>()
  let held: Promise<unknown> | undefined
  const hold = (id: string): Promise<unknown> =>
    session.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '${id}'`)
  const run = async (task: unknown, input: LoadTaskInput, options: object): Promise<unknown> => {
    snapshotIds.add(input.source.snapshotId)
    await (held ??= hold(input.source.snapshotId))
    return pool.run(task as Parameters<Pool['run']>[0], input, options)
  }
  const close = async (): Promise<void> => pool.close()
  const watched: Pool = {
    workers: pool.workers,
    start: (task) => pool.start(task),
    run: run as Pool['run'],
    close,
    [Symbol.asyncDispose]: close,
  }
  const report = await runLoad(
    { ...request, sourceUrl: postgres.url, workers: pool.workers },
    watched,
    folder,
  )
  return {
    report,
    snapshotIds,
    sourceRows: async (sql) => {
      await held
      return (await session.query(sql)).map((row) => String(Object.values(row as object)[0]))
    },
    [Symbol.asyncDispose]: () => session.end(),
  }
}

async function runLoad(request: LoadRequest, pool: Pool, folder: string): Promise<LoadReport> {
  await using store = openObjectStore()
  const clock = { now: () => Date.now() }
  const database = { kind: 'sqlite' as const, path: path.join(folder, '.floe', 'catalog.db') }
  const warehouse = `file://${folder}/.floe/warehouse`
  const catalog = await openSqlCatalog({ database, warehouse, clock, uuid: randomUUID }, { store })
  try {
    return await load(request, {
      catalog,
      store,
      storeSettings: () => ({}),
      pool,
      clock,
      uuid: randomUUID,
      newSnapshotId: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
      sleep: async () => {},
      cpuUsage: () => 0,
    })
  } finally {
    await catalog.close()
  }
}
