import { describe, expect, it } from 'vitest'
import {
  decodeMetadataFile,
  encodeMetadataFile,
  metadataDirectory,
  metadataFileName,
  metadataFileVersion,
  newTableMetadata,
  nextMetadataFileName,
} from './index.ts'

const uuid = '9c12d441-03fe-4693-9a96-a0705ddf69c1'

describe('names of metadata files', () => {
  it.each([
    [`s3://b/t/metadata/00012-${uuid}.metadata.json`, 12],
    [`00012-${uuid}.gz.metadata.json`, 12],
    [`00012-${uuid}.metadata.json.gz`, 12],
    ['file:/t/metadata/v3.metadata.json', 3],
    ['v3.gz.metadata.json', 3],
    ['v3.metadata.json.gz', 3],
    [`123456-${uuid}.metadata.json`, 123456],
    ['version-hint.text', undefined],
    [`${uuid}.metadata.json`, undefined],
    ['table.metadata.json', undefined],
  ])('reads the version of %s', (name, version) => {
    expect(metadataFileVersion(name)).toBe(version)
  })

  it('counts on from the file before, from 0 without one', () => {
    expect(nextMetadataFileName(undefined, uuid)).toBe(`00000-${uuid}.metadata.json`)
    expect(nextMetadataFileName('s3://b/v9.metadata.json', uuid)).toBe(`00010-${uuid}.metadata.json`)
    expect(nextMetadataFileName('strange', uuid, { gzip: true })).toBe(`00000-${uuid}.gz.metadata.json`)
    expect(metadataFileName(100_000, uuid)).toBe(`100000-${uuid}.metadata.json`)
  })

  it('puts them where the property says', () => {
    expect(metadataDirectory({ location: 's3://b/t', properties: {} })).toBe('s3://b/t/metadata')
    expect(
      metadataDirectory({ location: 's3://b/t', properties: { 'write.metadata.path': 's3://m/' } }),
    ).toBe('s3://m')
  })
})

describe('bytes of metadata files', () => {
  const schema = {
    schemaId: 0,
    fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
  } as const
  const metadata = newTableMetadata({ schema, location: 's3://b/t', uuid, nowMs: 1 })

  it.each(['a.metadata.json', 'a.gz.metadata.json', 'a.metadata.json.gz'])('come back from %s', (name) => {
    const bytes = encodeMetadataFile(metadata, name)
    expect(bytes[0] === 0x1f).toBe(name.includes('.gz'))
    expect(decodeMetadataFile(bytes)).toEqual(metadata)
  })

  it('give corrupt-data when gzip is cut off', () => {
    const cut = encodeMetadataFile(metadata, 'a.gz.metadata.json').subarray(0, 40)
    expect(() => decodeMetadataFile(cut)).toThrow(expect.objectContaining({ code: 'corrupt-data' }) as Error)
  })
})
