import { tableFromIPC } from 'apache-arrow'
import type { Table } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine, QueryOptions } from './engine.ts'
import { openLake } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory, resultBytesMax: 4_000_000 }, lake)
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

async function arrow(sql: string, options: QueryOptions = {}): Promise<Table> {
  const result = await engine.query(sql, options)
  return tableFromIPC(await Array.fromAsync(result.arrow(new Map([['floe.test', 'é']]))))
}

/** The only value of a query, and Arrow's name of its type. */
async function one(expression: string): Promise<readonly unknown[]> {
  const table = await arrow(`SELECT ${expression} AS x`)
  const column = table.getChild('x')
  return [String(table.schema.fields[0]?.type), JSON.parse(asJson(column?.get(0)))]
}

function asJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    return part instanceof Uint8Array ? [...part] : part
  })
}

describe('an Arrow stream', () => {
  it.each([
    ['true', 'Bool', true],
    ['(-7)::TINYINT', 'Int8', -7],
    ['7::INTEGER', 'Int32', 7],
    ['9007199254740993', 'Int64', '9007199254740993n'],
    ['18446744073709551615::UBIGINT', 'Uint64', '18446744073709551615n'],
    ['1.5::FLOAT', 'Float32', 1.5],
    ['1.1::DOUBLE', 'Float64', 1.1],
    ["'größe 🧊'", 'Utf8', 'größe 🧊'],
    ["'\\x00\\xFF'::BLOB", 'Binary', [0, 255]],
    ["uuid '00000000-0000-0000-0000-000000000001'", 'Utf8', '00000000-0000-0000-0000-000000000001'],
    ["INTERVAL '1' DAY", 'Utf8', '1 day'],
    ["['a', NULL, '']", 'List<Utf8>', ['a', null, '']],
    ["{a: 1, b: {c: 'x'}}", 'Struct<{a:Int32, b:Struct<{c:Utf8}>}>', { a: 1, b: { c: 'x' } }],
    ["MAP {'k': [1, 2]}", 'Map<{key:Utf8, value:List<Int32>}>', { k: [1, 2] }],
    ['NULL::INTEGER', 'Int32', null],
  ])('holds %s as %s', async (expression, type, value) => {
    expect(await one(expression)).toEqual([type, value])
  })

  it('holds instants to the microsecond, dates and decimals exactly', async () => {
    const table = await arrow(
      `SELECT TIMESTAMPTZ '2024-02-29 12:00:00.123456+00' AS t, DATE '1969-12-31' AS d, -12345678901234567890.05::DECIMAL(38,2) AS n,
         TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ns`,
    )
    const raw = (name: string): unknown => table.getChild(name)?.data[0]?.values
    expect((raw('t') as BigInt64Array)[0]).toBe(1_709_208_000_123_456n)
    expect((raw('d') as Int32Array)[0]).toBe(-1)
    expect(new BigInt64Array((raw('n') as Uint32Array).slice().buffer)[0]).toBe(
      BigInt.asIntN(64, -1_234_567_890_123_456_789_005n),
    )
    expect((raw('ns') as BigInt64Array)[0]).toBe(1_704_067_200_123_456_789n)
    expect(table.schema.fields.map(({ type }) => String(type))).toEqual([
      'Timestamp<MICROSECOND, UTC>',
      'Date32<DAY>',
      'Decimal[38e+2]',
      'Timestamp<NANOSECOND>',
    ])
  })

  it('has all rows of all batches, nulls where they were, and the metadata of its schema', async () => {
    const sql = "SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'v' || i END AS s FROM range(10000) t(i)"
    const table = await arrow(sql)
    expect(table.numRows).toBe(10_000)
    expect(table.batches.length).toBeGreaterThan(1)
    const texts = table.getChild('s')
    for (const at of [0, 1, 2048, 9_999]) expect(texts?.get(at)).toBe(at % 3 === 0 ? null : `v${at}`)
    expect(table.schema.metadata.get('floe.test')).toBe('é')
  })

  it('has a schema without rows, and no more rows than were asked for', async () => {
    expect((await arrow('SELECT 1 AS x WHERE false')).numRows).toBe(0)
    expect((await arrow('SELECT i FROM range(10000) t(i)', { rowsMax: 2500 })).numRows).toBe(2500)
  })
})

describe('bytes of a result', () => {
  const large = "SELECT repeat('x', 1000) FROM range(10000)"

  it.each(['rows', 'arrow'] as const)('end a query that gives too many of them as %s', async (form) => {
    const result = await engine.query(large)
    await expect(Array.fromAsync<unknown>(result[form]())).rejects.toMatchObject({
      code: 'resource-exhausted',
    })
    const wanted = await engine.query(large, { resultBytesMax: Infinity })
    expect((await Array.fromAsync<unknown>(wanted[form]())).length).toBeGreaterThan(1)
  })
})
