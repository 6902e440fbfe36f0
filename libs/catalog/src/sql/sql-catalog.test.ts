import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Schema, TableUpdate } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { openFileStore } from '@floe/storage/fs'
import { manualClock } from '@floe/testing'
import type { Catalog, LoadedTable, TableIdentifier } from '../catalog.ts'
import { openSqlCatalog } from './index.ts'
import type { SqlCatalogSettings } from './index.ts'

const runNode = promisify(execFile)
const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const files = openFileStore()

let folder: string
let opened: Catalog[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-sql-'))
})

afterEach(async () => {
  for (const catalog of opened) await catalog.close()
  opened = []
  await rm(folder, { recursive: true })
})

async function open(store: ObjectStore = files, more: Partial<SqlCatalogSettings> = {}): Promise<Catalog> {
  const catalog = await openSqlCatalog(
    {
      database: { kind: 'sqlite', path: join(folder, 'state', 'catalog.db') },
      warehouse: `file://${folder}/warehouse`,
      clock: manualClock(1_700_000_000_000),
      uuid: randomUUID,
      ...more,
    },
    { store },
  )
  opened.push(catalog)
  return catalog
}

async function openWithTable(properties: Readonly<Record<string, string>> = {}): Promise<Catalog> {
  const catalog = await open()
  await catalog.createNamespace(['shop'])
  await catalog.createTable(orders, { schema, properties })
  return catalog
}

function setProperty(catalog: Catalog, key: string, value = 'set'): Promise<LoadedTable> {
  const updates: TableUpdate[] = [{ action: 'set-properties', updates: { [key]: value } }]
  return catalog.commitTable(orders, { requirements: [], updates })
}

async function metadataFiles(): Promise<readonly string[]> {
  const found = await Array.fromAsync(files.list(`file://${folder}/warehouse/`))
  return found.map(({ location }) => location).filter((location) => location.endsWith('.metadata.json'))
}

