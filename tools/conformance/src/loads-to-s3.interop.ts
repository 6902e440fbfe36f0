import { randomUUID } from 'node:crypto'
import { describeLoads } from '@floe/etl/contract'
import { isMinioInstalled, startMinio, startS3Server } from '@floe/peers'
import type { S3Server } from '@floe/peers'
import { openObjectStore } from '@floe/storage'
import { afterAll, beforeAll } from 'vitest'
import { isFullLane } from './lane.ts'

/** What loads to local files keep, they keep on S3. */
const isMinio = isFullLane || isMinioInstalled()
const name = isMinio ? 'MinIO' : 'versitygw'

let server: S3Server

beforeAll(async () => {
  server = isMinio ? await startMinio() : await startS3Server()
})
afterAll(() => server[Symbol.asyncDispose]())

describeLoads(name, async () => {
  const warehouse = `s3://${server.bucket}/${randomUUID()}`
  // Plain data, since it goes to the workers.
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const storeSettings = { s3: { endpoint, region, accessKeyId, secretAccessKey } }
  const dataFiles = async (): Promise<readonly string[]> => {
    await using store = openObjectStore(storeSettings)
    const objects = await Array.fromAsync(store.list(`${warehouse}/`))
    const names = objects.map(({ location }) => location).filter((location) => location.endsWith('.parquet'))
    return [...names, ...server.unfinishedUploads()].toSorted()
  }
  return { warehouse, storeSettings, dataFiles, [Symbol.asyncDispose]: async () => {} }
})
