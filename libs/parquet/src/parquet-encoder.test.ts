import type { PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LeafColumn } from './column.ts'
import { createParquetEncoder } from './parquet-encoder.ts'
import { batchOfRows, type Row } from './testing/batch-of-rows.ts'
import {
  encodeFile,
  losslessText,
  queryByDuckdb,
  readByArrow,
  readByDuckdb,
  readByHyparquet,
} from './testing/read-back.ts'
import { primitiveSchema, primitiveTypes, valueArbitrary } from './testing/value-arbitraries.ts'

const schemaOf = (type: PrimitiveType, required = false): Schema => ({
  schemaId: 0,
  fields: [{ id: 1, name: 'v', type, required }],
})

async function expectReadBack(
  schema: Schema,
  groups: readonly (readonly Row[])[],
  settings = {},
): Promise<void> {
  const { bytes } = encodeFile(
    { schema, ...settings },
    groups.map((rows) => batchOfRows(schema, rows)),
  )
  const rows = groups.flat()
  const expected = rows.map((row) =>
    Object.fromEntries(
      schema.fields.map(({ name, type }) => [
        name,
        losslessText(type as PrimitiveType, row[name] as PrimitiveValue),
      ]),
    ),
  )
  const read = await readByDuckdb(bytes, schema)
  expect(read.map((row) => normalizeFloats(schema, row))).toEqual(
    expected.map((row) => normalizeFloats(schema, row)),
  )
  expect(await readByHyparquet(bytes)).toHaveLength(rows.length)
  expect(readByArrow(bytes).numRows).toBe(rows.length)
}

/** Readers print floats with different digits: the number, not its text, is compared; a float's own width counts. */
function normalizeFloats(schema: Schema, row: Readonly<Record<string, unknown>>): unknown {
  return schema.fields.map(({ name, type }) => {
    const text = row[name]
    if (typeof text !== 'string') return text
    const value = Number(text.replace('inf', 'Infinity'))
    if (type.kind === 'double') return value
    return type.kind === 'float' ? Math.fround(value) : text
  })
}

