import { randomUUID } from 'node:crypto'

import { expect, it } from 'vitest'

import { describeObjectStore } from '../object-store-contract.ts'
import { openS3Store } from './index.ts'

/** The contract against a real server, which the interop lane starts. */
const endpoint = requiredSetting('FLOE_TEST_S3_ENDPOINT')
const bucket = requiredSetting('FLOE_TEST_S3_BUCKET')
const accessKeyId = requiredSetting('AWS_ACCESS_KEY_ID')
const secretAccessKey = requiredSetting('AWS_SECRET_ACCESS_KEY')

const partBytes = 5 * 1024 * 1024
const s3 = { endpoint, accessKeyId, secretAccessKey }

describeObjectStore('the S3 store', async () => ({
  store: openS3Store({ s3, partBytes }),
  base: `s3://${bucket}/${randomUUID()}`,
}))

it('refuses a wrong key as permission-denied, a wrong bucket as not-found', async () => {
  const stranger = openS3Store({ s3: { ...s3, secretAccessKey: 'wrong' } })
  await expect(stranger.put(`s3://${bucket}/x`, new Uint8Array(1))).rejects.toMatchObject({
    code: 'permission-denied',
  })
  const put = openS3Store({ s3 }).put(`s3://no-such-bucket-${randomUUID()}/x`, new Uint8Array(1))
  await expect(put).rejects.toMatchObject({ code: 'not-found' })
})

it('lists and deletes more objects than one page holds', async () => {
  const store = openS3Store({ s3 })
  const base = `s3://${bucket}/${randomUUID()}`
  const locations = Array.from({ length: 1005 }, (_, index) => `${base}/${index}`)
  for (let start = 0; start < locations.length; start += 32) {
    await Promise.all(
      locations.slice(start, start + 32).map((location) => store.put(location, new Uint8Array(1))),
    )
  }
  const listed = await Array.fromAsync(store.list(`${base}/`))
  expect(listed.map((info) => info.location).sort()).toEqual([...locations].sort())
  await store.delete(locations)
  expect(await Array.fromAsync(store.list(`${base}/`))).toEqual([])
})

function requiredSetting(name: string): string {
  const value = process.env[name]
  if (value !== undefined && value !== '') return value
  throw new Error(
    `${name} is not set: start an S3 server, create a bucket, and set FLOE_TEST_S3_ENDPOINT (http://host:port), ` +
      'FLOE_TEST_S3_BUCKET, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  )
}
