import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Schema } from '@floe/iceberg'
import { toFloeError } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock, seededRandom, startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import type { Catalog, LoadedTable, TableIdentifier } from '../catalog.ts'
import { openCuttingProxy } from '../testing/cutting-proxy.ts'
import type { Cut, CuttingProxy } from '../testing/cutting-proxy.ts'
import { openSqlCatalog } from './index.ts'
import { openPostgresDatabase } from './postgres-database.ts'
import type { SqlDatabase, SqlSession } from './sql-database.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const store = openMemoryStore()

let postgres: TestPostgres
let proxy: CuttingProxy
let schemas = 0
let schemaName: string
let closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  postgres = await startPostgres()
  proxy = await openCuttingProxy(postgres.port)
})
afterAll(async () => {
  await proxy.close()
  await postgres.stop()
})
beforeEach(() => {
  schemaName = `test_${++schemas}`
})
afterEach(async () => {
  for (const close of closing) await close()
  closing = []
  clearMemoryStore('postgres')
})

/** Of the server itself, or through the proxy. */
function urlAt(port: number): string {
  return `postgres://postgres:floe@127.0.0.1:${port}/postgres?schema=${schemaName}`
}

async function openCatalog(port = postgres.port): Promise<Catalog> {
  const catalog = await openSqlCatalog(
    {
      database: { kind: 'postgres', url: urlAt(port), connectionsMax: 4 },
      warehouse: 'memory://postgres/warehouse',
      clock: manualClock(1_700_000_000_000),
      uuid: randomUUID,
    },
    { store },
  )
  closing.push(() => catalog.close())
  return catalog
}

async function openWithTable(port?: number): Promise<Catalog> {
  const catalog = await openCatalog(port)
  await catalog.createNamespace(['shop'])
  await catalog.createTable(orders, { schema })
  return catalog
}

async function openDatabase(port = postgres.port): Promise<SqlDatabase> {
  const database = await openPostgresDatabase({ url: urlAt(port), busyTimeoutMs: 5000 })
  closing.push(() => database.close())
  return database
}

function setProperty(catalog: Catalog, key: string): Promise<LoadedTable> {
  return catalog.commitTable(orders, {
    requirements: [],
    updates: [{ action: 'set-properties', updates: { [key]: 'set' } }],
  })
}

async function properties(catalog: Catalog): Promise<readonly string[]> {
  return Object.keys((await catalog.loadTable(orders)).metadata.properties).toSorted()
}

async function metadataFileCount(): Promise<number> {
  return (await Array.fromAsync(store.list('memory://postgres/'))).length
}

/** Ends the sessions of this test's schema but the one that asks. */
async function endSessions(): Promise<void> {
  await postgres.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'floe-catalog'",
  )
}

function insertNamespace(session: SqlSession, name: string): Promise<number> {
  return session.run(
    "INSERT INTO namespaces (warehouse, path, parent, properties) VALUES ('w', $1, NULL, '{}')",
    name,
  )
}

