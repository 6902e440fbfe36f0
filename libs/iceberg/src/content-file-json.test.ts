import { describe, expect, it } from 'vitest'

import { contentFileToJson } from './content-file-json.ts'
import type { DataFile } from './data-file.ts'
import { stringifyJson } from './json.ts'
import type { PartitionSpec } from './partition-spec.ts'
import { parseScanFilter } from './scan-filter.ts'
import type { Schema } from './schema.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

function partitionOf(type: PrimitiveType | undefined, value: PrimitiveValue | null): string {
  const fields = type === undefined ? [] : [{ id: 1, name: 'x', type, required: false }]
  const schema: Schema = { schemaId: 0, fields }
  const spec: PartitionSpec = {
    specId: 3,
    fields: [{ sourceIds: [1], fieldId: 1000, name: 'x', transform: { kind: 'identity' } }],
  }
  return stringifyJson(
    contentFileToJson({ ...file, partition: [value] }, { schema, spec })['partition'] ?? null,
  )
}

const file: DataFile = {
  content: 'data',
  filePath: 's3://lake/t/a.parquet',
  fileFormat: 'parquet',
  specId: 3,
  partition: [],
  recordCount: 5,
  fileSizeInBytes: 100,
}

describe('a content file in a scan plan', () => {
  it.each<[string, PrimitiveType | undefined, PrimitiveValue | null, string]>([
    [
      'a whole number of a double column as a floating one, which Java insists on',
      { kind: 'double' },
      1,
      '[1.0]',
    ],
    ['a fraction', { kind: 'float' }, 0.5, '[0.5]'],
    ['negative zero', { kind: 'double' }, -0, '[-0.0]'],
    ['what is no number', { kind: 'double' }, Number.NaN, '["NaN"]'],
    ['a long beyond 2^53', { kind: 'long' }, 9_007_199_254_740_993n, '[9007199254740993]'],
    ['bytes as upper-case digits', { kind: 'binary' }, Uint8Array.of(1, 171), '["01AB"]'],
    ['a decimal with its scale', { kind: 'decimal', precision: 9, scale: 2 }, 150n, '["1.50"]'],
    [
      'a date of a column that became a timestamp',
      { kind: 'timestamp' },
      1,
      '["1970-01-02T00:00:00.000000"]',
    ],
    ['null', { kind: 'string' }, null, '[null]'],
    ['nothing of a column that is gone', undefined, 'kept', '[null]'],
  ])('writes %s', (_, type, value, expected) => {
    expect(partitionOf(type, value)).toBe(expected)
  })

  it('names the data file of a deletion vector, and where in its Puffin file it lies', () => {
    const vector: DataFile = {
      ...file,
      content: 'position-deletes',
      fileFormat: 'puffin',
      referencedDataFile: 's3://lake/t/a.parquet',
      contentOffset: 4,
      contentSizeInBytes: 40,
    }
    const options = { schema: { schemaId: 0, fields: [] }, spec: { specId: 3, fields: [] } }
    expect(contentFileToJson(vector, options)).toMatchObject({
      content: 'position-deletes',
      'file-format': 'puffin',
      'referenced-data-file': 's3://lake/t/a.parquet',
      'content-offset': 4,
      'content-size-in-bytes': 40,
    })
    const equality: DataFile = { ...file, content: 'equality-deletes', equalityIds: [1, 2] }
    expect(contentFileToJson(equality, options)).toMatchObject({ 'equality-ids': [1, 2] })
  })
})

describe('the filter of a scan', () => {
  const unknown = { type: 'eq', term: { type: 'transform', transform: 'day', term: 'ts' }, value: 1 }
  const known = { type: 'eq', term: 'id', value: 1 }

  it.each([
    ['on its own', unknown, 'true'],
    ['below a not', { type: 'not', child: unknown }, 'true'],
    ['below two', { type: 'not', child: { type: 'not', child: unknown } }, 'true'],
    ['beside a known one, with or', { type: 'or', left: known, right: unknown }, 'true'],
    ['beside a known one, with and', { type: 'and', left: known, right: unknown }, 'literal'],
  ])('is widened where it cannot be planned: %s', (_, filter, kind) => {
    expect(parseScanFilter(filter)).toMatchObject({ expression: { kind }, isExact: false })
  })

  it('is exact where it can', () => {
    expect(parseScanFilter({ type: 'not', child: known })).toMatchObject({ isExact: true })
    expect(() => parseScanFilter({ type: 'and', left: known, right: { type: 'maybe' } })).toThrow('maybe')
  })
})
