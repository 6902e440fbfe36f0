import type { PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import { describe, expect, it } from 'vitest'
import { batchOfRows } from './testing/batch-of-rows.ts'
import { encodeFile, queryByDuckdb, readByHyparquet } from './testing/read-back.ts'

const rowCount = 40_000
const long: PrimitiveType = { kind: 'long' }
const string: PrimitiveType = { kind: 'string' }

type Case = readonly [string, PrimitiveType, (index: number) => PrimitiveValue, isDictionary: boolean]

const cases: readonly Case[] = [
  ['integers of a small range', { kind: 'int' }, (index) => (index * 7919) % 500, true],
  ['integers around zero', long, (index) => BigInt((index % 300) - 150), true],
  ['wide integers, few of them', long, (index) => BigInt(index % 90) * 2n ** 50n - 2n ** 55n, true],
  ['low words that differ by the sign bit alone', long, (index) => 2n ** 31n + BigInt(index % 5) - 2n, true],
  ['wide integers, all distinct', long, (index) => BigInt(index) * 2n ** 40n, false],
  ['keys that repeat next to each other alone', long, (i) => BigInt(i - (i % 4)) * 2n ** 20n, false],
  ['keys that repeat in long runs', long, (i) => BigInt(i - (i % 100)) * 2n ** 20n, true],
  ['integers that repeat at first only', long, (i) => BigInt(i < 20_000 ? i % 10 : i) * 2n ** 40n, false],
  [
    'doubles, few of them, both zeros',
    { kind: 'double' },
    (i) => [0, -0, 0.25, 1e300][i % 4] as number,
    true,
  ],
  ['floats, all distinct', { kind: 'float' }, (index) => index / 8, false],
  ['strings, few of them', string, (index) => `word ${(index * 31) % 700}`, true],
  ['strings, all distinct', string, (index) => `word ${index}`, false],
  ['one string', string, () => 'the same', true],
  ['empty strings', string, () => '', true],
  ['booleans', { kind: 'boolean' }, (index) => index % 3 === 0, false],
]

describe('the encoding of a chunk', () => {
  it.each(cases)('fits %s, and the values come back', async (_, type, valueAt, isDictionary) => {
    const schema: Schema = { schemaId: 0, fields: [{ id: 1, name: 'v', type, required: false }] }
    const rows = Array.from({ length: rowCount }, (_, index) => ({
      v: index % 11 === 10 ? null : valueAt(index),
    }))
    const { bytes } = encodeFile({ schema, pageBytes: 10_000 }, [batchOfRows(schema, rows)])
    const read = await readByHyparquet(bytes)
    const wrong = rows.findIndex(({ v }, index) => !Object.is(v, read[index]?.['v']))
    expect(wrong).toBe(-1)
    expect(read).toHaveLength(rowCount)
    const [chunk] = await queryByDuckdb(bytes, 'SELECT encodings FROM parquet_metadata($file)')
    expect(String(chunk?.['encodings']).includes('DICTIONARY')).toBe(isDictionary)
  })
})