/** Runs `body` in a process of its own; it finds `open(store)`, `files` and `orders`. */
async function runProcess(body: string): Promise<string> {
  const settings = { kind: 'sqlite', path: join(folder, 'state', 'catalog.db') }
  const script = `
    import { randomUUID } from 'node:crypto'
    import { openSqlCatalog } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    import { openFileStore } from '@floe/storage/fs'
    const files = openFileStore()
    const orders = ${JSON.stringify(orders)}
    const open = (store) => openSqlCatalog({
      database: ${JSON.stringify(settings)}, warehouse: ${JSON.stringify(`file://${folder}/warehouse`)},
      clock: { now: () => 1_700_000_000_000 }, uuid: randomUUID }, { store })
    ${body}`
  const { stdout } = await runNode(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
  })
  return stdout
}

describe('several catalogs on one SQLite file', () => {
  it('keeps every acknowledged commit of two racing instances, exactly once', async () => {
    const instances = [await openWithTable(), await open()]
    const keys = Array.from({ length: 30 }, (_, at) => `key-${at}`)
    await Promise.all(keys.map((key, at) => setProperty(instances[at % 2] as Catalog, key)))
    const { metadata } = await (await open()).loadTable(orders)
    expect(Object.keys(metadata.properties).toSorted()).toEqual(keys.toSorted())
    expect(metadata.metadataLog).toHaveLength(keys.length)
    // The first file and one for each commit: losers have cleaned up after themselves.
    expect(await metadataFiles()).toHaveLength(keys.length + 1)
  })

  it('keeps every acknowledged commit of racing processes, which may all make the file', async () => {
    const writers = ['a', 'b', 'c']
    const outputs = await Promise.all(
      writers.map((writer) =>
        runProcess(`
          const catalog = await open(files)
          await catalog.createNamespace(['shop']).catch(() => undefined)
          const schema = ${JSON.stringify(schema)}
          await catalog.createTable(orders, { schema }).catch(() => undefined)
          for (let at = 0; at < 10; at++) {
            const key = '${writer}-' + at
            const updates = [{ action: 'set-properties', updates: { [key]: 'set' } }]
            await catalog.commitTable(orders, { requirements: [], updates })
            console.log(key)
          }
          await catalog.close()`),
      ),
    )
    const acknowledged = outputs.flatMap((output) => output.trim().split('\n'))
    const { metadata } = await (await open()).loadTable(orders)
    expect(acknowledged).toHaveLength(30)
    expect(Object.keys(metadata.properties).toSorted()).toEqual(acknowledged.toSorted())
    expect(metadata.metadataLog).toHaveLength(30)
  })

  it('keeps the old table when a process dies between the metadata file and the swap', async () => {
    await openWithTable()
    const dying = runProcess(`
      const putIfAbsent = async (location, bytes) => {
        await files.putIfAbsent(location, bytes)
        process.kill(process.pid, 'SIGKILL')
        return new Promise(() => {})
      }
      const catalog = await open({ ...files, putIfAbsent })
      const updates = [{ action: 'set-properties', updates: { lost: 'yes' } }]
      await catalog.commitTable(orders, { requirements: [], updates })`)
    await expect(dying).rejects.toMatchObject({ signal: 'SIGKILL' })
    expect(await metadataFiles()).toHaveLength(2)
    const catalog = await open()
    expect((await catalog.loadTable(orders)).metadata.properties).toEqual({})
    expect((await setProperty(catalog, 'kept')).metadata.properties).toEqual({ kept: 'set' })
  })

  it('gives up after a bounded number of lost swaps, and removes only its own files', async () => {
    const winner = await openWithTable()
    let wins = 0
    const store: ObjectStore = {
      ...files,
      putIfAbsent: async (location, bytes) => {
        const isWritten = await files.putIfAbsent(location, bytes)
        await setProperty(winner, `winner-${wins++}`)
        return isWritten
      },
    }
    const loser = await open(store, { commitAttemptsMax: 3 })
    await expect(setProperty(loser, 'loser')).rejects.toMatchObject({
      code: 'commit-conflict',
      retryable: true,
    })
    expect(wins).toBe(3)
    const { metadata } = await winner.loadTable(orders)
    expect(Object.keys(metadata.properties)).toEqual(['winner-0', 'winner-1', 'winner-2'])
    expect(await metadataFiles()).toHaveLength(4)
  })

  it('applies a commit on top of the one it lost to while its requirements hold', async () => {
    const winner = await openWithTable()
    let hasLost = false
    const putIfAbsent: ObjectStore['putIfAbsent'] = async (location, bytes) => {
      const isWritten = await files.putIfAbsent(location, bytes)
      if (!hasLost) await setProperty(winner, 'winner')
      hasLost = true
      return isWritten
    }
    const second = await open({ ...files, putIfAbsent })
    const { metadata } = await setProperty(second, 'second')
    expect(metadata.properties).toEqual({ winner: 'set', second: 'set' })
  })

  it('does not commit to a table that was dropped and made again during the commit', async () => {
    const other = await openWithTable()
    const putIfAbsent: ObjectStore['putIfAbsent'] = async (location, bytes) => {
      const isWritten = await files.putIfAbsent(location, bytes)
      await other.dropTable(orders)
      await other.createTable(orders, { schema })
      return isWritten
    }
    const catalog = await open({ ...files, putIfAbsent })
    const { metadata } = await catalog.loadTable(orders)
    const commit = catalog.commitTable(orders, {
      requirements: [{ type: 'assert-table-uuid', uuid: metadata.tableUuid }],
      updates: [{ action: 'set-properties', updates: { late: 'yes' } }],
    })
    await expect(commit).rejects.toMatchObject({ code: 'commit-conflict' })
    expect((await other.loadTable(orders)).metadata.properties).toEqual({})
  })
})

describe('transactions of several catalogs on one SQLite file', () => {
  const lines: TableIdentifier = { namespace: ['shop'], name: 'lines' }

  async function openWithTwoTables(): Promise<Catalog> {
    const catalog = await openWithTable()
    await catalog.createTable(lines, { schema })
    return catalog
  }

  function setInBoth(catalog: Catalog, key: string, isReversed = false): Promise<void> {
    const changes = [orders, lines].map((identifier) => ({
      identifier,
      requirements: [],
      updates: [{ action: 'set-properties', updates: { [key]: 'set' } }] satisfies TableUpdate[],
    }))
    return catalog.commitTransaction(isReversed ? changes.toReversed() : changes)
  }

  it('are whole and in the same order for all tables, and leave no file of a lost race', async () => {
    const instances = [await openWithTwoTables(), await open()]
    const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`)
    await Promise.all(keys.map((key, at) => setInBoth(instances[at % 2] as Catalog, key, at % 3 === 0)))
    const reader = await open()
    const orderOf = async (identifier: TableIdentifier): Promise<readonly string[]> =>
      Object.keys((await reader.loadTable(identifier)).metadata.properties)
    expect((await orderOf(orders)).toSorted()).toEqual(keys.toSorted())
    expect(await orderOf(lines)).toEqual(await orderOf(orders))
    expect(await metadataFiles()).toHaveLength(2 * (keys.length + 1))
  })

  it('change no table when one of them is dropped meanwhile, even one that stays as it is', async () => {
    const other = await openWithTwoTables()
    let isDropped = false
    const putIfAbsent: ObjectStore['putIfAbsent'] = async (location, bytes) => {
      const isWritten = await files.putIfAbsent(location, bytes)
      if (!isDropped) await other.dropTable(lines)
      isDropped = true
      return isWritten
    }
    const catalog = await open({ ...files, putIfAbsent })
    const requirements = [{ type: 'assert-current-schema-id', currentSchemaId: 0 }] as const
    const transaction = catalog.commitTransaction([
      {
        identifier: orders,
        requirements,
        updates: [{ action: 'set-properties', updates: { late: 'yes' } }],
      },
      { identifier: lines, requirements, updates: [] },
    ])
    await expect(transaction).rejects.toMatchObject({ code: 'not-found' })
    expect((await other.loadTable(orders)).metadata.properties).toEqual({})
    expect(await metadataFiles()).toHaveLength(2)
  })

  it('leave all tables as they were when the process dies before the rows change', async () => {
    await openWithTwoTables()
    const dying = runProcess(`
      let written = 0
      const putIfAbsent = async (location, bytes) => {
        const isWritten = await files.putIfAbsent(location, bytes)
        if (++written === 2) process.kill(process.pid, 'SIGKILL')
        return isWritten
      }
      const catalog = await open({ ...files, putIfAbsent })
      const updates = [{ action: 'set-properties', updates: { lost: 'yes' } }]
      const tables = [orders, { namespace: ['shop'], name: 'lines' }]
      await catalog.commitTransaction(tables.map((identifier) => ({ identifier, requirements: [], updates })))`)
    await expect(dying).rejects.toMatchObject({ signal: 'SIGKILL' })
    const catalog = await open()
    for (const identifier of [orders, lines]) {
      expect((await catalog.loadTable(identifier)).metadata.properties).toEqual({})
    }
    await setInBoth(catalog, 'kept')
    expect((await catalog.loadTable(lines)).metadata.properties).toEqual({ kept: 'set' })
  })
})

