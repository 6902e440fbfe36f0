import { describe, expect, it } from 'vitest'

import { filePathToLocation, joinLocation, locationToFilePath, schemeOf } from './index.ts'

const failure = (code: string): unknown => expect.objectContaining({ code })

describe('a location', () => {
  it('names its store by its scheme', () => {
    const locations = [
      '/tmp/a',
      'file:/tmp/a',
      'file:///tmp/a',
      's3://b/k',
      's3a://b/k',
      'memory://m/k',
      '/a:b/c',
    ]
    expect(locations.map(schemeOf)).toEqual(['file', 'file', 'file', 's3', 's3', 'memory', 'file'])
  })

  it('of a foreign scheme is unsupported, a relative path is invalid', () => {
    for (const location of ['gs://b/k', 'hdfs://n/x', 'https://h/x']) {
      expect(() => schemeOf(location)).toThrowError(failure('unsupported'))
    }
    for (const location of ['tmp/a', '', './a', '/tmp/../etc', 's3://b/../c', '/a\0b']) {
      expect(() => schemeOf(location)).toThrowError(failure('invalid-input'))
    }
  })

  it('is joined with one slash', () => {
    expect(joinLocation('s3://b/t', 'data', 'x')).toBe('s3://b/t/data/x')
    expect(joinLocation('s3://b/t/', '/data/', 'p=1/x')).toBe('s3://b/t/data/p=1/x')
    expect(joinLocation('file:///', 'x')).toBe('file:///x')
    expect(joinLocation('/', 'x')).toBe('/x')
    expect(joinLocation('file:/w', '', 'a b')).toBe('file:/w/a b')
    expect(() => joinLocation('s3://b/t', '../u')).toThrowError(failure('invalid-input'))
  })

  it('is a path byte for byte', () => {
    expect(locationToFilePath('file:/tmp/a b')).toBe('/tmp/a b')
    expect(locationToFilePath('file:///tmp/a%20b')).toBe('/tmp/a%20b')
    expect(locationToFilePath('file://localhost/tmp/x')).toBe('/tmp/x')
    expect(locationToFilePath(filePathToLocation('/tmp/ü#?%'))).toBe('/tmp/ü#?%')
    for (const location of ['file://host/x', 'file:x', 's3://b/k']) {
      expect(() => locationToFilePath(location)).toThrowError(failure('invalid-input'))
    }
    expect(() => filePathToLocation('tmp')).toThrowError(failure('invalid-input'))
  })
})