describe('a connection that is lost', () => {
  it('between two calls is replaced', async () => {
    const catalog = await openWithTable()
    await endSessions()
    expect(await properties(catalog)).toEqual([])
    await endSessions()
    await setProperty(catalog, 'a')
    expect(await properties(catalog)).toEqual(['a'])
  })

  it('in a transaction leaves nothing of it, and the transaction is tried again', async () => {
    const database = await openDatabase()
    let attempts = 0
    await database.transaction(async (session) => {
      await insertNamespace(session, `at-${++attempts}`)
      if (attempts === 1) await endSessions()
      await insertNamespace(session, 'b')
    })
    expect(await database.all('SELECT path FROM namespaces ORDER BY path')).toEqual([
      { path: 'at-2' },
      { path: 'b' },
    ])
  })

  it('before COMMIT arrives has written nothing: the commit is tried again, and is there once', async () => {
    const catalog = await openWithTable(proxy.port)
    proxy.cutAt('COMMIT', 'before')
    const { metadata } = await setProperty(catalog, 'a')
    expect(metadata.metadataLog).toHaveLength(1)
    expect(await properties(catalog)).toEqual(['a'])
    expect(await metadataFileCount()).toBe(2)
  })

  it('after COMMIT arrived is a commit, when the row shows it', async () => {
    const catalog = await openWithTable(proxy.port)
    proxy.cutAt('COMMIT', 'after')
    const { metadata } = await setProperty(catalog, 'a')
    expect(metadata.metadataLog).toHaveLength(1)
    expect(await properties(catalog)).toEqual(['a'])
  })

  it('after COMMIT arrived is a commit, when later commits show it in their log', async () => {
    const catalog = await openWithTable(proxy.port)
    const other = await openCatalog()
    proxy.cutAt('COMMIT', 'after', async () => {
      for (const key of ['b', 'c']) await setProperty(other, key)
    })
    const { metadata } = await setProperty(catalog, 'a')
    expect(metadata.metadataLog).toHaveLength(1)
    expect(await properties(other)).toEqual(['a', 'b', 'c'])
  })

  it('after COMMIT arrived leaves the outcome unknown where nothing shows it', async () => {
    const catalog = await openCatalog(proxy.port)
    proxy.cutAt('COMMIT', 'after')
    const creating = catalog.createNamespace(['shop'])
    await expect(creating).rejects.toMatchObject({ code: 'commit-state-unknown', retryable: false })
    expect(await catalog.listNamespaces()).toEqual([['shop']])
  })

  it.each<Cut>(['before', 'after'])('%s a single statement is done: its outcome is unknown', async (cut) => {
    const database = await openDatabase(proxy.port)
    proxy.cutAt('INSERT INTO namespaces', cut)
    await expect(insertNamespace(database, 'a')).rejects.toMatchObject({ code: 'commit-state-unknown' })
    // The server may still be at it.
    const count = async (): Promise<unknown> =>
      (await database.all('SELECT count(*) AS count FROM namespaces'))[0]?.['count']
    await expect.poll(count).toBe(cut === 'before' ? 0 : 1)
  })

  it('again and again loses no acknowledged commit, and makes none twice', async () => {
    const seed = 20_261_122
    const random = seededRandom(seed)
    const catalogs = [await openWithTable(), await openCatalog()]
    const outcomes = new Map<string, string>()
    let isDone = false
    const cutting = (async () => {
      // Bounded, so that writers on a slow machine get through.
      for (let cuts = 0; cuts < 60 && !isDone; cuts++) {
        await endSessions()
        await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 40)))
      }
    })()
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let at = 0; at < 8; at++) {
        const key = `${writer}-${at}`
        const outcome = await setProperty(catalogs[writer % 2] as Catalog, key).then(
          () => 'done',
          (error: unknown) => toFloeError(error).code,
        )
        outcomes.set(key, outcome)
      }
    })
    await Promise.all(writers)
    isDone = true
    await cutting
    const { metadata } = await (await openCatalog()).loadTable(orders)
    const found = new Set(Object.keys(metadata.properties))
    const keysOf = (code: string): readonly string[] =>
      [...outcomes].filter(([, outcome]) => outcome === code).map(([key]) => key)
    expect(
      keysOf('done').filter((key) => !found.has(key)),
      `seed ${seed}`,
    ).toEqual([])
    expect(
      keysOf('unavailable').filter((key) => found.has(key)),
      `seed ${seed}`,
    ).toEqual([])
    expect(new Set(outcomes.values())).toEqual(
      new Set(
        [...outcomes.values()].filter((code) => /^(?:done|unavailable|commit-state-unknown)$/.test(code)),
      ),
    )
    // Each commit writes one entry of the log: none was made twice.
    expect(metadata.metadataLog).toHaveLength(found.size)
  })
})

