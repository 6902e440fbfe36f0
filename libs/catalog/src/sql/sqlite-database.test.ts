import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Schema } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock } from '@floe/testing'
import type { Catalog, TableIdentifier } from '../catalog.ts'
import { openCatalogDatabase, openSqlCatalog } from './index.ts'
import type { CatalogDatabase } from './index.ts'
import { migrations } from './migrations.ts'
import type { SqlDatabase } from './sql-database.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const store = openMemoryStore()
const startMs = 1_700_000_000_000

/** The store of the releases that knew one warehouse only, whose version was in `user_version` alone. */
const firstLayouts = [
  `CREATE TABLE namespaces (
     path TEXT PRIMARY KEY,
     parent TEXT REFERENCES namespaces (path),
     properties TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX namespaces_by_parent ON namespaces (parent, path);
   CREATE TABLE relations (
     namespace TEXT NOT NULL REFERENCES namespaces (path),
     name TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
     uuid TEXT NOT NULL,
     metadata_location TEXT NOT NULL,
     previous_metadata_location TEXT,
     version INTEGER NOT NULL,
     PRIMARY KEY (namespace, name)
   ) STRICT, WITHOUT ROWID;
   CREATE UNIQUE INDEX relations_by_uuid ON relations (uuid);
   PRAGMA user_version = 1`,
  `CREATE TABLE requests (
     key TEXT PRIMARY KEY,
     fingerprint TEXT NOT NULL,
     outcome TEXT NOT NULL,
     finished_at_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX requests_by_time ON requests (finished_at_ms);
   PRAGMA user_version = 2`,
]

let folder: string
let path: string
let closing: (() => Promise<void>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-sqlite-'))
  path = join(folder, 'catalog.db')
})

afterEach(async () => {
  for (const close of closing) await close()
  closing = []
  clearMemoryStore('sqlite')
  await rm(folder, { recursive: true })
})

const settings = { clock: manualClock(startMs), uuid: randomUUID }

async function open(file = path, busyTimeoutMs = 1000): Promise<Catalog> {
  const catalog = await openSqlCatalog(
    {
      ...settings,
      busyTimeoutMs,
      database: { kind: 'sqlite', path: file },
      warehouse: 'memory://sqlite/warehouse',
    },
    { store },
  )
  closing.push(() => catalog.close())
  return catalog
}

async function openWarehouses(): Promise<CatalogDatabase> {
  const database = await openCatalogDatabase({ ...settings, database: { kind: 'sqlite', path } }, { store })
  closing.push(() => database.close())
  return database
}

async function openDatabase(busyTimeoutMs = 1000): Promise<SqlDatabase> {
  const database = await openSqliteDatabase(path, busyTimeoutMs)
  closing.push(() => database.close())
  return database
}

/** Runs SQL on the file, as another process would. */
function execute(sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

const insertNamespace =
  "INSERT INTO namespaces (warehouse, path, parent, properties) VALUES ('w', 'a', NULL, '{}')"
const countNamespaces = 'SELECT count(*) AS count FROM namespaces'

describe('a SQLite file of an older Floe', () => {
  it.each([1, 2])('of version %i keeps its namespaces, tables, views and requests', async (version) => {
    // A metadata file to point at, made by another store.
    const maker = await open(join(folder, 'maker.db'))
    await maker.createNamespace(['shop'])
    const { metadata, metadataLocation } = await maker.createTable(orders, { schema, properties: { a: '1' } })
    execute(firstLayouts.slice(0, version).join(';'))
    execute(`
      INSERT INTO namespaces VALUES ('shop', NULL, '{"owner":"ann"}'), ('shop' || char(31) || 'old', 'shop', '{}');
      INSERT INTO relations VALUES ('shop', 'orders', 'table', '${metadata.tableUuid}', '${metadataLocation}', NULL, 7)`)
    const request = { key: randomUUID(), fingerprint: 'f' }
    if (version === 2)
      execute(`INSERT INTO requests VALUES ('${request.key}', 'f', '{"kind":"done"}', ${startMs})`)
    const catalog = await open()
    expect(await catalog.listNamespaces(['shop'])).toEqual([['shop', 'old']])
    expect(await catalog.loadNamespace(['shop'])).toMatchObject({ owner: 'ann' })
    expect((await catalog.loadTable(orders)).metadata.properties).toEqual({ a: '1' })
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'invalid-input' })
    await catalog.dropNamespace(['shop', 'old'])
    const again = catalog.forRequest({ key: request }).createNamespace(['shop'])
    if (version === 2) await again
    else await expect(again).rejects.toMatchObject({ code: 'already-exists' })
  })

  it('is refused by the releases before warehouses, which look at user_version', async () => {
    await open()
    const database = new DatabaseSync(path)
    const row = database.prepare('PRAGMA user_version').get()
    database.close()
    expect(row).toEqual({ user_version: migrations.length })
  })
})

