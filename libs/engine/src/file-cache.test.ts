import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { EngineComponents } from './engine.ts'
import { field, openLake, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

const table = { namespace: ['ns'], name: 't' }
let lake: Lake
let cacheDirectory: string

beforeEach(async () => {
  lake = await openLake('memory')
  cacheDirectory = join(lake.directory, 'cache')
  await lake.createTable(table, [field(1, 'id', 'int'), field(2, 'pad', 'string')])
  await lake.commit(
    table,
    [0, 1, 2].map((n) => ({
      rows: `SELECT (${n} * 1000 + i)::INTEGER AS id, md5(i::VARCHAR) AS pad FROM range(1000) t(i)`,
    })),
  )
})
afterEach(() => lake.close())

const copies = async (): Promise<readonly string[]> =>
  (await readdir(join(cacheDirectory, 'files'))).filter((name) => !name.endsWith('.ranges'))
const inUse = async (): Promise<readonly string[]> => readdir(join(cacheDirectory, 'in-use')).catch(() => [])

describe('files of a remote store', () => {
  it('are copied once, and read by several engines at once', async () => {
    const engines = await Promise.all([1, 2, 3].map(() => openEngine({ cacheDirectory }, lake)))
    const counts = await Promise.all(
      engines.map((engine) => rowsOf(engine, 'SELECT count(DISTINCT id), max(id) FROM ns.t')),
    )
    expect(counts).toEqual([[[3000, 2999]], [[3000, 2999]], [[3000, 2999]]])
    expect((await copies()).length).toBe(3)
    expect(await inUse()).toEqual([])
    await Promise.all(engines.map((engine) => engine.close()))
  })

  it('are copied only when pruning keeps them', async () => {
    const engine = await openEngine({ cacheDirectory }, lake)
    expect(await rowsOf(engine, 'SELECT count(*) FROM ns.t WHERE id >= 2500')).toEqual([[500]])
    expect((await copies()).length).toBe(1)
    await engine.close()
  })

  it('leave the cache, least recently used first, when it is over its bound', async () => {
    const { result } = await readAll(
      await openEngine({ cacheDirectory }, lake),
      'SELECT id FROM ns.t WHERE id < 1000',
    )
    const bytes = result.pruning[0]?.report.bytesKept ?? 0
    const [oldest] = await copies()
    const longAgo = new Date(lake.clock.nowMs - 1_000_000)
    await utimes(join(cacheDirectory, 'files', oldest ?? ''), longAgo, longAgo)
    const engine = await openEngine({ cacheDirectory, cacheBytesMax: Math.floor(bytes * 2.5) }, lake)
    expect(await rowsOf(engine, 'SELECT count(DISTINCT id) FROM ns.t WHERE id >= 1000')).toEqual([[2000]])
    expect(await copies()).not.toContain(oldest)
    expect((await copies()).length).toBe(2)
    await engine.close()
  })

  it('stay readable for a running query when they leave the cache', async () => {
    const engine = await openEngine({ cacheDirectory, cacheBytesMax: 1, threads: 1 }, lake)
    const result = await engine.query('SELECT id FROM ns.t')
    expect(await copies()).toEqual([])
    let rows = 0
    for await (const batch of result.rows()) rows += batch.length
    expect(rows).toBe(3000)
    expect(await inUse()).toEqual([])
    await engine.close()
  })

  it('are let go when a result is closed unread, and when a query fails', async () => {
    const engine = await openEngine({ cacheDirectory }, lake)
    const result = await engine.query('SELECT id FROM ns.t')
    expect((await inUse()).length).toBe(1)
    await result.close()
    expect(await inUse()).toEqual([])
    await expect(readAll(engine, 'SELECT CAST(pad AS INTEGER) FROM ns.t')).rejects.toMatchObject({
      code: 'invalid-input',
    })
    expect(await inUse()).toEqual([])
    await engine.close()
  })

  it('that are shorter than their manifest says are refused and not kept', async () => {
    const { files } = await lake.commit(table, [{ rows: "SELECT 9999::INTEGER AS id, 'x' AS pad" }])
    const location = files[0]?.filePath ?? ''
    await lake.store.put(location, (await lake.store.get(location)).slice(0, 20))
    const engine = await openEngine({ cacheDirectory }, lake)
    await expect(engine.query('SELECT * FROM ns.t WHERE id = 9999')).rejects.toBeInstanceOf(Error)
    expect(await copies()).toEqual([])
    await lake.store.delete([location])
    await expect(engine.query('SELECT * FROM ns.t WHERE id = 9999')).rejects.toMatchObject({
      code: 'not-found',
    })
    await engine.close()
  })
})

describe('columns of a remote file', () => {
  const wide = { namespace: ['ns'], name: 'wide' }
  const columns = 16
  const rows = 20_000
  const fetched: { start: number; end: number }[] = []
  const counting = (): EngineComponents => ({
    catalog: lake.catalog,
    clock: lake.clock,
    store: {
      ...lake.store,
      get: (location, options) => {
        const { offset = 0, length = 0 } = options?.range ?? {}
        if (location.endsWith('.parquet')) fetched.push({ start: offset, end: offset + length })
        return lake.store.get(location, options)
      },
    },
  })
  const bytesFetched = (): number => fetched.reduce((sum, { start, end }) => sum + end - start, 0)
  let fileBytes = 0

  beforeEach(async () => {
    fetched.splice(0)
    const names = Array.from({ length: columns }, (_, at) => `c${at}`)
    await lake.createTable(
      wide,
      names.map((name, at) => field(at + 1, name, 'string')),
    )
    const values = names.map((name, at) => `md5((i * 31 + ${at})::VARCHAR) AS ${name}`)
    const { files } = await lake.commit(wide, [
      { rows: `SELECT ${values.join(', ')} FROM range(${rows}) t(i)` },
    ])
    fileBytes = files[0]?.fileSizeInBytes ?? 0
  })

  it('are fetched when a query looks at them, and no others', async () => {
    const engine = await openEngine({ cacheDirectory }, counting())
    expect(await rowsOf(engine, "SELECT count(DISTINCT c3) FROM ns.wide WHERE c7 >= ''")).toEqual([[rows]])
    const share = (fileBytes * 2) / columns
    expect(bytesFetched()).toBeGreaterThan(share)
    expect(bytesFetched()).toBeLessThan(share + 200_000)
    const before = bytesFetched()
    expect(await rowsOf(engine, 'SELECT count(DISTINCT c7) FROM ns.wide')).toEqual([[rows]])
    expect(bytesFetched()).toBe(before)
    expect(await rowsOf(engine, 'SELECT count(*), max(length(c15)) FROM ns.wide')).toEqual([[rows, 32]])
    expect(bytesFetched() - before).toBeLessThan(fileBytes / columns + 200_000)
    await engine.close()
  })

  it('are fetched by several engines that fill one copy together', async () => {
    const engines = await Promise.all([1, 2, 3, 4].map(() => openEngine({ cacheDirectory }, counting())))
    const answers = await Promise.all(
      engines.flatMap((engine) =>
        [1, 5, 9].map((at) => rowsOf(engine, `SELECT count(DISTINCT c${at} || c${at + 1}) FROM ns.wide`)),
      ),
    )
    expect(answers).toEqual(answers.map(() => [[rows]]))
    expect((await copies()).length).toBe(1)
    await Promise.all(engines.map((engine) => engine.close()))
    const engine = await openEngine({ cacheDirectory }, lake)
    fetched.splice(0)
    expect((await readAll(engine, 'SELECT * FROM ns.wide ORDER BY c0')).rows.length).toBe(rows)
    await engine.close()
  })

  it('survive a list of ranges that a crash has cut, and one whose bytes are gone', async () => {
    const engine = await openEngine({ cacheDirectory }, counting())
    const sql = 'SELECT count(DISTINCT c2) FROM ns.wide'
    expect(await rowsOf(engine, sql)).toEqual([[rows]])
    const folder = join(cacheDirectory, 'files')
    const [list = ''] = (await readdir(folder)).filter((name) => name.endsWith('.ranges'))
    const text = await readFile(join(folder, list), 'utf8')
    await writeFile(join(folder, list), text.slice(0, -3))
    expect(await rowsOf(engine, sql)).toEqual([[rows]])
    const [data = ''] = await copies()
    await rm(join(folder, data))
    expect(await rowsOf(engine, sql)).toEqual([[rows]])
    await engine.close()
  })
})

describe('a folder of a query that crashed', () => {
  it('is removed a day later by the next engine', async () => {
    const [old, fresh] = ['old', 'fresh'].map((name) => join(cacheDirectory, 'in-use', name))
    for (const path of [old, fresh]) await mkdir(path ?? '', { recursive: true })
    const now = new Date(lake.clock.nowMs)
    const before = new Date(lake.clock.nowMs - 25 * 60 * 60 * 1000)
    await utimes(old ?? '', before, before)
    await utimes(fresh ?? '', now, now)
    const engine = await openEngine({ cacheDirectory }, lake)
    expect(await inUse()).toEqual(['fresh'])
    await engine.close()
  })
})

describe('local files', () => {
  it('are read in place, also under names that look like patterns', async () => {
    const local = await openLake('file')
    const cache = join(local.directory, 'cache')
    await local.createTable(table, [field(1, 'id', 'int')])
    const { files } = await local.commit(table, [
      { rows: 'SELECT 1::INTEGER AS id', name: 'a*[b]?{c}.parquet' },
      { rows: 'SELECT 2::INTEGER AS id' },
    ])
    const engine = await openEngine({ cacheDirectory: cache }, local)
    expect(await rowsOf(engine, 'SELECT id FROM ns.t ORDER BY id')).toEqual([[1], [2]])
    expect(await readdir(cache).catch(() => [])).not.toContain('files')
    const path = files[0]?.filePath.replace('file://', '') ?? ''
    expect((await stat(path)).size).toBe((await readFile(path)).length)
    await engine.close()
    await local.close()
  })
})