describe('primitive columns', () => {
  it('come back from three readers whatever the values and nulls', async () => {
    const record = fc.record(
      Object.fromEntries(
        primitiveTypes.map((type, index) => [`c${index}`, fc.option(valueArbitrary(type), { freq: 4 })]),
      ),
    )
    const groups = fc.array(fc.array(record, { maxLength: 60 }), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(groups, async (rowGroups) => {
        await expectReadBack(primitiveSchema, rowGroups, { pageBytes: 128 })
      }),
      { numRuns: 25 },
    )
  })

  it.each(['zstd', 'snappy', 'gzip', 'uncompressed'] as const)('come back through %s', async (codec) => {
    const rows = Array.from({ length: 20_000 }, (_, index) => ({ v: `row ${index % 3000} of the table` }))
    await expectReadBack(schemaOf({ kind: 'string' }), [rows], { codec, dictionaryBytesMax: 0 })
  })

  it.each([
    ['all null', () => null],
    ['no null', (index: number) => BigInt(index) * 977_777_777_777n],
    ['null first', (index: number) => (index === 0 ? null : BigInt(index))],
    ['null last', (index: number) => (index === 4999 ? null : BigInt(index % 7))],
    ['every other null', (index: number) => (index % 2 === 0 ? null : BigInt(-index))],
    ['long runs of nulls', (index: number) => (index % 1000 < 500 ? null : BigInt(index))],
    ['all equal', () => 42n],
    ['wide but few', (index: number) => BigInt(index % 5) * 2n ** 60n - 2n ** 61n],
    ['ascending', (index: number) => BigInt(index) * 4n],
  ])('of int64 come back: %s', async (_, valueAt) => {
    const rows = Array.from({ length: 5000 }, (_, index) => ({ v: valueAt(index) }))
    await expectReadBack(schemaOf({ kind: 'long' }), [rows])
    await expectReadBack(schemaOf({ kind: 'long' }), [rows.slice(0, 999), rows.slice(999)], {
      pageBytes: 512,
      pageRowsMax: 200,
    })
  })

  it('come back as strings of 0 bytes, 1 byte and 1 MiB, beside each other', async () => {
    const long = 'ß'.repeat(512 * 1024)
    const values = ['', 'a', long, '', null, 'b', `${long}c`, long]
    const schema = schemaOf({ kind: 'string' })
    const { bytes } = encodeFile({ schema }, [
      batchOfRows(
        schema,
        values.map((v) => ({ v })),
      ),
    ])
    expect((await readByHyparquet(bytes)).map((row) => row['v'])).toEqual(values)
    expect(Array.from(readByArrow(bytes).getChild('v') ?? [])).toEqual(values)
  })

  it('keep -0, NaN and infinities bit by bit', async () => {
    const values = [0, -0, NaN, Infinity, -Infinity, 5e-324, 1.5]
    for (const kind of ['double', 'float'] as const) {
      const schema = schemaOf({ kind }, true)
      const rows = Array.from({ length: 400 }, (_, index) => ({ v: values[index % values.length] as number }))
      const { bytes } = encodeFile({ schema }, [batchOfRows(schema, rows)])
      const expected = rows.map(({ v }) => (kind === 'float' ? Math.fround(v) : v))
      expect(Array.from(readByArrow(bytes).getChild('v') ?? [])).toEqual(expected)
    }
  })

  it('read a dictionary of the decoder like the plain strings', async () => {
    const schema = schemaOf({ kind: 'string' })
    const words = ['unused', 'AIR', 'MAIL', '']
    const values = Array.from({ length: 1000 }, (_, index) => words[1 + (index % 3)] as string)
    const plain = batchOfRows(
      schema,
      words.map((v) => ({ v })),
    ).columns[0]?.values
    if (plain?.layout !== 'bytes') throw new Error('strings are bytes')
    const ids = Int32Array.from(values, (value) => words.indexOf(value))
    const column = {
      ...batchOfRows(
        schema,
        values.map((v) => ({ v })),
      ).columns[0],
      values: { ...plain, layout: 'dictionary', dictionaryCount: 4, ids },
    }
    for (const dictionaryBytesMax of [0, 1_000_000]) {
      const file = encodeFile({ schema, dictionaryBytesMax }, [
        { rowCount: 1000, columns: [column as never] },
      ])
      expect((await readByHyparquet(file.bytes)).map((row) => row['v'])).toEqual(values)
      expect(Buffer.from(file.metrics.upperBounds?.get(1) ?? []).toString()).toBe('MAIL')
    }
  })
})