describe('transactions in PostgreSQL', () => {
  it('that lock rows in opposite orders are both done', async () => {
    const database = await openDatabase()
    for (const name of ['a', 'b']) await insertNamespace(database, name)
    const change = "UPDATE namespaces SET properties = properties || $2 WHERE warehouse = 'w' AND path = $1"
    let arrived = 0
    let meet = (): void => {}
    const met = new Promise<void>((resolve) => (meet = resolve))
    const lockBoth = (first: string, second: string): Promise<void> =>
      database.transaction(async (session) => {
        await session.run(change, first, first)
        if (++arrived === 2) meet()
        await met
        await session.run(change, second, first)
      })
    await Promise.all([lockBoth('a', 'b'), lockBoth('b', 'a')])
    const rows = await database.all('SELECT properties FROM namespaces ORDER BY path')
    expect(rows.map(({ properties: text }) => String(text).slice(2).split('').toSorted())).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('are on the disk when they are acknowledged, where the server would not wait for it', async () => {
    expect(await postgres.query('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'off' }])
    const database = await openDatabase()
    const setting = "SELECT current_setting('synchronous_commit') AS setting"
    expect(await database.all(setting)).toEqual([{ setting: 'on' }])
  })

  it('give integers as numbers as long as they are exact', async () => {
    const database = await openDatabase()
    const sql = 'SELECT $1::bigint AS small, $2::bigint AS large'
    expect(await database.all(sql, 2n ** 53n - 1n, 2n ** 53n + 1n)).toEqual([
      { small: 2 ** 53 - 1, large: 2n ** 53n + 1n },
    ])
  })
})

describe('a store in PostgreSQL', () => {
  it('is refused when a newer Floe has written it', async () => {
    await openCatalog()
    await postgres.query(`INSERT INTO ${schemaName}.store_migrations VALUES (99, 'later')`)
    await expect(openCatalog()).rejects.toMatchObject({ code: 'unsupported' })
  })

  it('is opened by a user who may do no more than use it', async () => {
    await openCatalog()
    await postgres.query(`CREATE ROLE ${schemaName}_user LOGIN PASSWORD 'secret'`)
    await postgres.query(`GRANT USAGE ON SCHEMA ${schemaName} TO ${schemaName}_user`)
    await postgres.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${schemaName} TO ${schemaName}_user`)
    const url = urlAt(postgres.port).replace('postgres:floe', `${schemaName}_user:secret`)
    const database = await openPostgresDatabase({ url, busyTimeoutMs: 5000 })
    closing.push(() => database.close())
    expect(await insertNamespace(database, 'a')).toBe(1)
  })

  it('refuses names that are too long for its indexes, and keeps no file of them', async () => {
    const catalog = await openWithTable()
    const name = Array.from({ length: 1024 }, (_, at) =>
      String.fromCodePoint(0x4e00 + ((at * 7919) % 9000)),
    ).join('')
    const creating = catalog.createTable({ namespace: ['shop'], name }, { schema })
    await expect(creating).rejects.toMatchObject({ code: 'invalid-input' })
    expect(await metadataFileCount()).toBe(1)
  })

  it.each([
    ['no such user', 'postgres://nobody:hidden@HOST/postgres', 'permission-denied'],
    ['a wrong password', 'postgres://postgres:hidden@HOST/postgres', 'permission-denied'],
    ['no such database', 'postgres://postgres:floe@HOST/hidden_db', 'invalid-input'],
    ['nobody there', 'postgres://postgres:hidden@127.0.0.1:1/postgres', 'unavailable'],
    ['another protocol', 'mysql://postgres:hidden@HOST/postgres', 'invalid-input'],
    ['no URL', 'postgres://postgres:hidden@[/postgres', 'invalid-input'],
  ])('says what is wrong with its address, and no password: %s', async (_, url, code) => {
    const address = url.replace('HOST', `127.0.0.1:${postgres.port}`)
    const error = await openPostgresDatabase({ url: address, busyTimeoutMs: 5000 }).catch(toFloeError)
    expect(error).toMatchObject({ code })
    expect(`${toFloeError(error).message} ${toFloeError(error).hint}`).not.toContain(':hidden')
  })

  it('is unavailable while its server is down', async () => {
    const server = await startPostgres()
    const url = server.url
    const database = await openPostgresDatabase({ url, busyTimeoutMs: 5000 })
    closing.push(() => database.close())
    await server.stop()
    const reading = database.all('SELECT path FROM namespaces')
    await expect(reading).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    const writing = database.transaction((session) => insertNamespace(session, 'a'))
    await expect(writing).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })
})
