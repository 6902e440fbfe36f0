import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { joinLocation, openObjectStore } from './index.ts'
import { describeObjectStore } from './object-store-contract.ts'

let root: string
let tests = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'floe-storage-'))
})

afterAll(() => rm(root, { recursive: true }))

describeObjectStore('the store of all schemes', async () => ({
  store: openObjectStore(),
  base: joinLocation(root, String((tests += 1))),
}))

it('sends each location to the store of its scheme', async () => {
  await using store = openObjectStore()
  await store.put(`file://${root}/mixed/a`, new Uint8Array(1))
  await store.put('memory://mixed/a', new Uint8Array(2))
  expect(await store.get('memory://mixed/a')).toHaveLength(2)
  await store.delete([`file://${root}/mixed/a`, 'memory://mixed/a'])
  expect(await store.head(`file://${root}/mixed/a`)).toBeUndefined()
  expect(await store.head('memory://mixed/a')).toBeUndefined()
})

it('is closed for good', async () => {
  const store = openObjectStore()
  await store.head('memory://closed/a')
  await store.close()
  await store.close()
  await expect(store.head('memory://closed/a')).rejects.toMatchObject({ code: 'cancelled' })
})

it('loads the S3 client for s3:// only', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context) } })
    const { openObjectStore } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const store = openObjectStore({ s3: { endpoint: 'http://127.0.0.1:1', accessKeyId: 'a', secretAccessKey: 'b' } })
    const sdk = () => loaded.some((specifier) => specifier.includes('client-s3'))
    await store.put(${JSON.stringify(`${root}/lazy`)}, new Uint8Array(1))
    await store.put('memory://lazy/a', new Uint8Array(1))
    const before = sdk()
    const code = await store.get('s3://b/k').catch((error) => error.code)
    await store.close()
    console.log(before, sdk(), code)`
  const path = join(root, 'lazy.mts')
  await writeFile(path, script)
  const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 50_000 })
  expect(stdout.trim()).toBe('false true unavailable')
})
