import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { stringifyJson } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { openLake, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'

let lake: Lake
let engine: Engine

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const cases: readonly (readonly [sql: string, value: unknown])[] = [
  ['NULL', null],
  ['true', true],
  ['9007199254740991::BIGINT', 9007199254740991],
  ['9007199254740993::BIGINT', 9007199254740993n],
  ['-170141183460469231731687303715884105727::HUGEINT', -170141183460469231731687303715884105727n],
  ['18446744073709551615::UBIGINT', 18446744073709551615n],
  ['1.50::DECIMAL(10, 2)', '1.50'],
  ['-0.05::DECIMAL(10, 2)', '-0.05'],
  ['12345678901234567890123456789012345.678::DECIMAL(38, 3)', '12345678901234567890123456789012345.678'],
  ['0.1::DOUBLE', 0.1],
  ["'nan'::DOUBLE", 'NaN'],
  ["'-inf'::DOUBLE", '-Infinity'],
  ["DATE '2026-02-28'", '2026-02-28'],
  ["TIME '10:11:12.123456'", '10:11:12.123456'],
  ["TIMESTAMP '2026-01-02 03:04:05'", '2026-01-02T03:04:05'],
  ["TIMESTAMP '2026-01-02 03:04:05.000001'", '2026-01-02T03:04:05.000001'],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", '1969-12-31T23:59:59.999999'],
  ["TIMESTAMP_NS '2026-01-02 03:04:05.123456789'", '2026-01-02T03:04:05.123456789'],
  ["TIMESTAMPTZ '2026-01-02 03:04:05.5+02'", '2026-01-02T01:04:05.5+00:00'],
  ["'infinity'::TIMESTAMPTZ", 'infinity'],
  ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::UUID", 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ["'\\xAA\\x00b'::BLOB", '\\xaa0062'],
  ["'it''s ünï'", "it's ünï"],
  ['[1, NULL, 3]', [1, null, 3]],
  ["{a: 1, 'b c': [1.5::DECIMAL(3, 1)]}", { a: 1, 'b c': ['1.5'] }],
  [
    "MAP {'k': 1, 'l': 2}",
    [
      ['k', 1],
      ['l', 2],
    ],
  ],
  ['[9007199254740993]', [9007199254740993n]],
]

describe('values of rows', () => {
  it.each(cases)('gives %s without loss', async (sql, value) => {
    const [[got] = []] = await rowsOf(engine, `SELECT ${sql}`)
    expect(got).toEqual(value)
    expect(() => stringifyJson(got as JsonValue)).not.toThrow()
  })
})
