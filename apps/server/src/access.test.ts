import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import type { AccessAdmin, Securable } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverRoles } from './server-role.ts'
import { startServer } from './server.ts'
import type { RunningServer } from './server.ts'

const bootstrap = 'a-bootstrap-token-of-some-length'
const source = `
  CREATE SCHEMA hr;
  CREATE TABLE hr.people (id bigint PRIMARY KEY, name text, country text);
  INSERT INTO hr.people VALUES (1, 'Ada Lovelace', 'UK'), (2, 'Grace Hopper', 'US');
  CREATE TABLE hr.salaries (id bigint PRIMARY KEY, amount int);
  INSERT INTO hr.salaries VALUES (1, 700)`
const people = { namespace: ['hr'], name: 'people' }
const onPeople: Securable = { kind: 'table', identifier: people }

let folder: string
let lakehouse: Lakehouse
let front: Lakehouse
/** One server with the catalog, and one that asks the first for everything. */
let servers: readonly [RunningServer, RunningServer]
let admin: AccessAdmin

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-server-access-'))
  lakehouse = new Lakehouse(readSettings({ bootstrapToken: bootstrap }, {}, folder, 1))
  await using postgres = await startPostgres()
  await postgres.query(source)
  await lakehouse.load({ sourceUrl: postgres.url, tables: ['hr.*'], namespace: ['hr'], mode: 'create' })
  const settings = { roles: serverRoles, port: 0, host: '127.0.0.1' }
  const first = await startServer(lakehouse, settings)
  front = new Lakehouse(
    readSettings({ catalog: first.url, auth: 'on', cacheDirectory: 'front' }, {}, folder, 1),
  )
  servers = [first, await startServer(front, { ...settings, roles: ['query', 'agent'] })]
  admin = await lakehouse.accessAdmin()
})

afterAll(async () => {
  for (const server of servers.toReversed()) await server.close()
  await front.close()
  await lakehouse.close()
  await rm(folder, { recursive: true, force: true })
})

async function tokenFor(name: string, on?: Securable): Promise<string> {
  const to = { kind: 'principal', name } as const
  if (on !== undefined) await admin.addGrant({ to, privilege: 'read', on })
  return (await admin.createToken({ principal: { name, roles: [] }, kind: 'token' })).text
}

async function post(
  url: string,
  route: string,
  token: string | undefined,
  body: object,
): Promise<{ status: number; body: object }> {
  const response = await fetch(`${url}${route}`, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as object }
}

describe.each([
  ['the server with the catalog', 0],
  ['a server in front of it', 1],
] as const)('%s', (_title, at) => {
  const sql = async (token: string | undefined, text: string): ReturnType<typeof post> =>
    post(servers[at].url, '/sql', token, { sql: text })

  it('asks for a token, and tells its health without one', async () => {
    expect((await sql(undefined, 'SELECT 1')).status).toBe(401)
    expect((await post(servers[at].url, '/ask', undefined, { question: 'how many people' })).status).toBe(401)
    expect((await fetch(`${servers[at].url}/health`)).status).toBe(200)
  })

  it('reads what the asker may read, wherever the table stands', async () => {
    const token = await tokenFor(`ada${at}`, onPeople)
    expect(await sql(token, 'SELECT count(*) FROM hr.people')).toMatchObject({
      status: 200,
      body: { rows: [[2]] },
    })
    expect(await sql(token, 'SELECT count(*) FROM people')).toMatchObject({ body: { rows: [[2]] } })
    for (const text of [
      'SELECT * FROM hr.salaries',
      'SELECT (SELECT max(amount) FROM hr.salaries)',
      'WITH s AS (FROM hr.salaries) SELECT * FROM s',
      'SELECT p.id FROM hr.people p JOIN hr.salaries s USING (id)',
      'DESCRIBE hr.salaries',
      'SELECT * FROM hr."salaries$files"',
      'SELECT * FROM hr.salaries.snapshots',
    ])
      expect(await sql(token, text), text).toMatchObject({
        status: 403,
        body: { error: { code: 'permission-denied' } },
      })
    const bare = await sql(token, 'SELECT * FROM salarie')
    expect(bare.status).toBe(404)
    expect(JSON.stringify(bare)).not.toContain('hr.salaries')
  })

  it('gives numbers and the list of what is served to those who are known', async () => {
    const token = await tokenFor(`nobody${at}`)
    for (const path of ['/metrics', '/openapi.json']) {
      const get = async (headers: Record<string, string>): Promise<number> =>
        (await fetch(`${servers[at].url}${path}`, { headers })).status
      expect(await get({}), path).toBe(401)
      if (at === 0) expect(await get({ authorization: `Bearer ${token}` }), path).toBe(200)
      expect(await get({ authorization: 'Bearer floe_none' }), path).not.toBe(200)
    }
    expect((await fetch(`${servers[at].url}/ready`)).status).toBe(200)
  })

  it('reads a view for those who may read what it stands on as well', async () => {
    const view = { namespace: ['hr'], name: `paid${at}` }
    const catalog = await lakehouse.catalog()
    await catalog.createView(view, {
      schema: { schemaId: 0, fields: [{ id: 1, name: 'amount', type: { kind: 'int' }, required: false }] },
      version: {
        versionId: 1,
        timestampMs: 1,
        schemaId: 0,
        summary: {},
        representations: [{ type: 'sql', sql: 'SELECT amount FROM salaries', dialect: 'duckdb' }],
        defaultNamespace: ['hr'],
      },
    })
    const text = `SELECT * FROM hr.paid${at}`
    const token = await tokenFor(`dan${at}`, onPeople)
    expect((await sql(token, text)).status).toBe(403)
    await tokenFor(`dan${at}`, { kind: 'table', identifier: view })
    expect((await sql(token, text)).status).toBe(403)
    await tokenFor(`dan${at}`, { kind: 'table', identifier: { namespace: ['hr'], name: 'salaries' } })
    expect(await sql(token, text)).toMatchObject({ status: 200, body: { rows: [[700]] } })
  })

  it('answers questions from what the asker may read', async () => {
    const token = await tokenFor(`bea${at}`, onPeople)
    const asked = await post(servers[at].url, '/ask', token, {
      question: 'what is the largest amount in salaries',
    })
    expect(JSON.stringify(asked.body)).not.toContain('700')
    const count = await post(servers[at].url, '/ask', token, { question: 'how many people' })
    expect(count).toMatchObject({ status: 200, body: { rows: [[2]] } })
  })

  it('shows of a restricted table what the asker may see', async () => {
    const name = `cleo${at}`
    const token = await tokenFor(name, onPeople)
    const to = { kind: 'principal', name } as const
    await admin.addRestriction({
      to,
      table: people,
      rowFilter: "country = 'UK'",
      masks: [{ column: 'name', action: 'show-first-4' }],
    })
    expect(await sql(token, 'SELECT id, name FROM hr.people')).toMatchObject({
      status: 200,
      body: { rows: [[1, 'Ada xxxxxxxx']], pruning: [] },
    })
    expect(await sql(token, "SELECT count(*) FROM hr.people WHERE name LIKE 'Ada L%'")).toMatchObject({
      body: { rows: [[0]] },
    })
    expect((await sql(token, 'SELECT * FROM hr."people$files"')).status).toBe(403)
    expect((await sql(token, 'SELECT * FROM hr."people$snapshots"')).status).toBe(200)
    const { body } = await post(servers[at].url, '/ask', token, { question: 'how many people' })
    expect(body).toMatchObject({ rows: [[1]] })
  })
})
