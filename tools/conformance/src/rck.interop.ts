import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { installIcebergKit, runIcebergKit, startMinio } from '@floe/peers'
import type { KitClass, KitOptions, S3Server } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFloeServer } from './floe-process.ts'

beforeAll(() => installIcebergKit())

/** One class takes half a minute on a machine of its own. */
const classTimeoutMs = 1_200_000

/** Tests that pass, and those that the kit itself leaves out: empty namespaces, and names that its own class switches off. */
const kit: readonly (readonly [KitClass, { passed: number; skipped: number }])[] = [
  ['catalog', { passed: 95, skipped: 11 }],
  ['views', { passed: 50, skipped: 1 }],
  ['extended', { passed: 101, skipped: 5 }],
]

/** Runs one class against a server of its own. Tables are dropped without purge: each run needs a new warehouse. */
async function runKit(
  kitClass: KitClass,
  settings: Readonly<Record<string, string>>,
  options: KitOptions = {},
): Promise<{ readonly passed: number; readonly skipped: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-rck-'))
  try {
    await using server = await startFloeServer('catalog', folder, settings)
    // The kit asks for a warehouse of its own name when it is given none.
    const properties = { warehouse: 'default', ...options.properties }
    const { failed, ...rest } = await runIcebergKit(kitClass, server.url, { ...options, properties })
    expect(failed).toEqual([])
    return rest
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('the Iceberg REST compatibility kit, against a catalog on SQLite and local files', () => {
  it.each(kit)(
    'passes its tests of %s: %j',
    async (kitClass, counts) => {
      expect(await runKit(kitClass, {})).toEqual(counts)
    },
    classTimeoutMs,
  )
})

describe('the Iceberg REST compatibility kit, against a catalog on PostgreSQL and local files', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  it.each(kit)(
    'passes its tests of %s: %j',
    async (kitClass, counts) => {
      const database = new URL(postgres.url)
      database.searchParams.set('schema', `kit_${kitClass}`)
      expect(await runKit(kitClass, { FLOE_CATALOG: database.href })).toEqual(counts)
    },
    classTimeoutMs,
  )
})

describe('the Iceberg REST compatibility kit, against a catalog on SQLite and MinIO', () => {
  let s3: S3Server
  beforeAll(async () => {
    s3 = await startMinio()
  })
  afterAll(() => s3[Symbol.asyncDispose]())

  // This one moves the metadata file as a file of the machine.
  const excluded = 'testLoadTableWithMissingMetadataFile'
  const onS3 = kit.map(
    ([kitClass, { passed, skipped }]) =>
      [kitClass, { passed: kitClass === 'views' ? passed : passed - 1, skipped }] as const,
  )

  it.each(onS3)(
    'passes its tests of %s: %j',
    async (kitClass, counts) => {
      const settings = {
        FLOE_WAREHOUSE: `s3://${s3.bucket}/${kitClass}`,
        FLOE_S3_ENDPOINT: s3.endpoint,
        FLOE_S3_REGION: s3.region,
        FLOE_S3_ACCESS_KEY_ID: s3.accessKeyId,
        FLOE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      }
      const properties = { 's3.access-key-id': s3.accessKeyId, 's3.secret-access-key': s3.secretAccessKey }
      expect(await runKit(kitClass, settings, { properties, excluded })).toEqual(counts)
    },
    classTimeoutMs,
  )
})
