import { describe, expect, it } from 'vitest'
import type { PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import { batchOfRows } from './testing/batch-of-rows.ts'
import { encodeFile, queryByDuckdb, readByHyparquet } from './testing/read-back.ts'
import { hashHigh, hashLow, xxhash64 } from './xxhash64.ts'

describe('xxhash64', () => {
  it.each([
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
    ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
  ])('of %j is %s', (text, expected) => {
    const bytes = Buffer.concat([Buffer.from('..'), Buffer.from(text)])
    xxhash64(bytes, 2, bytes.length)
    const hex = [hashHigh, hashLow].map((half) => half.toString(16).padStart(8, '0')).join('')
    expect(hex).toBe(expected)
  })
})

const long = (index: number): string => `value ${index} ${'x'.repeat(index % 90)}`

describe('Bloom filters', () => {
  const cases: readonly (readonly [
    PrimitiveType,
    (index: number) => PrimitiveValue,
    (index: number) => string,
  ])[] = [
    [{ kind: 'int' }, (index) => index * 7, (index) => `${index * 7}`],
    [
      { kind: 'long' },
      (index) => BigInt(index) * 977_777_777_777n,
      (index) => `${BigInt(index) * 977_777_777_777n}`,
    ],
    [{ kind: 'double' }, (index) => index / 8, (index) => `${index / 8}::DOUBLE`],
    [{ kind: 'string' }, long, (index) => `'${long(index)}'`],
  ]
  it.each(cases)(
    'of %j let every value pass, and few others, as DuckDB probes them',
    async (type, value, literal) => {
      const schema: Schema = { schemaId: 0, fields: [{ id: 1, name: 'v', type, required: false }] }
      const rows = Array.from({ length: 3000 }, (_, index) => ({ v: index % 10 === 9 ? null : value(index) }))
      const bloomFilters = { falsePositiveShares: { v: 0.01 }, bytesMax: 1024 * 1024 }
      for (const dictionaryBytesMax of [0, 2 ** 21]) {
        const batches = [rows.slice(0, 1500), rows.slice(1500)].map((part) => batchOfRows(schema, part))
        const { bytes, metrics } = encodeFile({ schema, bloomFilters, dictionaryBytesMax }, batches)
        expect(metrics.fileSizeInBytes).toBe(bytes.length)
        expect(await readByHyparquet(bytes)).toHaveLength(3000)
        const probe = async (index: number): Promise<unknown> =>
          queryByDuckdb(
            bytes,
            `SELECT bool_and(bloom_filter_excludes) AS absent FROM parquet_bloom_probe($file, 'v', ${literal(index)})`,
          )
        for (const index of [0, 1, 1498, 2990]) expect(await probe(index)).toEqual([{ absent: false }])
        let excluded = 0
        for (let index = 5000; index < 5020; index++)
          if (JSON.stringify(await probe(index)) === JSON.stringify([{ absent: true }])) excluded++
        expect(excluded).toBeGreaterThan(16)
      }
    },
  )

  it('are as large as asked for at most, and only where they are asked for', async () => {
    const fields = ['a', 'b'].map(
      (name, index) => ({ id: index + 1, name, type: { kind: 'int' }, required: true }) as const,
    )
    const schema: Schema = { schemaId: 0, fields }
    const batch = batchOfRows(
      schema,
      Array.from({ length: 5000 }, (_, a) => ({ a, b: a })),
    )
    const size = async (bytesMax: number, share = 0.01): Promise<unknown> => {
      const { bytes } = encodeFile(
        { schema, bloomFilters: { falsePositiveShares: { a: share }, bytesMax } },
        [batch],
      )
      const found = await queryByDuckdb(
        bytes,
        'SELECT bloom_filter_length::INT AS n FROM parquet_metadata($file)',
      )
      return found.map(({ n }) => n)
    }
    // 16 bytes of header.
    const [limited, none] = (await size(1000)) as readonly number[]
    expect(limited).toBeLessThan(512 + 32)
    expect(limited).toBeGreaterThan(512)
    expect(none).toBeNull()
    const [free] = (await size(1024 * 1024)) as readonly number[]
    expect(free).toBeGreaterThan(4096)
  })
})
