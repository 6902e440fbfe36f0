import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { describeObjectStore } from '../object-store-contract.ts'
import { openS3Store } from './index.ts'
import type { S3Store } from './index.ts'
import { LocalS3Server } from './local-s3-server.ts'
import type { Fault } from './local-s3-server.ts'

const MiB = 1024 * 1024
const partBytes = 5 * MiB

let server: LocalS3Server
let store: S3Store
let tests = 0

beforeEach(async () => {
  server = new LocalS3Server()
  const endpoint = await server.listen()
  store = openS3Store({
    s3: { endpoint, accessKeyId: 'test-key', secretAccessKey: 'test-secret' },
    partBytes,
  })
})

afterEach(async () => {
  store.close()
  await server.close()
})

describeObjectStore('the S3 store', async () => ({ store, base: `s3://bucket/${(tests += 1)}` }))

const operations = (): readonly string[] => server.calls.map((call) => call.operation)
const count = (operation: string): number => operations().filter((name) => name === operation).length

/** The fault befalls the first `times` calls of the operation. */
function failing(operation: string, fault: Fault, times = Infinity): void {
  let left = times
  server.fault = (call) => (call.operation === operation && left-- > 0 ? fault : undefined)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

describe('an upload', () => {
  it('is one PutObject when it fits into a part, and full parts otherwise', async () => {
    const small = await store.openUpload('s3://bucket/small')
    await small.write(new Uint8Array(partBytes))
    await small.complete()
    expect(operations()).toEqual(['PutObject'])
    const large = await store.openUpload('s3://bucket/large')
    await large.write(new Uint8Array(2 * partBytes + 1))
    await large.complete()
    const parts = server.calls.filter((call) => call.operation === 'UploadPart')
    const sizes = parts.map((call) => call.body.length).sort((left, right) => left - right)
    expect(sizes).toEqual([1, partBytes, partBytes])
    expect(server.objects.get('large')?.bytes).toHaveLength(2 * partBytes + 1)
  })

  it('takes no more bytes than its parts in flight while they hang', async () => {
    failing('UploadPart', 'hang')
    const upload = await store.openUpload('s3://bucket/large')
    const total = 12 * partBytes
    let accepted = 0
    const writing = (async () => {
      for (let sent = 0; sent < total; sent += MiB) {
        await upload.write(new Uint8Array(MiB))
        accepted += MiB
      }
    })()
    await until(() => count('UploadPart') === 3)
    for (let turns = 0; turns < 200; turns++) await turn()
    expect(count('UploadPart')).toBe(3)
    expect(accepted).toBeGreaterThanOrEqual(3 * partBytes)
    expect(accepted).toBeLessThanOrEqual(4 * partBytes)
    server.fault = () => undefined
    server.release()
    await writing
    expect(await upload.complete()).toEqual({ sizeBytes: total })
    expect(server.objects.get('large')?.bytes).toHaveLength(total)
  })

  it('cuts the parts that hang when it is aborted, and leaves none', async () => {
    failing('UploadPart', 'hang')
    const upload = await store.openUpload('s3://bucket/large')
    const writing = upload.write(new Uint8Array(8 * partBytes)).catch((error: unknown) => error)
    await until(() => count('UploadPart') === 3)
    expect(server.uploads.size).toBe(1)
    await upload.abort()
    expect(await writing).toMatchObject({ code: 'cancelled' })
    expect(count('AbortMultipartUpload')).toBe(1)
    expect([server.uploads.size, server.objects.size]).toEqual([0, 0])
  })

  it('is cleaned up by its signal alone', async () => {
    failing('UploadPart', 'hang')
    const controller = new AbortController()
    const upload = await store.openUpload('s3://bucket/large', { signal: controller.signal })
    const writing = upload.write(new Uint8Array(8 * partBytes)).catch((error: unknown) => error)
    await until(() => count('UploadPart') === 3)
    controller.abort()
    expect(await writing).toMatchObject({ code: 'cancelled' })
    await until(() => server.uploads.size === 0)
  })

  it('fails at its first failed part, not at its end, and leaves nothing', async () => {
    failing('UploadPart', { status: 403, code: 'AccessDenied' }, 1)
    const upload = await store.openUpload('s3://bucket/large')
    const writing = upload.write(new Uint8Array(40 * partBytes))
    await expect(writing).rejects.toMatchObject({ code: 'permission-denied' })
    expect(count('UploadPart')).toBeLessThan(10)
    await expect(upload.complete()).rejects.toMatchObject({ code: 'permission-denied' })
    expect([server.uploads.size, server.objects.size]).toEqual([0, 0])
  })

  it('leaves no parts when it cannot be completed', async () => {
    failing('CompleteMultipartUpload', { status: 403, code: 'AccessDenied' })
    const upload = await store.openUpload('s3://bucket/large')
    await upload.write(new Uint8Array(2 * partBytes))
    await expect(upload.complete()).rejects.toMatchObject({ code: 'permission-denied' })
    expect([server.uploads.size, server.objects.size]).toEqual([0, 0])
  })

  it('is found page by page among longer keys, and aborted, when it is discarded', async () => {
    for (const key of ['a', 'a', 'a', 'a1', 'a2', '0']) {
      server.uploads.set(`${key}-${server.uploads.size}`, { key, parts: new Map() })
    }
    server.keysPerPage = 2
    await store.discardUploads(['s3a://bucket/a'])
    expect([...server.uploads.values()].map(({ key }) => key)).toEqual(['a1', 'a2', '0'])
    expect([count('ListMultipartUploads'), count('AbortMultipartUpload')]).toEqual([2, 3])
  })

  it('may end while it is discarded; any other refusal is the error', async () => {
    server.uploads.set('one', { key: 'a', parts: new Map() })
    failing('AbortMultipartUpload', { status: 404, code: 'NoSuchUpload' }, 1)
    await store.discardUploads(['s3://bucket/a'])
    failing('AbortMultipartUpload', { status: 403, code: 'AccessDenied' })
    await expect(store.discardUploads(['s3://bucket/a'])).rejects.toMatchObject({ code: 'permission-denied' })
  })

  it('survives a part whose connection breaks', async () => {
    failing('UploadPart', 'drop', 2)
    const upload = await store.openUpload('s3://bucket/large')
    await upload.write(new Uint8Array(3 * partBytes).fill(7))
    await upload.complete()
    expect(server.objects.get('large')?.bytes.every((byte) => byte === 7)).toBe(true)
  })

  it('that was completed but whose answer was lost knows that it was', async () => {
    failing('CompleteMultipartUpload', 'drop-after', 1)
    const upload = await store.openUpload('s3://bucket/large')
    await upload.write(new Uint8Array(2 * partBytes))
    expect(await upload.complete()).toEqual({ sizeBytes: 2 * partBytes })
    expect([count('CompleteMultipartUpload'), server.uploads.size, server.objects.size]).toEqual([2, 0, 1])
  })

  it('leaves none that a lost answer to its beginning has hidden, complete or aborted', async () => {
    for (const end of ['complete', 'abort'] as const) {
      failing('CreateMultipartUpload', 'drop-after', 2)
      const upload = await store.openUpload(`s3://bucket/${end}`)
      await upload.write(new Uint8Array(2 * partBytes))
      await upload[end]()
      expect([count('CreateMultipartUpload'), server.uploads.size], end).toEqual([3, 0])
      server.calls.length = 0
    }
    expect([...server.objects.keys()]).toEqual(['complete'])
  })

  it('does not take an object that was there before for its own', async () => {
    await store.put('s3://bucket/large', new Uint8Array(2 * partBytes))
    const upload = await store.openUpload('s3://bucket/large')
    await upload.write(new Uint8Array(2 * partBytes))
    let isFirst = true
    server.fault = ({ operation }) => {
      if (operation !== 'CompleteMultipartUpload' || !isFirst) return undefined
      isFirst = false
      server.uploads.clear()
      return 'drop'
    }
    await expect(upload.complete()).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a conditional put', () => {
  it('that won but whose answer was lost knows that it won', async () => {
    failing('PutObject', 'drop-after', 1)
    expect(await store.putIfAbsent('s3://bucket/v1', new Uint8Array(1))).toBe(true)
    expect(count('PutObject')).toBe(2)
  })

  it('that lost does not take the object of another for its own, though it was sent twice', async () => {
    await store.putIfAbsent('s3://bucket/v1', new Uint8Array(1))
    failing('PutObject', 'drop', 1)
    expect(await store.putIfAbsent('s3://bucket/v1', new Uint8Array(1))).toBe(false)
  })

  it('is sent again when another one is under way', async () => {
    failing('PutObject', { status: 409, code: 'ConditionalRequestConflict' }, 2)
    expect(await store.putIfAbsent('s3://bucket/v1', new Uint8Array(1))).toBe(true)
    failing('PutObject', { status: 409, code: 'ConditionalRequestConflict' })
    const put = store.putIfAbsent('s3://bucket/v2', new Uint8Array(1))
    await expect(put).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })
})

describe('objects of S3', () => {
  it('are listed page by page, in the spelling of the prefix, without directory marks', async () => {
    server.keysPerPage = 2
    for (const name of ['a', 'b', 'c', 'd', 'e']) await store.put(`s3://bucket/t/${name}`, new Uint8Array(1))
    server.objects.set('t/dir/', { bytes: Buffer.alloc(0), putId: undefined })
    const listed = await Array.fromAsync(store.list('s3a://bucket/t/'))
    expect(listed.map((info) => info.location)).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => `s3a://bucket/t/${name}`),
    )
    expect(count('ListObjectsV2')).toBe(3)
  })

  it('are deleted a thousand at a time', async () => {
    const locations = Array.from({ length: 2001 }, (_, index) => `s3://bucket/t/${index}`)
    for (const location of locations) {
      server.objects.set(location.slice('s3://bucket/'.length), { bytes: Buffer.alloc(0), putId: undefined })
    }
    await store.delete(locations)
    expect(server.objects.size).toBe(0)
    expect(count('DeleteObjects')).toBe(3)
  })
})

describe('a failure of the server', () => {
  it('has the code of the reaction that it asks for', async () => {
    await store.put('s3://bucket/a', new Uint8Array(1))
    const cases = [
      [{ status: 503, code: 'SlowDown' }, 'unavailable'],
      [{ status: 500, code: 'InternalError' }, 'unavailable'],
      [{ status: 403, code: 'SignatureDoesNotMatch' }, 'permission-denied'],
      [{ status: 507, code: 'XMinioStorageFull' }, 'resource-exhausted'],
      [{ status: 404, code: 'NoSuchBucket' }, 'not-found'],
      [{ status: 400, code: 'InvalidRequest' }, 'invalid-input'],
    ] as const
    for (const [fault, code] of cases) {
      server.fault = () => fault
      const error: unknown = await store
        .put('s3://bucket/a', new Uint8Array(1))
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, retryable: code === 'unavailable' })
      expect(String(error)).toContain('s3://bucket/a')
    }
  })

  it('is waited out when it is short', async () => {
    await store.put('s3://bucket/a', new Uint8Array(3))
    failing('GetObject', { status: 503, code: 'SlowDown' }, 2)
    expect(await store.get('s3://bucket/a')).toHaveLength(3)
  })

  it('inside of a body is made good by another read, and is unavailable when it stays', async () => {
    await store.put('s3://bucket/a', new Uint8Array(4 * MiB).fill(5))
    failing('GetObject', 'half-answer', 2)
    const bytes = await store.get('s3://bucket/a')
    expect([bytes.length, bytes.every((byte) => byte === 5)]).toEqual([4 * MiB, true])
    failing('GetObject', 'half-answer')
    await expect(store.get('s3://bucket/a')).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })

  it('is cancelled, not waited for, when the signal fires', async () => {
    failing('GetObject', 'hang')
    const controller = new AbortController()
    const reading = store.get('s3://bucket/a', { signal: controller.signal }).catch((error: unknown) => error)
    await until(() => count('GetObject') === 1)
    controller.abort()
    expect(await reading).toMatchObject({ code: 'cancelled' })
  })
})

it('refuses limits that S3 would refuse', () => {
  for (const settings of [{ partBytes: MiB }, { inFlightPartsMax: 0 }]) {
    expect(() => openS3Store(settings)).toThrowError(expect.objectContaining({ code: 'invalid-input' }))
  }
})
