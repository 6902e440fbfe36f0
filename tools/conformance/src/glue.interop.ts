import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPyIcebergGlue, startAwsServer } from '@floe/peers'
import type { AwsServer } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { floeOutput } from './floe-process.ts'
import { parseRows } from './python.ts'
import { startStrictGlue } from './strict-glue.ts'
import type { StrictGlue } from './strict-glue.ts'

/** AWS Glue in place of Floe's catalog, by one line of configuration, and PyIceberg's Glue catalog beside it. */
let aws: AwsServer
let glue: StrictGlue
let postgres: TestPostgres & AsyncDisposable
let folder: string
let settings: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-glue-'))
  aws = await startAwsServer()
  glue = await startStrictGlue(aws.endpoint)
  postgres = await startPostgres()
  await postgres.query(`CREATE SCHEMA shop; CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text, price numeric(10,2));
    INSERT INTO shop.orders SELECT i, 'note ' || i, i / 4.0 FROM generate_series(1, 1000) i`)
  const catalog = `glue://${aws.region}?endpoint=${encodeURIComponent(glue.endpoint)}`
  await writeFile(
    path.join(folder, 'floe.config.yaml'),
    `catalog: ${catalog}\nwarehouse: s3://${aws.bucket}/wh\n`,
  )
  settings = {
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    FLOE_S3_ENDPOINT: aws.endpoint,
    FLOE_S3_REGION: aws.region,
  }
})
afterAll(async () => {
  await postgres.stop()
  await glue[Symbol.asyncDispose]()
  await aws[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function python(script: string, args: readonly string[]): Promise<string> {
  const file = fileURLToPath(new URL(`../python/${script}`, import.meta.url))
  const more = [
    'type=glue',
    `glue.endpoint=${glue.endpoint}`,
    `glue.region=${aws.region}`,
    `glue.access-key-id=${aws.accessKeyId}`,
    `glue.secret-access-key=${aws.secretAccessKey}`,
    `s3.endpoint=${aws.endpoint}`,
    `s3.region=${aws.region}`,
    `s3.access-key-id=${aws.accessKeyId}`,
    `s3.secret-access-key=${aws.secretAccessKey}`,
    `warehouse=s3://${aws.bucket}/peer`,
  ]
  const command = await installPyIcebergGlue()
  const { stdout } = await promisify(execFile)(command, [file, glue.endpoint, ...args, ...more], {
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout
}

async function sql(query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return parseRows(await floeOutput(['sql', query, '--output', 'ndjson'], folder, settings))
}

describe('AWS Glue in place of the catalog', () => {
  it('takes loads, and PyIceberg reads what they have written', async () => {
    const words = ['load', '--from', postgres.url, '--table', 'shop.orders', '--to', 'shop']
    await floeOutput(words, folder, settings)
    await floeOutput([...words, '--mode', 'append'], folder, settings)
    expect(await sql('SELECT count(*)::INTEGER AS n FROM shop.orders')).toEqual([{ n: 2000 }])
    const rows = parseRows(await python('read_table.py', ['shop.orders']))
    expect(rows).toHaveLength(2000)
    expect(rows.find(({ id }) => id === '7')).toMatchObject({ id: '7', note: 'note 7', price: '1.75' })
  })

  it('shows the columns and the metadata file to those who look into Glue', async () => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSGlue.GetTable',
        authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${aws.region}/glue/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify({ DatabaseName: 'shop', Name: 'orders' }),
    })
    expect(await response.json()).toMatchObject({
      Table: {
        TableType: 'EXTERNAL_TABLE',
        Parameters: {
          table_type: 'ICEBERG',
          metadata_location: expect.stringMatching(/\/metadata\/00001-[^/]*\.metadata\.json$/),
          previous_metadata_location: expect.stringMatching(/\/metadata\/00000-[^/]*\.metadata\.json$/),
        },
        StorageDescriptor: {
          Columns: [
            { Name: 'id', Type: 'bigint', Parameters: { 'iceberg.field.id': '1' } },
            { Name: 'note', Type: 'string' },
            { Name: 'price', Type: 'decimal(10,2)', Parameters: { 'iceberg.field.optional': 'true' } },
          ],
        },
      },
    })
  })

  it('gives Floe the tables that PyIceberg writes, across its commits', async () => {
    await python('write_table.py', ['peer.things'])
    const rows = parseRows(await python('read_table.py', ['peer.things']))
    expect(rows).toHaveLength(30)
    const [floe] = await sql('SELECT count(*)::INTEGER AS n, sum(id)::INTEGER AS ids FROM peer.things')
    expect(floe).toEqual({ n: 30, ids: rows.reduce((sum, { id }) => sum + Number(id), 0) })
    const listed = await floeOutput(['table', 'list', '--output', 'csv'], folder, settings)
    expect(listed.trim().split('\n').slice(1).toSorted()).toEqual(['peer,things', 'shop,orders'])
  })
})
