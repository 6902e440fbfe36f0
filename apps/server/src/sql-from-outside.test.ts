import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseJson } from '@floe/iceberg'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer } from './server.ts'
import type { RunningServer } from './server.ts'

const arrowType = 'application/vnd.apache.arrow.stream'

let folder: string
let lakehouse: Lakehouse
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-outside-'))
  const environment = {
    FLOE_SQL_TIMEOUT_SECONDS: '20',
    FLOE_SQL_MEMORY: '64MiB',
    FLOE_SQL_RESULT_SIZE: '2MB',
  }
  lakehouse = new Lakehouse(readSettings({}, environment, folder, 1))
  const catalog = await lakehouse.catalog()
  await catalog.createNamespace(['shop'])
  await catalog.createTable(
    { namespace: ['shop'], name: 'empty' },
    { schema: { schemaId: 0, fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: false }] } },
  )
  server = await startServer(lakehouse, { roles: ['query'], port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  await server.close()
  await lakehouse.close()
  await rm(folder, { recursive: true, force: true })
})

function post(sql: string, accept = 'application/json', more: object = {}): Promise<Response> {
  const body = JSON.stringify({ sql, ...more })
  return fetch(`${server.url}/sql`, { method: 'POST', body, headers: { accept } })
}

async function log(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await readFile(path.join(folder, '.floe', 'queries.ndjson'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line) as Readonly<Record<string, unknown>>)
}

describe('POST /sql for Arrow', () => {
  it('answers an IPC stream with the snapshots in its schema', async () => {
    const response = await post(
      "SELECT i AS id, 'größe ' || i AS text FROM range(5000) t(i) LEFT JOIN shop.empty e ON e.id = i",
      arrowType,
    )
    expect(response.headers.get('content-type')).toBe(arrowType)
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()))
    expect(table.numRows).toBe(5000)
    expect(table.toArray().find((row) => row.id === 4321n)?.text).toBe('größe 4321')
    expect(parseJson(table.schema.metadata.get('floe.snapshots') ?? '')).toMatchObject([
      { table: 'shop.empty' },
    ])
    expect(
      tableFromIPC(
        new Uint8Array(await (await post('SELECT * FROM range(9)', arrowType, { rowsMax: 4 })).arrayBuffer()),
      ).numRows,
    ).toBe(4)
  })

  it('says what is wrong with a query as JSON, and breaks off what fails on the way', async () => {
    const refused = await post('DROP TABLE shop.empty', arrowType)
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'invalid-input' } }])
    const broken = await post(
      "SELECT CASE WHEN i < 200000 THEN i ELSE error('no') END FROM range(300000) t(i)",
      arrowType,
    )
    await expect(broken.arrayBuffer()).rejects.toBeInstanceOf(Error)
    expect((await post('SELECT 1')).status).toBe(200)
  })
})

describe('SQL from outside', () => {
  it('may take so much memory, so many bytes and so much time', async () => {
    const memory = await post(
      'SELECT count(*) FROM (SELECT DISTINCT md5(i::VARCHAR) || md5((i + 1)::VARCHAR) FROM range(3000000) t(i)) WHERE random() < 2',
    )
    expect([200, 507]).toContain(memory.status)
    const bytes = await post("SELECT repeat('x', 100000) FROM range(1000)", 'application/x-ndjson')
    expect((await bytes.text()).trimEnd().split('\n').at(-1)).toContain('resource-exhausted')
    const time = await post('SELECT sum(a.range * b.range) FROM range(100000000) a, range(1000) b')
    expect([time.status, await time.json()]).toMatchObject([507, { error: { code: 'resource-exhausted' } }])
  }, 60_000)

  it('leaves a line in the log, whatever comes of it', async () => {
    const before = (await log()).length
    await (await post('SELECT count(*) AS logged FROM shop.empty')).text()
    await (await post("SELECT * FROM read_text('/etc/passwd')")).text()
    await (await post('SELECT nothing FROM shop.empty')).text()
    await (await post('SELECT i FROM range(3000) t(i)', arrowType)).arrayBuffer()
    const lines = (await log()).slice(before)
    expect(lines.map(({ outcome, rows }) => [outcome, rows])).toEqual([
      ['ok', 1],
      ['permission-denied', 0],
      ['invalid-input', 0],
      ['ok', 3000],
    ])
    expect(lines[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-/),
      principal: 'anonymous',
      outcome: 'ok',
      ms: expect.any(Number),
      rows: 1,
      snapshots: [{ table: 'shop.empty', 'snapshot-id': null }],
      sql: 'SELECT count(*) AS logged FROM shop.empty',
    })
  })

  it('is not run when the log cannot be written', async () => {
    await using blocked = new Lakehouse(
      readSettings({}, { FLOE_QUERY_LOG: '/dev/null/queries.ndjson' }, folder, 1),
    )
    await using own = await startServer(blocked, { roles: ['query'], port: 0, host: '127.0.0.1' })
    const response = await fetch(`${own.url}/sql`, { method: 'POST', body: '{"sql": "SELECT 1"}' })
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: 'unavailable' } }])
  })
})
