import { FloeError } from '@floe/iceberg'
import { describe, expect, it } from 'vitest'

import type { ObjectInfo, ObjectStore, Upload } from './object-store.ts'

/** A store with a place of its own, empty and without a slash at its end. */
export type ContractSubject = { readonly store: ObjectStore; readonly base: string }

/** What every adapter must do, run as tests. `subject` is called once per test. */
export function describeObjectStore(name: string, subject: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the contract of ObjectStore:`, () => {
    objectsAreWholeAndImmutable(subject)
    rangesAreExact(subject)
    puttingIfAbsentIsAtomic(subject)
    uploadsAreInvisibleUntilComplete(subject)
    uploadsEnd(subject)
    uploadsAreDiscarded(subject)
    listsGoByPrefix(subject)
    deletingIsTolerant(subject)
    callsAreRefused(subject)
  })
}

type Subject = () => Promise<ContractSubject>

const text = new TextEncoder()
const object = (content: string): Uint8Array => text.encode(content)
const contentOf = async ({ store }: ContractSubject, location: string): Promise<string> =>
  new TextDecoder().decode(await store.get(location))

function objectsAreWholeAndImmutable(subject: Subject): void {
  it('reads back what was put, and its size and time', async () => {
    const { store, base } = await subject()
    const location = `${base}/deep/er/data.bin`
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251)
    await store.put(location, bytes)
    expect(Buffer.compare(await store.get(location), bytes)).toBe(0)
    const info = await store.head(location)
    expect(info).toMatchObject({ location, sizeBytes: bytes.length })
    expect(info?.lastModifiedMs).toBeGreaterThan(Date.UTC(2020))
  })

  it('replaces an object as a whole', async () => {
    const at = await subject()
    const location = `${at.base}/a`
    await at.store.put(location, object('a long first version'))
    await at.store.put(location, object('short'))
    expect(await contentOf(at, location)).toBe('short')
  })

  it('keeps an empty object apart from none', async () => {
    const { store, base } = await subject()
    await store.put(`${base}/empty`, new Uint8Array(0))
    expect(await store.get(`${base}/empty`)).toHaveLength(0)
    expect(await store.head(`${base}/empty`)).toMatchObject({ sizeBytes: 0 })
    expect(await store.head(`${base}/none`)).toBeUndefined()
  })

  it('takes names byte for byte, without percent-decoding', async () => {
    const at = await subject()
    const names = ['a b', 'a%20b', 'p=a%2Fb/x', 'ü é', 'plus+sign', 'hash#question?', "quote'(1)&<>", 'c:d']
    for (const name of names) await at.store.put(`${at.base}/${name}`, object(name))
    for (const name of names) expect(await contentOf(at, `${at.base}/${name}`)).toBe(name)
    const listed = await Array.fromAsync(at.store.list(`${at.base}/`))
    expect(namesOf(at, listed)).toEqual([...names].sort())
  })

  it('owns its bytes: neither writer nor reader can change an object afterwards', async () => {
    const at = await subject()
    const bytes = object('first')
    await at.store.put(`${at.base}/a`, bytes)
    bytes.fill(0)
    ;(await at.store.get(`${at.base}/a`)).fill(0)
    expect(await contentOf(at, `${at.base}/a`)).toBe('first')
  })
}

function rangesAreExact(subject: Subject): void {
  it('reads one range', async () => {
    const { store, base } = await subject()
    await store.put(`${base}/a`, object('0123456789'))
    const read = async (offset: number, length: number): Promise<string> =>
      new TextDecoder().decode(await store.get(`${base}/a`, { range: { offset, length } }))
    expect([
      await read(0, 4),
      await read(3, 1),
      await read(6, 4),
      await read(10, 0),
      await read(2, 0),
    ]).toEqual(['0123', '3', '6789', '', ''])
  })

  it('calls an object that ends before the range corrupt, and a bad range invalid', async () => {
    const { store, base } = await subject()
    await store.put(`${base}/a`, object('0123456789'))
    const failure = async (offset: number, length: number): Promise<string> =>
      codeOf(store.get(`${base}/a`, { range: { offset, length } }))
    expect([await failure(8, 3), await failure(10, 1), await failure(11, 0)]).toEqual(
      Array(3).fill('corrupt-data'),
    )
    expect([await failure(-1, 1), await failure(0, 0.5)]).toEqual(['invalid-input', 'invalid-input'])
  })
}

function puttingIfAbsentIsAtomic(subject: Subject): void {
  it('puts if absent once, and leaves the first content', async () => {
    const at = await subject()
    expect(await at.store.putIfAbsent(`${at.base}/v1`, object('first'))).toBe(true)
    expect(await at.store.putIfAbsent(`${at.base}/v1`, object('second'))).toBe(false)
    expect(await contentOf(at, `${at.base}/v1`)).toBe('first')
  })

  it('lets exactly one of many racing writers win', async () => {
    const at = await subject()
    for (const round of [1, 2, 3]) {
      const location = `${at.base}/race/v${round}`
      const writers = Array.from({ length: 16 }, (_, index) => `writer ${index}`)
      const won = await Promise.all(writers.map((writer) => at.store.putIfAbsent(location, object(writer))))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await contentOf(at, location)).toBe(writers[won.indexOf(true)])
    }
    expect(await Array.fromAsync(at.store.list(`${at.base}/race/`))).toHaveLength(3)
  })
}

function uploadsAreInvisibleUntilComplete(subject: Subject): void {
  it('shows an upload when it is complete, and not before', async () => {
    const at = await subject()
    const location = `${at.base}/data/file.parquet`
    const upload = await at.store.openUpload(location)
    for (const part of ['one ', 'two ', 'three']) await upload.write(object(part))
    expect(await at.store.head(location)).toBeUndefined()
    expect(await Array.fromAsync(at.store.list(at.base))).toEqual([])
    expect(await upload.complete()).toEqual({ sizeBytes: 13 })
    expect(await contentOf(at, location)).toBe('one two three')
  })

  it('keeps the order of writes that nobody awaited', async () => {
    const at = await subject()
    const upload = await at.store.openUpload(`${at.base}/a`)
    await Promise.all(['1', '2', '3', '4'].map((part) => upload.write(object(part))))
    await upload.complete()
    expect(await contentOf(at, `${at.base}/a`)).toBe('1234')
  })

  it('uploads many parts whole', async () => {
    const { store, base } = await subject()
    const upload = await store.openUpload(`${base}/large`)
    const blocks = Array.from({ length: 11 }, (_, index) => new Uint8Array(2 ** 21 + index).fill(index))
    for (const block of blocks) await upload.write(block.slice())
    const expected = Buffer.concat(blocks)
    expect(await upload.complete()).toEqual({ sizeBytes: expected.length })
    expect(Buffer.compare(await store.get(`${base}/large`), expected)).toBe(0)
  })

  it('uploads nothing as an empty object', async () => {
    const { store, base } = await subject()
    expect(await (await store.openUpload(`${base}/empty`)).complete()).toEqual({ sizeBytes: 0 })
    expect(await store.head(`${base}/empty`)).toMatchObject({ sizeBytes: 0 })
  })
}

function uploadsEnd(subject: Subject): void {
  it('leaves the old object when an upload over it is aborted, and refuses its later writes', async () => {
    const at = await subject()
    await at.store.put(`${at.base}/a`, object('old'))
    const upload = await at.store.openUpload(`${at.base}/a`)
    await upload.write(new Uint8Array(2 ** 20))
    await upload.abort()
    await upload.abort()
    expect(await codeOf(upload.write(object('more')))).toBe('cancelled')
    expect(await codeOf(upload.complete())).toBe('cancelled')
    expect(await contentOf(at, `${at.base}/a`)).toBe('old')
  })

  it('does not take an object away when abort comes after complete', async () => {
    const at = await subject()
    const upload = await at.store.openUpload(`${at.base}/a`)
    await upload.write(object('done'))
    await upload.complete()
    await upload.abort()
    expect(await contentOf(at, `${at.base}/a`)).toBe('done')
  })

  it('stops an upload whose signal fires', async () => {
    const { store, base } = await subject()
    const controller = new AbortController()
    const upload = await store.openUpload(`${base}/a`, { signal: controller.signal })
    await upload.write(object('half'))
    controller.abort()
    expect(await codeOf(upload.write(object('more')))).toBe('cancelled')
    expect(await codeOf(upload.complete())).toBe('cancelled')
    await upload.abort()
    expect(await store.head(`${base}/a`)).toBeUndefined()
  })
}

function uploadsAreDiscarded(subject: Subject): void {
  it('discards an upload whose writer is gone: it can never become visible', async () => {
    const { store, base } = await subject()
    const abandoned = await beginUpload(store, `${base}/data/a`)
    await store.discardUploads([`${base}/data/a`])
    await errorOf(abandoned.complete())
    expect(await store.head(`${base}/data/a`)).toBeUndefined()
  })

  it('discards every upload to a location, and no other', async () => {
    const at = await subject()
    const location = `${at.base}/data/a`
    const abandoned = [await beginUpload(at.store, location), await beginUpload(at.store, location)]
    const others = ['data/a1', 'data/a.b'].map((name) => `${at.base}/${name}`)
    const alive = []
    for (const other of others) alive.push(await beginUpload(at.store, other))
    await at.store.discardUploads([location])
    for (const upload of abandoned) await errorOf(upload.complete())
    for (const upload of alive) await upload.complete()
    const listed = await Array.fromAsync(at.store.list(`${at.base}/`))
    expect(listed.map((info) => info.location).sort()).toEqual([...others].sort())
  })

  it('keeps finished objects when it discards, and takes nothing left as discarded', async () => {
    const at = await subject()
    await at.store.put(`${at.base}/a`, object('done'))
    const upload = await at.store.openUpload(`${at.base}/b`)
    await upload.write(object('done too'))
    await upload.complete()
    const names = ['a', 'b', 'none', 'none/deep', 'a/below']
    await at.store.discardUploads(names.map((name) => `${at.base}/${name}`))
    await at.store.discardUploads([])
    expect(await contentOf(at, `${at.base}/a`)).toBe('done')
    expect(await contentOf(at, `${at.base}/b`)).toBe('done too')
  })
}

/** More than four parts of 5 MiB, which is what an S3 upload may hold before its first part is stored. */
async function beginUpload(store: ObjectStore, location: string): Promise<Upload> {
  const upload = await store.openUpload(location)
  for (let block = 0; block < 11; block++) await upload.write(new Uint8Array(2 ** 21))
  return upload
}

function listsGoByPrefix(subject: Subject): void {
  it('lists what starts with the prefix, also when it ends inside of a name', async () => {
    const at = await subject()
    for (const name of ['t/data/a1', 't/data/a2', 't/data/b', 't/meta/a', 't-other/x', 'u']) {
      await at.store.put(`${at.base}/${name}`, object(name))
    }
    const list = async (prefix: string): Promise<readonly string[]> =>
      namesOf(at, await Array.fromAsync(at.store.list(`${at.base}/${prefix}`)))
    expect(await list('t/')).toEqual(['t/data/a1', 't/data/a2', 't/data/b', 't/meta/a'])
    expect(await list('t')).toEqual(['t-other/x', 't/data/a1', 't/data/a2', 't/data/b', 't/meta/a'])
    expect(await list('t/data/a')).toEqual(['t/data/a1', 't/data/a2'])
    expect(await list('nothing/here')).toEqual([])
    const listed = await Array.fromAsync(at.store.list(`${at.base}/u`))
    expect(listed).toMatchObject([{ location: `${at.base}/u`, sizeBytes: 1 }])
  })
}

function deletingIsTolerant(subject: Subject): void {
  it('deletes objects, and takes absent ones as deleted', async () => {
    const { store, base } = await subject()
    const locations = ['a', 'b/c', 'keep'].map((name) => `${base}/${name}`)
    for (const location of locations) await store.put(location, object('x'))
    await store.delete([`${base}/a`, `${base}/none`, `${base}/a/below`, `${base}/b/c`])
    await store.delete([])
    expect((await Array.fromAsync(store.list(`${base}/`))).map((info) => info.location)).toEqual([
      `${base}/keep`,
    ])
  })
}

function callsAreRefused(subject: Subject): void {
  it('names the location of what is not found', async () => {
    const { store, base } = await subject()
    await store.put(`${base}/dir/a`, object('x'))
    for (const name of ['none', 'none/deep', 'dir', 'dir/a/below']) {
      const error = await errorOf(store.get(`${base}/${name}`))
      expect(error.code).toBe('not-found')
      expect(error.message).toContain(`${base}/${name}`)
      expect(await store.head(`${base}/${name}`)).toBeUndefined()
    }
  })

  it('refuses dot segments, NUL, directories and foreign schemes', async () => {
    const { store, base } = await subject()
    for (const bad of [`${base}/../x`, `${base}/./x`, `${base}/..`, `${base}/a\0b`, `${base}/dir/`]) {
      const calls = [
        store.get(bad),
        store.head(bad),
        store.put(bad, object('x')),
        store.putIfAbsent(bad, object('x')),
        store.openUpload(bad),
        store.delete([bad]),
        store.discardUploads([bad]),
      ]
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'invalid-input'))
    }
    expect(await codeOf(store.get('gs://bucket/x'))).toBe('unsupported')
    expect(await codeOf(Array.fromAsync(store.list(`${base}/../`)))).toBe('invalid-input')
  })

  it('is cancelled by a signal that has fired, without an effect', async () => {
    const { store, base } = await subject()
    const signal = AbortSignal.abort()
    await store.put(`${base}/a`, object('x'))
    const calls = [
      store.get(`${base}/a`, { signal }),
      store.head(`${base}/a`, { signal }),
      store.put(`${base}/b`, object('x'), { signal }),
      store.putIfAbsent(`${base}/c`, object('x'), { signal }),
      store.openUpload(`${base}/d`, { signal }),
      store.delete([`${base}/a`], { signal }),
      store.discardUploads([`${base}/a`], { signal }),
      Array.fromAsync(store.list(base, { signal })),
    ]
    expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'cancelled'))
    expect((await Array.fromAsync(store.list(base))).map((info) => info.location)).toEqual([`${base}/a`])
  })
}

function namesOf({ base }: ContractSubject, listed: readonly ObjectInfo[]): readonly string[] {
  return listed.map((info) => info.location.slice(base.length + 1)).sort()
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await errorOf(call)).code
}

async function errorOf(call: Promise<unknown>): Promise<FloeError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(FloeError)
  return error as FloeError
}
