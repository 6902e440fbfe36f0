import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FloeError } from '@floe/iceberg'

import { mergeS3Settings, openObjectStore, serveFreshKeys } from './index.ts'
import type { FreshKeys, OpenObjectStore, S3Settings } from './index.ts'
import { LocalS3Server } from './s3/local-s3-server.ts'

const byte = new Uint8Array(1)

let server: LocalS3Server
let store: OpenObjectStore
let freshKeys: FreshKeys | undefined
let endpoint: string

/** The server takes keys whose id starts with `test-key/`: what follows tells them apart. */
function s3(name: string, more: S3Settings = {}): S3Settings {
  return { endpoint, accessKeyId: `test-key/${name}`, secretAccessKey: 'secret', ...more }
}

beforeEach(async () => {
  server = new LocalS3Server()
  endpoint = await server.listen()
  store = openObjectStore({ s3: s3('own') })
})

afterEach(async () => {
  freshKeys?.close()
  freshKeys = undefined
  await store.close()
  await server.close()
})

function keysUsed(): readonly (string | undefined)[] {
  return server.calls.map(
    ({ headers }) => /Credential=test-key\/(\w+)\//.exec(headers.authorization ?? '')?.[1],
  )
}

describe('a place of a store', () => {
  it('has settings of its own; of several that fit, the one with the longest prefix counts', async () => {
    store.addPlaces([
      { prefix: 's3://bucket/a/', s3: s3('outer') },
      { prefix: 's3://bucket/a/b/', s3: s3('inner') },
    ])
    for (const name of ['x', 'a/x', 'a/b/x', 'ab/x']) await store.put(`s3://bucket/${name}`, byte)
    await store.put('s3a://bucket/a/b/y', byte)
    expect(keysUsed()).toEqual(['own', 'outer', 'inner', 'own', 'inner'])
    await store.delete(['s3://bucket/x', 's3://bucket/a/b/x'])
    expect([...server.objects.keys()].toSorted()).toEqual(['a/b/y', 'a/x', 'ab/x'])
  })

  it('takes other settings from its next call on', async () => {
    store.addPlaces([{ prefix: 's3://bucket/a/', s3: s3('first') }])
    await store.put('s3://bucket/a/x', byte)
    store.addPlaces([{ prefix: 's3://bucket/a/', s3: s3('second') }])
    await store.put('s3://bucket/a/y', byte)
    expect(keysUsed()).toEqual(['first', 'second'])
  })

  it('goes with the settings to another store', async () => {
    store.addPlaces([{ prefix: 's3://bucket/a/', s3: s3('vended') }])
    await using copy = openObjectStore(structuredClone(store.currentSettings()))
    await copy.put('s3://bucket/a/x', byte)
    await copy.put('s3://bucket/x', byte)
    expect(keysUsed()).toEqual(['vended', 'own'])
  })
})

describe('keys that end', () => {
  const ended = { keysExpireAtMs: 1 }

  it('are asked for again, once, before they are used', async () => {
    let asked = 0
    freshKeys = serveFreshKeys(async (prefix) =>
      s3(`${prefix === 's3://bucket/a/' ? 'fresh' : 'wrong'}${++asked}`),
    )
    store.addPlaces([{ prefix: 's3://bucket/a/', s3: s3('old', ended), renewal: freshKeys.name }])
    await store.put('s3://bucket/a/x', byte)
    await store.put('s3://bucket/a/y', byte)
    expect(keysUsed()).toEqual(['fresh1', 'fresh1'])
  })

  it('are asked for across threads', async () => {
    freshKeys = serveFreshKeys(async () => s3('fresh'))
    store.addPlaces([{ prefix: 's3://bucket/a/', s3: s3('old', ended), renewal: freshKeys.name }])
    const script = `
      const { workerData } = require('node:worker_threads')
      import(workerData.module).then(async ({ openObjectStore }) => {
        const store = openObjectStore(workerData.settings)
        await store.put('s3://bucket/a/x', new Uint8Array(1))
        await store.close()
      })`
    const module = new URL('./index.ts', import.meta.url).href
    const worker = new Worker(script, {
      eval: true,
      workerData: { module, settings: store.currentSettings() },
    })
    const code = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    expect(code).toBe(0)
    expect(keysUsed()).toEqual(['fresh'])
  })

  it('that nobody gives any more are permission-denied, with the reason', async () => {
    freshKeys = serveFreshKeys(async () => {
      throw new FloeError('permission-denied', 'the catalog hands out none')
    })
    store.addPlaces([{ prefix: 's3://bucket/a/', s3: s3('old', ended), renewal: freshKeys.name }])
    const put = store.put('s3://bucket/a/x', byte)
    await expect(put).rejects.toMatchObject({
      code: 'permission-denied',
      message: 'the catalog hands out none',
    })
    expect(server.calls).toEqual([])
  })
})

describe('mergeS3Settings', () => {
  it('lets what is said win, and keeps keys together', () => {
    const place = {
      endpoint: 'http://a',
      region: 'r',
      accessKeyId: 'k',
      secretAccessKey: 's',
      sessionToken: 't',
    }
    expect(mergeS3Settings(place, { region: 'mine' })).toEqual({ ...place, region: 'mine' })
    expect(mergeS3Settings(place, { accessKeyId: 'mine', secretAccessKey: 'too' })).toEqual({
      endpoint: 'http://a',
      region: 'r',
      accessKeyId: 'mine',
      secretAccessKey: 'too',
    })
  })
})