describe('a SQLite file of a newer Floe', () => {
  it.each([
    ['by its version', 'PRAGMA user_version = 99'],
    [
      'by a migration that is not known',
      `INSERT INTO store_migrations VALUES (${migrations.length + 1}, 'later');
       PRAGMA user_version = ${migrations.length + 1}`,
    ],
    ['by another history', "UPDATE store_migrations SET id = 'other' WHERE position = 2"],
  ])('is refused %s, and left as it is', async (_, sql) => {
    await (await open()).close()
    execute(sql)
    const dump = (): unknown => {
      const database = new DatabaseSync(path)
      const rows = [
        database.prepare('PRAGMA user_version').all(),
        database.prepare('SELECT * FROM store_migrations').all(),
      ]
      database.close()
      return rows
    }
    const before = dump()
    await expect(open()).rejects.toMatchObject({ code: 'unsupported' })
    expect(dump()).toEqual(before)
  })
})

describe('a file that is no database', () => {
  it('is refused', async () => {
    await writeFile(path, 'this is not a database, though it is long enough to be taken for its header')
    await expect(open()).rejects.toMatchObject({ code: 'corrupt-data' })
  })
})

describe('a file that another process holds', () => {
  it('is unavailable after the time to wait for it, and no metadata file stays', async () => {
    const catalog = await open(path, 10)
    await catalog.createNamespace(['shop'])
    const holder = new DatabaseSync(path)
    holder.exec('BEGIN IMMEDIATE')
    const creating = catalog.createTable(orders, { schema })
    await expect(creating).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    holder.exec('ROLLBACK')
    holder.close()
    expect(await Array.fromAsync(store.list('memory://sqlite/'))).toEqual([])
    await catalog.createTable(orders, { schema })
  })

  it('is waited for without stopping this process, which may be what holds it', async () => {
    const [first, second] = [await openDatabase(60_000), await openDatabase(60_000)]
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const holding = first.transaction(async (session) => {
      await session.run(insertNamespace)
      await released
    })
    const waiting = second.run(
      "INSERT INTO namespaces (warehouse, path, parent, properties) VALUES ('w', 'b', NULL, '{}')",
    )
    setTimeout(release, 5)
    await Promise.all([holding, waiting])
    expect(await first.all(countNamespaces)).toEqual([{ count: 2 }])
  })
})

describe('transactions on one SQLite connection', () => {
  it('take turns, however long their work waits, and reads see only what is committed', async () => {
    const database = await openDatabase()
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const seen: unknown[] = []
    let insert = (): void => {}
    const inserted = new Promise<void>((resolve) => (insert = resolve))
    const rolledBack = database.transaction(
      async (session) => {
        await session.run(insertNamespace)
        seen.push(...(await session.all(countNamespaces)))
        insert()
        await released
      },
      () => false,
    )
    const next = database.transaction(async (session) => session.run(insertNamespace))
    const single = database.run(
      "INSERT INTO namespaces (warehouse, path, parent, properties) VALUES ('w', 'b', NULL, '{}')",
    )
    await inserted
    seen.push(...(await database.all(countNamespaces)))
    release()
    expect(await Promise.all([rolledBack, next, single])).toEqual([undefined, 1, 1])
    expect(seen).toEqual([{ count: 1 }, { count: 0 }])
    expect(await database.all(countNamespaces)).toEqual([{ count: 2 }])
  })

  it('are rolled back when their work throws, and the next one starts afresh', async () => {
    const database = await openDatabase()
    const failing = database.transaction(async (session) => {
      await session.run(insertNamespace)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await database.all(countNamespaces)).toEqual([{ count: 0 }])
    expect(await database.run(insertNamespace)).toBe(1)
  })
})

describe('warehouses of one database', () => {
  it('do not see each other, and close with the database', async () => {
    const database = await openWarehouses()
    const open = (name: string): Catalog => database.catalog({ name, location: `memory://sqlite/${name}` })
    const [north, south] = [open('north'), open('south')]
    for (const catalog of [north, south]) {
      await catalog.createNamespace(['shop'])
      await catalog.createTable(orders, { schema })
    }
    await north.dropTable(orders)
    await north.dropNamespace(['shop'])
    expect(await north.listNamespaces()).toEqual([])
    expect((await south.loadTable(orders)).metadata.location).toMatch(/^memory:\/\/sqlite\/south\/shop\//)
    expect(database.catalog({ name: 'north', location: 'memory://sqlite/north' })).toBe(north)
    await north.close()
    expect(await south.listTables(['shop'])).toEqual([orders])
    expect(() => database.catalog({ name: 'north', location: 'memory://elsewhere' })).toThrow(/north/)
  })

  it('keep the outcomes of requests apart', async () => {
    const database = await openWarehouses()
    const key = { key: randomUUID(), fingerprint: 'f' }
    for (const name of ['north', 'south']) {
      const catalog = database.catalog({ name, location: `memory://sqlite/${name}` })
      await catalog.forRequest({ key, principal: 'ann' }).createNamespace(['shop'])
      expect(await catalog.listNamespaces()).toEqual([['shop']])
    }
  })
})
