import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fillSocial } from '@floe/datasets'
import { startS3Server } from '@floe/peers'
import type { S3Server } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { floeOutput, runFloe, startFloeServer } from './floe-process.ts'
import type { FloeServer } from './floe-process.ts'
import { parseRows, runPython } from './python.ts'

/** The services of docker-compose.yml as processes: PostgreSQL, an S3 server, catalog, load, query, agent. */
let postgres: TestPostgres & AsyncDisposable
let s3: S3Server
let folder: string
let catalog: FloeServer
let settings: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-services-'))
  postgres = await startPostgres()
  s3 = await startS3Server()
  await fillSocial(postgres.url)
  settings = {
    FLOE_WAREHOUSE: `s3://${s3.bucket}/warehouse`,
    FLOE_S3_ENDPOINT: s3.endpoint,
    FLOE_S3_REGION: s3.region,
    FLOE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    FLOE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    FLOE_S3_PATH_STYLE: 'true',
  }
  catalog = await startFloeServer('catalog', folder, settings)
  settings = { ...settings, FLOE_CATALOG: catalog.url }
})
afterAll(async () => {
  await catalog[Symbol.asyncDispose]()
  await s3[Symbol.asyncDispose]()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The command of a service in docker-compose.yml, without the program's name. */
async function composeCommand(service: string): Promise<readonly string[]> {
  const text = await readFile(new URL('../../../docker-compose.yml', import.meta.url), 'utf8')
  const compose = parse(text) as { services: Record<string, { command?: string | readonly string[] }> }
  const command = compose.services[service]?.command
  const words = typeof command === 'string' ? command.split(' ') : (command ?? [])
  return words[0] === 'floe' ? words.slice(1) : words
}

describe('the services of the compose file, against a real S3 server', () => {
  it('load the social schema with the command of the etl service', async () => {
    const command = await composeCommand('etl')
    const words = command.map((word) => (word.startsWith('${FLOE_SOURCE_URL') ? postgres.url : word))
    expect(words).toContain(postgres.url)
    await floeOutput(words, folder, settings)
    const listed = await floeOutput(['table', 'list', '--output', 'csv'], folder, settings)
    expect(listed.trim().split('\n').slice(1).toSorted()).toEqual([
      'social,follows',
      'social,likes',
      'social,posts',
      'social,users',
    ])
  })

  it('answer SQL over HTTP from the query service', async () => {
    await using query = await startFloeServer('query', folder, settings)
    const sql = 'SELECT count(*) AS n, count(DISTINCT user_id) AS authors FROM social.posts'
    const response = await fetch(`${query.url}/sql`, { method: 'POST', body: JSON.stringify({ sql }) })
    const [source] = await postgres.query<{ n: number; authors: number }>(
      `SELECT count(*)::int AS n, count(DISTINCT user_id)::int AS authors FROM social.posts`,
    )
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ rows: [[source?.n, source?.authors]] })
  })

  it('answer a question over HTTP from the agent service, with the snapshot it read', async () => {
    await using agent = await startFloeServer('agent', folder, settings)
    const body = JSON.stringify({ question: 'how many users are there?' })
    const response = await fetch(`${agent.url}/ask`, { method: 'POST', body })
    const answer = (await response.json()) as Record<string, unknown>
    const [source] = await postgres.query<{ n: number }>('SELECT count(*)::int AS n FROM social.users')
    expect(answer).toMatchObject({
      kind: 'answer',
      rows: [[source?.n]],
      snapshots: [{ table: 'social.users' }],
    })
  })

  it('let PyIceberg read the tables from S3 with the settings that the catalog hands out', async () => {
    const keys = [`s3.access-key-id=${s3.accessKeyId}`, `s3.secret-access-key=${s3.secretAccessKey}`]
    const rows = parseRows(await runPython('read_table.py', [catalog.url, 'social.users', ...keys]))
    const [source] = await postgres.query<{ n: number }>('SELECT count(*)::int AS n FROM social.users')
    expect(rows).toHaveLength(source?.n ?? -1)
  })

  it('leave no object behind when a load fails', async () => {
    await postgres.query(`CREATE SCHEMA bad; CREATE TABLE bad.clock AS
      SELECT i AS id, timestamp '2024-01-01' AS at FROM generate_series(1, 200000) i; INSERT INTO bad.clock VALUES (0, 'infinity')`)
    const { code, stderr } = await runFloe(
      ['load', '--from', postgres.url, '--table', 'bad.clock', '--to', 'bad'],
      folder,
      settings,
    )
    expect(code).not.toBe(0)
    expect(stderr).toContain('hint:')
    const { code: missing } = await runFloe(['table', 'show', 'bad.clock'], folder, settings)
    expect(missing).toBe(3)
  })
})
