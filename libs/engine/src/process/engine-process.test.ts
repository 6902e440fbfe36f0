import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Engine } from '../engine.ts'
import { field, openLake, readAll, rowsOf } from '../lake-fixture.ts'
import type { Lake } from '../lake-fixture.ts'
import { openEngineProcess } from './engine-process.ts'

const table = { namespace: ['ns'], name: 't' }
const timeoutMs = 60_000

/** Local files are read in place; those in memory come through the channel. */
const lakes = new Map<string, Lake>()
const engines = new Map<string, Engine>()

beforeAll(async () => {
  for (const scheme of ['file', 'memory'] as const) {
    const lake = await openLake(scheme)
    await lake.createTable(table, [field(1, 'id', 'long'), field(2, 'text', 'string')])
    await lake.commit(table, [{ rows: "SELECT i AS id, 'größe ' || i AS text FROM range(5000) t(i)" }])
    lakes.set(scheme, lake)
    const settings = { cacheDirectory: join(lake.directory, 'cache'), timeoutMs, threads: 1 }
    engines.set(scheme, openEngineProcess(settings, lake))
  }
})
afterAll(async () => {
  for (const engine of engines.values()) await engine.close()
  for (const lake of lakes.values()) await lake.close()
})

function lakeOf(scheme: string): Lake {
  const lake = lakes.get(scheme)
  if (lake === undefined) throw new Error(`no lake ${scheme}`)
  return lake
}

function engineOf(scheme = 'file'): Engine {
  const engine = engines.get(scheme)
  if (engine === undefined) throw new Error(`no engine for ${scheme}`)
  return engine
}

/** Processes that this one has started to run queries. */
function children(): readonly number[] {
  const out = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
  return out.split('\n').flatMap((line) => (line.includes('engine-child') ? [Number.parseInt(line, 10)] : []))
}

describe('an engine in a process of its own', () => {
  it.each(['file', 'memory'])('answers as one in this process does, from %s', async (scheme) => {
    const { rows, result } = await readAll(
      engineOf(scheme),
      'SELECT id + 9007199254740993 AS id, text FROM ns.t ORDER BY id LIMIT 3',
    )
    expect(rows).toEqual([0n, 1n, 2n].map((i) => [9007199254740993n + i, `größe ${i}`]))
    expect(result.columns.map(({ type }) => type)).toEqual(['BIGINT', 'VARCHAR'])
    expect(result.references).toMatchObject([{ table: 'ns.t' }])
    expect(result.pruning[0]?.report).toMatchObject({ filesKept: 1 })
    expect(result.profile().rows).toBe(3)
  })

  it('streams many batches, cuts them off at a limit, and gives Arrow', async () => {
    const sql = 'SELECT i FROM range(100000) t(i)'
    expect((await readAll(engineOf(), sql)).rows.length).toBe(100_000)
    const { rows, result } = await readAll(engineOf(), sql, { rowsMax: 2500 })
    expect([rows.length, result.truncated()]).toEqual([2500, true])
    const { tableFromIPC } = await import('apache-arrow')
    const arrow = await engineOf().query('SELECT id, text FROM ns.t')
    expect(tableFromIPC(await Array.fromAsync(arrow.arrow())).numRows).toBe(5000)
  })

  it('hands the codes and hints of errors over', async () => {
    await expect(engineOf().query('DROP TABLE ns.t')).rejects.toMatchObject({ code: 'invalid-input' })
    await expect(engineOf().query('SELECT * FROM ns.nope')).rejects.toMatchObject({ code: 'not-found' })
    await expect(engineOf().checkSelect("SELECT * FROM read_text('/etc/passwd')")).rejects.toMatchObject({
      code: 'permission-denied',
      hint: expect.stringContaining('table functions'),
    })
    await expect(readAll(engineOf(), 'SELECT text::INTEGER FROM ns.t')).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })

  it('asks the catalog of whoever asks the query', async () => {
    const { catalog } = lakeOf('file')
    const blind = { ...catalogOf(catalog), loadTable: () => Promise.reject(new Error('hidden')) }
    await expect(engineOf().query('SELECT * FROM ns.t', { catalog: blind })).rejects.toBeInstanceOf(Error)
    expect(await rowsOf(engineOf(), 'SELECT count(*) FROM ns.t')).toEqual([[5000]])
  })

  it('stops a query that is cancelled while it runs and while it is read', async () => {
    const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 11'
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 200)
    await expect(readAll(engineOf(), endless, { signal: stop.signal })).rejects.toMatchObject({
      code: 'cancelled',
    })
    const result = await engineOf().query('SELECT * FROM range(100000000)')
    for await (const _ of result.rows()) break
    expect(await rowsOf(engineOf(), 'SELECT 1')).toEqual([[1]])
  })

  it('has no environment of its own but what a process needs', async () => {
    await rowsOf(engineOf(), 'SELECT 1')
    const [pid = 0] = children()
    const out = execFileSync('ps', ['eww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    expect(out).toContain('PATH=')
    expect(out).not.toContain('VITEST')
  })

  it('is unavailable when its process dies in the middle, and works again with the next query', async () => {
    const result = await engineOf().query('SELECT * FROM range(100000000)')
    const reading = (async () => {
      for await (const _ of result.rows()) for (const pid of children()) process.kill(pid, 'SIGKILL')
    })()
    await expect(reading).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    expect(await rowsOf(engineOf(), 'SELECT count(*) FROM ns.t')).toEqual([[5000]])
  })

  it('is killed when it does not keep to the time of a query', async () => {
    const lake = lakeOf('file')
    const cacheDirectory = join(lake.directory, 'cache')
    const engine = openEngineProcess({ cacheDirectory, timeoutMs: 3000, graceMs: -2500 }, lake)
    await expect(
      readAll(engine, 'SELECT sum(a.range * b.range) FROM range(10000000) a, range(1000) b'),
    ).rejects.toMatchObject({
      code: 'unavailable',
    })
    await engine.close()
  })
})

function catalogOf(
  catalog: Lake['catalog'],
): Pick<Lake['catalog'], 'listNamespaces' | 'listTables' | 'listViews' | 'loadTable' | 'loadView'> {
  return {
    listNamespaces: (parent) => catalog.listNamespaces(parent),
    listTables: (namespace) => catalog.listTables(namespace),
    listViews: (namespace) => catalog.listViews(namespace),
    loadTable: (identifier, options) => catalog.loadTable(identifier, options),
    loadView: (identifier) => catalog.loadView(identifier),
  }
}
