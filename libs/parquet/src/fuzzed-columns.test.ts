import type { PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOfRows } from './testing/batch-of-rows.ts'
import { encodeFile, losslessText, readByArrow, readByDuckdb, readByHyparquet } from './testing/read-back.ts'
import { primitiveTypes, valueArbitrary } from './testing/value-arbitraries.ts'

/** Columns as they come from nowhere but a fuzzer: any type, any shape of values, nulls in any pattern. */
type Column = {
  readonly type: PrimitiveType
  readonly required: boolean
  readonly values: readonly (PrimitiveValue | null)[]
}

const rowsMax = 400
const megabyte = 1024 * 1024

const shapes = ['random', 'equal', 'few', 'ascending'] as const
const nullPatterns = ['none', 'all', 'random', 'alternate', 'runs', 'first', 'last'] as const

function columnArbitrary(rows: number): fc.Arbitrary<Column> {
  return fc.constantFrom(...primitiveTypes).chain((type) =>
    fc
      .record({
        shape: fc.constantFrom(...shapes),
        nulls: fc.constantFrom(...nullPatterns),
        pool: fc.array(valueArbitrary(type), { minLength: Math.max(1, rows), maxLength: Math.max(1, rows) }),
        coins: fc.array(fc.boolean(), { minLength: rows, maxLength: rows }),
      })
      .map(({ shape, nulls, pool, coins }) => {
        const values = shapedValues(type, shape, pool).slice(0, rows)
        const isNull = nullsOf(nulls, rows, coins)
        return {
          type,
          required: nulls === 'none',
          values: values.map((value, row) => (isNull(row) ? null : value)),
        }
      }),
  )
}

function shapedValues(
  type: PrimitiveType,
  shape: (typeof shapes)[number],
  pool: readonly PrimitiveValue[],
): readonly PrimitiveValue[] {
  const at = (index: number): PrimitiveValue => pool[index % pool.length] as PrimitiveValue
  if (shape === 'equal') return pool.map(() => at(0))
  if (shape === 'few') return pool.map((_, index) => at(index % 3))
  if (shape === 'ascending' && type.kind === 'long') return pool.map((_, index) => BigInt(index) << 33n)
  if (shape === 'ascending' && type.kind === 'string') return pool.map((_, index) => 'x'.repeat(index))
  return pool
}

function nullsOf(
  pattern: (typeof nullPatterns)[number],
  rows: number,
  coins: readonly boolean[],
): (row: number) => boolean {
  switch (pattern) {
    case 'none':
      return () => false
    case 'all':
      return () => true
    case 'random':
      return (row) => coins[row] === true
    case 'alternate':
      return (row) => row % 2 === 0
    case 'runs':
      return (row) => row % 64 < 40
    case 'first':
      return (row) => row === 0
    case 'last':
      return (row) => row === rows - 1
  }
}

/** One text for each value, with every bit in it; `undefined` where the reader gives another type than the file has. */
function textOf(type: PrimitiveType, value: unknown): string | null | undefined {
  if (value === null || value === undefined) return null
  if (type.kind === 'float' || type.kind === 'double') {
    const number = Number(value)
    return Object.is(number, -0) ? '-0' : String(type.kind === 'float' ? Math.fround(number) : number)
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  // hyparquet makes decimals numbers.
  return type.kind === 'decimal' ? undefined : String(value as PrimitiveValue)
}

/** Arrow gives these as they are stored; times and decimals have forms of their own in it. */
const arrowKinds = new Set(['boolean', 'int', 'long', 'float', 'double', 'string', 'binary'])

async function expectSame(columns: readonly Column[], rows: number, settings: object): Promise<void> {
  const fields = columns.map(({ type, required }, index) => ({
    id: index + 1,
    name: `c${index}`,
    type,
    required,
  }))
  const schema: Schema = { schemaId: 0, fields }
  const rowsOf = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(({ values }, index) => [`c${index}`, values[row] ?? null])),
  )
  const half = Math.floor(rows / 2)
  const batches = [rowsOf.slice(0, half), rowsOf.slice(half)].map((part) => batchOfRows(schema, part))
  const { bytes } = encodeFile({ schema, ...settings }, batches)
  const [duckdb, hyparquet, arrow] = [
    await readByDuckdb(bytes, schema),
    await readByHyparquet(bytes, { utf8: false }),
    readByArrow(bytes),
  ]
  for (const [index, { type, values }] of columns.entries()) {
    const name = `c${index}`
    const isFloat = type.kind === 'float' || type.kind === 'double'
    const byDuckdb = duckdb.map((row) =>
      isFloat && typeof row[name] === 'string'
        ? textOf(type, row[name].replace('inf', 'Infinity').replace('nan', 'NaN'))
        : row[name],
    )
    const expected = values.map((value) => (isFloat ? textOf(type, value) : losslessText(type, value)))
    expect(byDuckdb, `${name} ${type.kind} in DuckDB`).toEqual(expected)
    const texts = values.map((value) => (value === null ? null : textOf(type, value)))
    const byHyparquet = hyparquet.map((row) => textOf(type, row[name]))
    if (type.kind !== 'decimal') expect(byHyparquet, `${name} ${type.kind} in hyparquet`).toEqual(texts)
    if (!arrowKinds.has(type.kind)) continue
    const byArrow = Array.from(arrow.getChild(name) ?? [], (value) => textOf(type, value))
    expect(byArrow, `${name} ${type.kind} in Arrow`).toEqual(texts)
  }
}

describe('fuzzed columns', () => {
  it('come back equal, value by value, from DuckDB, hyparquet and parquet-wasm', async () => {
    const files = fc.integer({ min: 0, max: rowsMax }).chain((rows) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.array(columnArbitrary(rows), { minLength: 1, maxLength: 6 }),
        settings: fc.record({
          pageBytes: fc.constantFrom(1, 100, megabyte),
          dictionaryBytesMax: fc.constantFrom(0, 64, 2 * megabyte),
          pageRowsMax: fc.constantFrom(1, 77, 20_000),
        }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(files, ({ rows, columns, settings }) => expectSame(columns, rows, settings)),
      { numRuns: 25 },
    )
  })

  it('come back equal with strings of 0 bytes, 1 byte and 1 MB among each other', async () => {
    const long = fc.constantFrom('', 'a', 'é', 'y'.repeat(megabyte), `${'z'.repeat(megabyte)}1`, '\u0000')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(long), { minLength: 2, maxLength: 12 }),
        fc.constantFrom(0, 2 * megabyte),
        (values, dictionaryBytesMax) =>
          expectSame([{ type: { kind: 'string' }, required: false, values }], values.length, {
            dictionaryBytesMax,
          }),
      ),
      { numRuns: 10 },
    )
  })
})