describe('the SQLite store', () => {
  it('brings a store of the first version to the newest', async () => {
    await (await openWithTable({ a: '1' })).close()
    const path = join(folder, 'state', 'catalog.db')
    const database = new DatabaseSync(path)
    database.exec('DROP TABLE requests; PRAGMA user_version = 1')
    database.close()
    const catalog = await open()
    const once = catalog.forRequest({ key: { key: randomUUID(), fingerprint: 'f' } })
    for (const _ of [1, 2]) await once.createNamespace(['new'])
    expect((await catalog.loadTable(orders)).metadata.properties).toEqual({ a: '1' })
  })

  it('keeps namespaces and tables over a restart', async () => {
    const first = await openWithTable({ a: '1' })
    await first.close()
    const second = await open()
    expect(await second.listNamespaces()).toEqual([['shop']])
    expect((await second.loadTable(orders)).metadata.properties).toEqual({ a: '1' })
  })

  it('refuses a store that a newer version has written, and leaves it as it is', async () => {
    await (await openWithTable()).close()
    const path = join(folder, 'state', 'catalog.db')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 99')
    await expect(open()).rejects.toMatchObject({ code: 'unsupported' })
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
    database.close()
  })

  it('refuses a file that is no database', async () => {
    const path = join(folder, 'text')
    await writeFile(
      path,
      'this is not a database, though it is long enough to be taken for the header of one',
    )
    const opening = open(files, { database: { kind: 'sqlite', path } })
    await expect(opening).rejects.toMatchObject({ code: 'corrupt-data' })
  })

  it('says unavailable, and leaves no file, when another process holds the store for too long', async () => {
    await openWithTable()
    const blocked = await open(files, { busyTimeoutMs: 10 })
    const holder = new DatabaseSync(join(folder, 'state', 'catalog.db'))
    holder.exec('BEGIN IMMEDIATE')
    await expect(setProperty(blocked, 'late')).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    holder.exec('ROLLBACK')
    holder.close()
    expect(await metadataFiles()).toHaveLength(1)
  })
})

