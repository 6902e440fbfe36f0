import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseJson } from '@floe/iceberg'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverRoles } from './server-role.ts'
import { startServer } from './server.ts'
import type { RunningServer } from './server.ts'

let folder: string
let lakehouse: Lakehouse
let server: RunningServer
let snapshotId: bigint

const source = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text, price numeric(10,2), at timestamptz);
  INSERT INTO shop.orders VALUES (9007199254740993, 'größe 🧊', 1.50, '2024-01-01 00:00:00+00'), (2, '', NULL, NULL), (3, NULL, 0.10, NULL)`

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-server-'))
  lakehouse = new Lakehouse(readSettings({}, {}, folder, 1))
  await using postgres = await startPostgres()
  await postgres.query(source)
  const { tables } = await lakehouse.load({
    sourceUrl: postgres.url,
    tables: ['shop.orders'],
    namespace: ['lake'],
    mode: 'create',
  })
  snapshotId = tables[0]?.status === 'loaded' ? tables[0].snapshotId : 0n
  server = await startServer(lakehouse, { roles: serverRoles, port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  await server.close()
  await lakehouse.close()
  await rm(folder, { recursive: true, force: true })
})

function post(
  route: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${server.url}${route}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

async function sql(
  text: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  const response = await post('/sql', JSON.stringify({ sql: text, ...more }))
  return {
    status: response.status,
    body: parseJson(await response.text()) as Readonly<Record<string, unknown>>,
  }
}

async function lines(text: string): Promise<readonly unknown[]> {
  const response = await post('/sql', JSON.stringify({ sql: text }), { accept: 'application/x-ndjson' })
  expect(response.headers.get('content-type')).toContain('application/x-ndjson')
  return (await response.text()).trimEnd().split('\n').map(parseJson)
}

describe('the server', () => {
  it('says that it is well, and which roles it has', async () => {
    const response = await fetch(`${server.url}/health`)
    expect(await response.json()).toEqual({ status: 'ok', roles: ['catalog', 'query', 'agent'] })
  })

  it('serves the catalog protocol', async () => {
    expect(await (await fetch(`${server.url}/v1/config`)).json()).toHaveProperty('defaults')
    expect(await (await fetch(`${server.url}/v1/namespaces/lake/tables`)).json()).toMatchObject({
      identifiers: [{ namespace: ['lake'], name: 'orders' }],
    })
    const table = parseJson(await (await fetch(`${server.url}/v1/namespaces/lake/tables/orders`)).text())
    expect(table).toMatchObject({ metadata: { 'current-snapshot-id': snapshotId } })
    const missing = await fetch(`${server.url}/v1/namespaces/lake/tables/no`)
    expect(missing.status).toBe(404)
    expect(await missing.json()).toMatchObject({ error: { type: 'NoSuchTableException', code: 404 } })
    expect(await (await fetch(`${server.url}/v1/nothing/here`)).json()).toMatchObject({
      error: { code: 404 },
    })
    expect((await fetch(`${server.url}/v1/namespaces/lake/tables/orders`, { method: 'HEAD' })).status).toBe(
      204,
    )
  })

  it('answers 404 with an error body where nothing is', async () => {
    const response = await fetch(`${server.url}/nothing`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({
      error: { code: 'not-found', hint: expect.stringContaining('query') },
    })
  })

  it('serves no more than its roles', async () => {
    await using one = await startServer(lakehouse, { roles: ['query'], port: 0, host: '127.0.0.1' })
    expect((await fetch(`${one.url}/v1/config`)).status).toBe(404)
    expect((await fetch(`${one.url}/ask`, { method: 'POST', body: '{"question":"q"}' })).status).toBe(404)
    expect((await fetch(`${one.url}/sql`, { method: 'POST', body: '{"sql":"SELECT 1 AS x"}' })).status).toBe(
      200,
    )
  })
})

describe('POST /sql', () => {
  it('answers rows that lose nothing, with the snapshots they came from and the pruning', async () => {
    const { status, body } = await sql('SELECT * FROM lake.orders ORDER BY id')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'note', type: 'VARCHAR' },
        { name: 'price', type: 'DECIMAL(10,2)' },
        { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
      ],
      snapshots: [{ table: 'lake.orders', 'snapshot-id': snapshotId }],
      pruning: [{ table: 'lake.orders', report: { filesTotal: 1, filesKept: 1 } }],
      truncated: false,
    })
    expect(body['rows']).toEqual([
      [2, '', null, null],
      [3, null, '0.10', null],
      [9007199254740993n, 'größe 🧊', '1.50', expect.stringMatching(/^2024-01-01[T ]00:00:00/)],
    ])
  })

  it('streams a line of columns and then a line per row', async () => {
    const [head, ...rows] = await lines('SELECT id, note FROM lake.orders ORDER BY id DESC')
    expect(head).toMatchObject({
      columns: [{ name: 'id' }, { name: 'note' }],
      snapshots: [{ 'snapshot-id': snapshotId }],
    })
    expect(rows).toEqual([
      [9007199254740993n, 'größe 🧊'],
      [3, null],
      [2, ''],
    ])
  })

  it('cuts a JSON answer at its limit and says so, and a stream never', async () => {
    expect((await sql('SELECT * FROM range(20000)')).body).toMatchObject({
      truncated: true,
      rows: { length: 10_000 },
    })
    expect((await sql('SELECT * FROM range(5)', { rowsMax: 2 })).body).toMatchObject({
      truncated: true,
      rows: [[0], [1]],
    })
    expect((await sql('SELECT * FROM range(2)', { rowsMax: 2 })).body).toMatchObject({ truncated: false })
    expect(await lines('SELECT * FROM range(1100000)')).toHaveLength(1_100_001)
  })

  it('ends a stream that fails with a line that says so', async () => {
    const all = await lines(
      `SELECT CASE WHEN i < 200000 THEN i ELSE error('broken row') END FROM range(300000) t(i)`,
    )
    expect(all.length).toBeGreaterThan(0)
    expect(all.at(-1)).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } })
  })

  it('goes on serving after a reader has left in the middle of a stream', async () => {
    const stop = new AbortController()
    const body = JSON.stringify({ sql: 'SELECT * FROM range(50000000)' })
    const response = await fetch(`${server.url}/sql`, {
      method: 'POST',
      body,
      headers: { accept: 'application/x-ndjson' },
      signal: stop.signal,
    })
    await response.body?.getReader().read()
    stop.abort()
    expect((await sql('SELECT 1 AS x')).body).toMatchObject({ rows: [[1]] })
  })

  it.each([
    ['DROP TABLE lake.orders', 400],
    ['DELETE FROM lake.orders', 400],
    ["COPY lake.orders TO '/tmp/floe-must-not-exist.csv'", 400],
    ['SELECT * FROM lake.orders; SELECT 1', 400],
    ['SELEC 1', 400],
    ['SELECT nothing FROM lake.orders', 400],
    ['SELECT * FROM lake.no', 404],
    ['SELECT * FROM no.orders', 404],
  ])('refuses %s with %i', async (text, expected) => {
    const { status, body } = await sql(text)
    expect({ status, body }).toMatchObject({
      status: expected,
      body: { error: { code: expect.any(String), message: expect.any(String) } },
    })
    expect((await sql('SELECT count(*) FROM lake.orders')).body).toMatchObject({ rows: [[3]] })
  })

  it.each([
    ['reads a file', `SELECT * FROM read_csv('/etc/passwd')`],
    ['reads a file by its name', `SELECT * FROM '/etc/passwd'`],
  ])('refuses a query that %s', async (_, text) => {
    const { status } = await sql(text)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })

  it.each([
    ['what is not JSON', '{"sql": '],
    ['nothing', ''],
    ['an array', '[]'],
    ['no sql', '{}'],
    ['empty sql', '{"sql": ""}'],
    ['a member that it does not know', '{"sql": "SELECT 1", "limit": 1}'],
    ['a limit that is none', '{"sql": "SELECT 1", "rowsMax": 0}'],
    ['a limit beyond every number', '{"sql": "SELECT 1", "rowsMax": 99999999999999999999}'],
  ])('answers 400 to %s', async (_, body) => {
    const response = await post('/sql', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid-input', hint: expect.any(String) },
    })
  })

  it.each(['/sql', '/ask'])('answers 413 to a body of %s that is too long', async (route) => {
    const response = await post(route, JSON.stringify({ sql: `SELECT '${'x'.repeat(1024 * 1024)}'` }))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid-input' } })
  })
})

describe('POST /ask', () => {
  it('answers with the SQL, the rows and the snapshot that they came from', async () => {
    const response = await post('/ask', JSON.stringify({ question: 'how many orders are there' }))
    expect(response.status).toBe(200)
    expect(parseJson(await response.text())).toMatchObject({
      kind: 'answer',
      sql: expect.stringMatching(/count/i),
      rows: [[3]],
      snapshots: [{ table: 'lake.orders', 'snapshot-id': snapshotId }],
      provider: 'rules',
    })
  })

  it('says when it cannot answer', async () => {
    const response = await post('/ask', JSON.stringify({ question: 'what is the weather on the moon' }))
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      kind: expect.stringMatching(/^(cannot|clarification)$/),
      text: expect.any(String),
    })
  })

  it.each(['{', '{}', '{"question": ""}', '{"question": 1}'])('answers 400 to %s', async (body) => {
    const response = await post('/ask', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid-input' } })
  })
})

describe('startServer', () => {
  it('says which port is taken', async () => {
    const other = createTcpServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expect(startServer(lakehouse, { roles: ['query'], port, host: '127.0.0.1' })).rejects.toMatchObject(
      {
        name: 'FloeError',
        code: 'unavailable',
        message: expect.stringContaining(String(port)),
        hint: expect.stringContaining('--port'),
      },
    )
    other.close()
    await once(other, 'close')
  })

  it('finishes what is under way when it is closed, and takes no more', async () => {
    const closing = await startServer(lakehouse, { roles: ['query'], port: 0, host: '127.0.0.1' })
    const body = JSON.stringify({ sql: 'SELECT * FROM range(300000)' })
    const response = await fetch(`${closing.url}/sql`, {
      method: 'POST',
      body,
      headers: { accept: 'application/x-ndjson' },
    })
    const closed = closing.close()
    const text = await response.text()
    expect(text.trimEnd().split('\n')).toHaveLength(300_001)
    await closed
    await expect(fetch(`${closing.url}/health`)).rejects.toThrow('fetch failed')
  })
})
