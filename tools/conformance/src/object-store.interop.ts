import { randomUUID } from 'node:crypto'
import { startS3Server } from '@floe/peers'
import type { S3Server } from '@floe/peers'
import { describeObjectStore } from '@floe/storage/contract'
import { openS3Store } from '@floe/storage/s3'
import type { S3Store } from '@floe/storage/s3'
import { afterAll, beforeAll, expect, it } from 'vitest'

/** The contract of ObjectStore against a real S3 server. */
const partBytes = 5 * 1024 * 1024

let server: S3Server
let store: S3Store

beforeAll(async () => {
  server = await startS3Server()
  store = openS3Store({ s3: server, partBytes })
})
afterAll(async () => {
  store.close()
  await server[Symbol.asyncDispose]()
})

function place(): string {
  return `s3://${server.bucket}/${randomUUID()}`
}

describeObjectStore('the S3 store', async () => ({ store, base: place() }))

it('refuses a wrong key as permission-denied, a wrong bucket as not-found', async () => {
  const stranger = openS3Store({ s3: { ...server, secretAccessKey: 'wrong' } })
  await expect(stranger.put(`${place()}/x`, new Uint8Array(1))).rejects.toMatchObject({
    code: 'permission-denied',
  })
  stranger.close()
  const put = store.put(`s3://no-such-bucket-${randomUUID()}/x`, new Uint8Array(1))
  await expect(put).rejects.toMatchObject({ code: 'not-found' })
})

it('lists and deletes more objects than one page holds', async () => {
  const base = place()
  const locations = Array.from({ length: 1005 }, (_, index) => `${base}/${index}`)
  for (let start = 0; start < locations.length; start += 32) {
    const some = locations.slice(start, start + 32)
    await Promise.all(some.map((location) => store.put(location, new Uint8Array(1))))
  }
  const listed = await Array.fromAsync(store.list(`${base}/`))
  expect(listed.map((info) => info.location).sort()).toEqual([...locations].sort())
  await store.delete(locations)
  expect(await Array.fromAsync(store.list(`${base}/`))).toEqual([])
})