describe('the file', () => {
  it('is valid without a row, and skips batches of 0 rows', async () => {
    await expectReadBack(primitiveSchema, [])
    await expectReadBack(schemaOf({ kind: 'int' }), [[], [{ v: 1 }], []])
    const { metrics } = encodeFile({ schema: schemaOf({ kind: 'int' }) }, [])
    expect(metrics).toMatchObject({ recordCount: 0, splitOffsets: [] })
  })

  it('carries field ids, logical types, statistics and the Iceberg schema for DuckDB', async () => {
    const { bytes } = encodeFile({ schema: primitiveSchema, keyValueMetadata: { origin: 'test' } }, [
      batchOfRows(primitiveSchema, [{ c1: -5, c10: 'x' }, { c1: 7, c10: 'é' }, {}]),
    ])
    const schema = await queryByDuckdb(
      bytes,
      'SELECT name, type, converted_type, logical_type, field_id FROM parquet_schema($file)',
    )
    expect(schema).toMatchSnapshot()
    const [statistics] = await queryByDuckdb(
      bytes,
      `SELECT stats_min_value, stats_max_value, stats_null_count, min_is_exact FROM parquet_metadata($file) WHERE path_in_schema = 'c1'`,
    )
    expect(statistics).toEqual({
      stats_min_value: '-5',
      stats_max_value: '7',
      stats_null_count: '1',
      min_is_exact: true,
    })
    const pairs = await queryByDuckdb(bytes, 'SELECT key::VARCHAR AS key FROM parquet_kv_metadata($file)')
    expect(pairs.map(({ key }) => key)).toEqual(['origin', 'iceberg.schema'])
  })

  it('cuts long strings in statistics and says that they are not exact', async () => {
    const schema = schemaOf({ kind: 'string' })
    // The raised bound has as many bytes as the value: U+007F is one byte and U+0080 two.
    const long = `${'z'.repeat(63)}\u007Fz`
    const { bytes } = encodeFile({ schema }, [batchOfRows(schema, [{ v: 'a' }, { v: long }])])
    const [statistics] = await queryByDuckdb(
      bytes,
      'SELECT stats_min_value, stats_max_value, min_is_exact, max_is_exact FROM parquet_metadata($file)',
    )
    expect(statistics).toEqual({
      stats_min_value: 'a',
      stats_max_value: `${'z'.repeat(63)}\u0080`,
      min_is_exact: true,
      max_is_exact: false,
    })
  })

  it('tells where each row group begins, and its own size', () => {
    const schema = schemaOf({ kind: 'int' }, true)
    const batch = batchOfRows(schema, [{ v: 1 }, { v: 2 }])
    const { bytes, metrics } = encodeFile({ schema }, [batch, batch])
    expect(metrics.fileSizeInBytes).toBe(bytes.length)
    expect(metrics.recordCount).toBe(4)
    const [first, second] = metrics.splitOffsets ?? []
    expect(first).toBe(4)
    expect(second).toBe(4 + (metrics.columnSizes?.get(1) ?? 0) / 2)
  })

  it('gives chunks of their own memory', () => {
    const schema = schemaOf({ kind: 'string' })
    const rows = Array.from({ length: 5000 }, (_, index) => ({ v: `value ${index}` }))
    const encoder = createParquetEncoder({ schema })
    const chunks = [...encoder.encodeRowGroup(batchOfRows(schema, rows)), ...encoder.finish().chunks]
    expect(chunks.map((chunk) => chunk.buffer.byteLength)).toEqual(chunks.map((chunk) => chunk.length))
    expect(new Set(chunks.map((chunk) => chunk.buffer)).size).toBe(chunks.length)
  })

  it('stores chunks uncompressed that do not shrink', async () => {
    const schema = schemaOf({ kind: 'long' })
    let state = 1n
    const rows = Array.from({ length: 3000 }, () => ({
      v: (state = BigInt.asIntN(64, state * 6364136223846793005n + 1n)),
    }))
    const { bytes } = encodeFile({ schema }, [batchOfRows(schema, rows)])
    const [chunk] = await queryByDuckdb(bytes, 'SELECT compression FROM parquet_metadata($file)')
    expect(chunk).toEqual({ compression: 'UNCOMPRESSED' })
  })

  it.each([
    [
      'a layout that the type is not stored in',
      { values: { layout: 'float', values: new Float32Array(2) } },
      /layout float/,
    ],
    ['another field', { fieldId: 9 }, /field id 9/],
    ['too few entries', { levelCount: 1 }, /1 entries in 2 rows/],
    ['nulls without levels', { valueCount: 1 }, /definition levels are missing/],
  ])('refuses %s', (_, change, message) => {
    const schema = schemaOf({ kind: 'int' })
    const batch = batchOfRows(schema, [{ v: 1 }, { v: 2 }])
    const broken = {
      ...batch,
      columns: batch.columns.map((column) => ({ ...column, ...change }) as LeafColumn),
    }
    expect(() => createParquetEncoder({ schema }).encodeRowGroup(broken)).toThrow(message)
  })

  it('refuses nulls in a required column, a missing column, variants, and calls after the end', () => {
    const optional = schemaOf({ kind: 'int' })
    const required = schemaOf({ kind: 'int' }, true)
    const withNull = batchOfRows(optional, [{ v: null }])
    expect(() => createParquetEncoder({ schema: required }).encodeRowGroup(withNull)).toThrow(
      /required column/,
    )
    const noColumns = { rowCount: 1, columns: [] }
    expect(() => createParquetEncoder({ schema: required }).encodeRowGroup(noColumns)).toThrow(/0 columns/)
    expect(() => createParquetEncoder({ schema: schemaOf({ kind: 'variant' }) })).toThrow(/variant/)
    const finished = createParquetEncoder({ schema: required })
    finished.finish()
    expect(() => finished.finish()).toThrow(/finished/)
  })
})
