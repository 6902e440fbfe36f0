import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startRestReference, startS3Server } from '@floe/peers'
import type { RestReference, S3Server } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { floeOutput, runFloe } from './floe-process.ts'
import { parseRows } from './python.ts'

/** A catalog of others that hands out the keys of its storage, and a user who has none. */
let s3: S3Server
let postgres: TestPostgres & AsyncDisposable
let folder: string
/** The reference catalog hands out keys, and says nothing about the server that takes them. */
let where: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-vended-'))
  s3 = await startS3Server()
  where = { FLOE_S3_ENDPOINT: s3.endpoint, FLOE_S3_REGION: s3.region }
  postgres = await startPostgres()
  await postgres.query(`CREATE SCHEMA shop; CREATE TABLE shop.orders AS
    SELECT i::bigint AS id, 'note ' || i AS note FROM generate_series(1, 5000) i`)
})
afterAll(async () => {
  await postgres.stop()
  await s3[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function startCatalog(more: Readonly<Record<string, string>>): Promise<RestReference> {
  return startRestReference({
    settings: {
      CATALOG_WAREHOUSE: `s3://${s3.bucket}/warehouse`,
      CATALOG_IO__IMPL: 'org.apache.iceberg.aws.s3.S3FileIO',
      CATALOG_S3_ENDPOINT: s3.endpoint,
      CATALOG_S3_PATH__STYLE__ACCESS: 'true',
      CATALOG_S3_ACCESS__KEY__ID: s3.accessKeyId,
      CATALOG_S3_SECRET__ACCESS__KEY: s3.secretAccessKey,
      CATALOG_CLIENT_REGION: s3.region,
      AWS_REGION: s3.region,
      ...more,
    },
  })
}

describe('a catalog that vends credentials', () => {
  it('lets floe load and query without any key of its own', async () => {
    await using catalog = await startCatalog({ CATALOG_INCLUDE__CREDENTIALS: 'true' })
    const words = ['load', '--from', postgres.url, '--table', 'shop.orders', '--to', 'lake', '--workers', '2']
    await floeOutput([...words, '--catalog', catalog.uri], folder, where)
    await floeOutput([...words, '--mode', 'append', '--catalog', catalog.uri], folder, where)
    const sql = 'SELECT count(*)::INTEGER AS n, max(id)::INTEGER AS last FROM lake.orders'
    const output = await floeOutput(
      ['sql', sql, '--output', 'ndjson', '--catalog', catalog.uri],
      folder,
      where,
    )
    expect(parseRows(output)).toEqual([{ n: 10_000, last: 5_000 }])
  })

  it('is what makes it work: without the keys it does not', async () => {
    await using catalog = await startCatalog({})
    const words = ['load', '--from', postgres.url, '--table', 'shop.orders', '--to', 'lake']
    const { code } = await runFloe([...words, '--catalog', catalog.uri], folder, {
      ...where,
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: folder,
    })
    expect(code).not.toBe(0)
  })
})