describe('metadata files', () => {
  it('removes those that leave the log, when the table asks for it', async () => {
    const catalog = await openWithTable({
      'write.metadata.delete-after-commit.enabled': 'true',
      'write.metadata.previous-versions-max': '2',
    })
    for (const key of ['a', 'b', 'c', 'd']) await setProperty(catalog, key)
    const { metadata, metadataLocation } = await catalog.loadTable(orders)
    const logged = metadata.metadataLog.map(({ metadataFile }) => metadataFile)
    expect(logged).toHaveLength(2)
    expect(new Set(await metadataFiles())).toEqual(new Set([...logged, metadataLocation]))
  })

  it('are compressed when the table asks for it, and read back by their content', async () => {
    const catalog = await openWithTable({ 'write.metadata.compression-codec': 'gzip' })
    const { metadataLocation, metadata } = await catalog.loadTable(orders)
    expect(metadataLocation).toMatch(/\.gz\.metadata\.json$/)
    const bytes = await files.get(String(metadataLocation))
    expect([...bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b])
    expect((await (await open()).loadTable(orders)).metadata).toEqual(metadata)
  })

  it('that were overwritten by another table are refused', async () => {
    const catalog = await openWithTable()
    const other = await catalog.createTable({ namespace: ['shop'], name: 'other' }, { schema })
    const { metadataLocation } = await catalog.loadTable(orders)
    await files.put(String(metadataLocation), await files.get(String(other.metadataLocation)))
    await expect((await open()).loadTable(orders)).rejects.toMatchObject({ code: 'corrupt-data' })
  })

  it('that are lost make the table unreadable but not immovable', async () => {
    const { metadataLocation } = await (await openWithTable()).loadTable(orders)
    const reader = await open()
    await reader.loadTable(orders)
    await files.delete([String(metadataLocation)])
    const lost = { code: 'corrupt-data', cause: { code: 'not-found' } }
    await expect(reader.loadTable(orders)).rejects.toMatchObject(lost)
    const catalog = await open()
    await expect(catalog.loadTable(orders)).rejects.toMatchObject(lost)
    await catalog.dropTable(orders)
    expect(await catalog.listTables(['shop'])).toEqual([])
  })

  it('that vanish because the table moved on are looked for where it is', async () => {
    const properties = {
      'write.metadata.delete-after-commit.enabled': 'true',
      'write.metadata.previous-versions-max': '1',
    }
    const writer = await openWithTable(properties)
    let reads = 0
    const get: ObjectStore['get'] = async (location, options) => {
      if (reads++ === 0) for (const key of ['a', 'b', 'c']) await setProperty(writer, key)
      return files.get(location, options)
    }
    const reader = await open({ ...files, get })
    expect((await reader.loadTable(orders)).metadata.properties).toMatchObject({
      a: 'set',
      b: 'set',
      c: 'set',
    })
    expect(reads).toBe(2)
  })
})
