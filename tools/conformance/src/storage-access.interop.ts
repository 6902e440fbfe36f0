import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { installMinio, installPyIceberg, installPyIcebergS3fs, startMinio, startS3Server } from '@floe/peers'
import type { S3Server } from '@floe/peers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startFloeServer } from './floe-process.ts'
import { parseRows, runPython } from './python.ts'

beforeAll(async () => {
  await installMinio()
  await installPyIcebergS3fs()
})

/** PyIceberg without keys of its own, against a catalog whose tables are in S3. */
async function useTables(
  server: S3Server,
  mechanism: string,
  more: Readonly<Record<string, string>>,
  install: () => Promise<string>,
): Promise<unknown> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-access-'))
  try {
    await using floe = await startFloeServer('catalog', folder, {
      FLOE_WAREHOUSE: `s3://${server.bucket}/warehouse`,
      FLOE_S3_ENDPOINT: server.endpoint,
      FLOE_S3_REGION: server.region,
      FLOE_S3_ACCESS_KEY_ID: server.accessKeyId,
      FLOE_S3_SECRET_ACCESS_KEY: server.secretAccessKey,
      ...more,
    })
    const [report] = parseRows(await runPython('storage_access.py', [floe.url, mechanism], install))
    return report
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const refused = {
  'its file': expect.any(String),
  'a folder that begins like it': expect.any(String),
  'a write': expect.any(String),
}

describe('a client without keys', () => {
  it('reads and writes its table by requests that the catalog signs, and nothing else', async () => {
    await using server = await startS3Server()
    const report = await useTables(server, 'remote-signing', {}, installPyIcebergS3fs)
    expect(report).toEqual({ rows: 990, some: 30, refused, keys: [] })
  })

  it('reads and writes its table by keys from STS, and nothing else', async () => {
    await using server = await startMinio()
    const sts = { FLOE_S3_STS_ENDPOINT: server.endpoint }
    const report = await useTables(server, 'vended-credentials', sts, installPyIceberg)
    const keys = ['s3.secret-access-key', 's3.session-token', 's3.session-token-expires-at-ms']
    expect(report).toEqual({ rows: 990, some: 30, refused, keys })
  })
})
