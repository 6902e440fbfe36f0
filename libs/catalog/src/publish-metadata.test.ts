import { afterEach, describe, expect, it } from 'vitest'
import { FloeError, newTableMetadata } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { MetadataFiles, tableFormat } from './metadata-files.ts'
import { metadataVersion, newMetadataLocation } from './metadata-location.ts'
import { publishMetadata } from './publish-metadata.ts'

const store = openMemoryStore()
const files = new MetadataFiles(store, tableFormat, 4)
const location = 'memory://publish/t/metadata/00000-a.metadata.json'
const metadata = newTableMetadata({
  schema: { schemaId: 0, fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }] },
  location: 'memory://publish/t',
  uuid: '6f0e2a57-0a5e-4a8e-9d5c-0d8a8f3b6a11',
  nowMs: 1,
})

afterEach(() => clearMemoryStore('publish'))

function publishFailing(code: ErrorCode): Promise<boolean> {
  const point = (): Promise<boolean> => Promise.reject(new FloeError(code, 'the store failed'))
  return publishMetadata(files, [{ metadata, location }], { point, isPointed: (swapped) => swapped })
}

describe('publishing a metadata file', () => {
  it.each(['commit-state-unknown', 'internal'] as const)(
    'keeps the file after %s: it may be the table',
    async (code) => {
      await expect(publishFailing(code)).rejects.toMatchObject({ code })
      expect(await store.head(location)).toBeDefined()
    },
  )

  it.each(['unavailable', 'resource-exhausted'] as const)('removes the file after %s', async (code) => {
    await expect(publishFailing(code)).rejects.toMatchObject({ code })
    expect(await store.head(location)).toBeUndefined()
  })

  it('never touches a file that is there already', async () => {
    await store.put(location, new Uint8Array([1, 2, 3]))
    const publish = publishMetadata(files, [{ metadata, location }], {
      point: () => Promise.resolve(true),
      isPointed: (swapped) => swapped,
    })
    await expect(publish).rejects.toMatchObject({ code: 'already-exists' })
    expect(await store.get(location)).toEqual(new Uint8Array([1, 2, 3]))
  })
})

describe('the name of a metadata file', () => {
  it.each([
    ['s3://b/t/metadata/00041-6f0e2a57.metadata.json', 41],
    ['s3://b/t/metadata/00002-6f0e2a57.gz.metadata.json', 2],
    ['/t/metadata/v7.metadata.json', 7],
    ['/t/metadata/v8.metadata.json.gz', 8],
    ['/t/metadata/latest.metadata.json', -1],
    ['/t/00009-x/metadata/current.json', -1],
  ])('%s has version %i', (name, version) => {
    expect(metadataVersion(name)).toBe(version)
  })

  it('counts on from the previous one, and follows the properties of the table', () => {
    const previous = 's3://b/t/metadata/00099-x.metadata.json'
    expect(newMetadataLocation(metadata, previous, 'u')).toBe(
      'memory://publish/t/metadata/00100-u.metadata.json',
    )
    const properties = { 'write.metadata.path': 's3://m/here', 'write.metadata.compression-codec': 'gzip' }
    const moved = newMetadataLocation({ ...metadata, properties }, undefined, 'u')
    expect(moved).toBe('s3://m/here/00000-u.gz.metadata.json')
  })
})
