import { mkdir, mkdtemp, open, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { describeObjectStore } from '../object-store-contract.ts'
import type { Upload } from '../object-store.ts'
import { fileError } from './file-error.ts'
import { openFileStore } from './index.ts'

let root: string
let tests = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'floe-storage-'))
})

afterAll(() => rm(root, { recursive: true }))

async function place(): Promise<string> {
  const path = join(root, String((tests += 1)))
  await mkdir(path)
  return path
}

const spellings = [
  { name: 'file:///dir', spell: (path: string) => `file://${path}` },
  { name: 'file:/dir', spell: (path: string) => `file:${path}` },
  { name: '/dir', spell: (path: string) => path },
]

for (const { name, spell } of spellings) {
  describeObjectStore(`the file store at ${name}`, async () => ({
    store: openFileStore(),
    base: spell(await place()),
  }))
}

describe('the files of a store', () => {
  it('are the same under every spelling of a location', async () => {
    const path = await place()
    const store = openFileStore()
    await store.put(`file://${path}/a%20b`, new Uint8Array(3))
    for (const { spell } of spellings) expect(await store.get(`${spell(path)}/a%20b`)).toHaveLength(3)
    expect(await readdir(path)).toEqual(['a%20b'])
  })

  it('stand alone: no temporary file outlives put, a lost putIfAbsent, complete or abort', async () => {
    const path = await place()
    const store = openFileStore()
    await store.put(`${path}/a`, new Uint8Array(1))
    await store.putIfAbsent(`${path}/a`, new Uint8Array(1))
    await store.putIfAbsent(`${path}/b`, new Uint8Array(1))
    const kept = await store.openUpload(`${path}/c`)
    await kept.write(new Uint8Array(1))
    const dropped = await store.openUpload(`${path}/d`)
    await dropped.write(new Uint8Array(1))
    expect((await readdir(path)).filter((name) => name.endsWith('.tmp'))).toHaveLength(2)
    await kept.complete()
    await dropped.abort()
    expect((await readdir(path)).sort()).toEqual(['a', 'b', 'c'])
  })

  it('are written under a hidden name that lists leave out, also for the longest names', async () => {
    const path = await place()
    const store = openFileStore({ uniqueName: () => 'id' })
    const upload = await store.openUpload(`${path}/${'n'.repeat(255)}`)
    expect(await readdir(path)).toEqual([expect.stringMatching(/^\.n{60}-[0-9a-f]{16}\.id\.tmp$/)])
    expect(await Array.fromAsync(store.list(`${path}/`))).toEqual([])
    await upload.complete()
    expect(await readdir(path)).toEqual(['n'.repeat(255)])
  })

  it('are alone after their uploads are discarded, also when their names are long and alike', async () => {
    const path = await place()
    const store = openFileStore()
    const long = `${path}/${'n'.repeat(59)}${'\u{1F30A}'.repeat(40)}`
    await store.put(`${path}/a`, new Uint8Array(1))
    const uploads: Upload[] = []
    for (const location of [`${path}/a`, `${path}/a`, `${long}1`, `${long}2`]) {
      uploads.push(await store.openUpload(location))
    }
    for (const upload of uploads) await upload.write(new Uint8Array(1))
    await store.discardUploads([`file:${path}/a`, `${long}1`])
    expect(await readdir(path)).toHaveLength(2)
    await store.discardUploads([`${long}2`])
    expect(await readdir(path)).toEqual(['a'])
    for (const upload of uploads) await upload.abort()
  })

  it('leave their directory behind when the last one is deleted', async () => {
    const path = await place()
    const store = openFileStore()
    await store.put(`${path}/dir/a`, new Uint8Array(1))
    await store.delete([`${path}/dir/a`, `${path}/dir`])
    expect(await readdir(path)).toEqual(['dir'])
  })

  it('may vanish while they are listed', async () => {
    const path = await place()
    const store = openFileStore()
    for (let index = 0; index < 20; index++) await store.put(`${path}/d${index}/a`, new Uint8Array(1))
    const seen: string[] = []
    for await (const { location } of store.list(`${path}/`)) {
      seen.push(location)
      await rm(path, { recursive: true, force: true })
    }
    expect(seen).toHaveLength(1)
  })

  it('are found through links to files; links to nothing and to directories are passed over', async () => {
    const path = await place()
    await writeFile(join(path, 'real'), 'x')
    await symlink(join(path, 'real'), join(path, 'link'))
    await symlink(join(path, 'none'), join(path, 'broken'))
    await symlink(path, join(path, 'circle'))
    const listed = await Array.fromAsync(openFileStore().list(`${path}/`))
    expect(listed.map((info) => info.location).sort()).toEqual([join(path, 'link'), join(path, 'real')])
  })

  it('cannot lie below a file', async () => {
    const path = await place()
    const store = openFileStore()
    await store.put(`${path}/a`, new Uint8Array(1))
    for (const write of [store.put(`${path}/a/b`, new Uint8Array(1)), store.openUpload(`${path}/a/b`)]) {
      await expect(write).rejects.toMatchObject({ code: 'invalid-input' })
    }
    await mkdir(join(path, 'dir'))
    await expect(store.put(`${path}/dir`, new Uint8Array(1))).rejects.toMatchObject({ code: 'invalid-input' })
    expect((await readdir(path)).sort()).toEqual(['a', 'dir'])
  })
})

describe('a failed system call', () => {
  it('keeps its errno in the message and says what to do', async () => {
    const cases = [
      ['ENOSPC', 'resource-exhausted'],
      ['EDQUOT', 'resource-exhausted'],
      ['EFBIG', 'resource-exhausted'],
      ['EMFILE', 'resource-exhausted'],
      ['EACCES', 'permission-denied'],
      ['EROFS', 'permission-denied'],
      ['ENAMETOOLONG', 'invalid-input'],
      ['EIO', 'unavailable'],
    ] as const
    for (const [errno, code] of cases) {
      const error = fileError(Object.assign(new Error('x'), { code: errno }), 'write', '/w/a')
      expect(error).toMatchObject({ code, message: `cannot write /w/a (${errno})` })
      expect(error.hint).toBeTypeOf('string')
    }
  })

  it('of a name that is too long is invalid-input', async () => {
    const location = `${await place()}/${'n'.repeat(256)}`
    await expect(openFileStore().put(location, new Uint8Array(1))).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })

  it.runIf(process.platform === 'linux')('of a full disk is resource-exhausted with a hint', async () => {
    const full = await open('/dev/full', 'w')
    const error: unknown = await full.writeFile('x').catch((thrown: unknown) => thrown)
    await full.close()
    expect(fileError(error, 'write', '/dev/full')).toMatchObject({ code: 'resource-exhausted' })
  })
})
