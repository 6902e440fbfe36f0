import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openSession, readRows } from './duckdb-session.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { openLake, readAll, rowsOf } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'
import { plainValue } from './row-value.ts'
import { RandomTable, stepsArbitrary } from './random-table-fixture.ts'

/** Tables, and conditions on each. A failure prints the seed that repeats it. */
const tablesMax = 8
const conditionsPerTable = 4

/** Local files are read in place; of those in memory exactly the bytes are copied that a query needs. */
const schemes = ['file', 'memory'] as const
const lakes = new Map<string, { readonly lake: Lake; readonly engine: Engine }>()
let model: DuckDBSession
let tables = 0

function fail(): never {
  throw new Error('the lake was not opened')
}

async function modelRows(sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await readRows(model.connection, sql)).map((row) => row.map(plainValue))
}

beforeAll(async () => {
  model = await openSession({ memoryMaxMb: 256, threads: 1 })
  for (const scheme of schemes) {
    const lake = await openLake(scheme)
    const settings = { cacheDirectory: lake.directory, cacheReadAheadBytes: 0, threads: 1 }
    lakes.set(scheme, { lake, engine: await openEngine(settings, lake) })
  }
})
afterAll(async () => {
  model.close()
  for (const { lake, engine } of lakes.values()) {
    await engine.close()
    await lake.close()
  }
})

const operator = fc.constantFrom('=', '<', '<=', '>', '>=', '<>', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM')
const comparison = (column: string, literal: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(operator, literal).map(([sign, value]) => `${column} ${sign} ${value}`)
const integer = fc.integer({ min: -6, max: 16 }).map(String)

/** Conditions on the columns of a random table; `#s` stands for its text column. */
const simpleCondition: fc.Arbitrary<string> = fc.oneof(
  comparison('id', integer),
  fc.array(integer, { minLength: 1, maxLength: 7 }).map((values) => `id IN (${values.join(', ')})`),
  comparison('#s', fc.constantFrom("''", "'a'", "'ab'", "'aé'", "'it''s'", "'zz'")),
  fc.constantFrom(
    "#s LIKE 'a%'",
    "#s LIKE '%b'",
    "#s NOT LIKE 'ab%'",
    "starts_with(#s, 'zzzzzzzzzzzzzzzzzzzz')",
  ),
  comparison(
    'd',
    fc.integer({ min: -4, max: 75 }).map((days) => `(DATE '1970-01-01' + ${days})::DATE`),
  ),
  comparison(
    'ts',
    fc.constantFrom("'1970-01-01 00:00:00'", "'1969-12-31 23:30:00'", "'1970-01-01 05:10:00'"),
  ),
  fc.constantFrom(
    "CAST(ts AS DATE) = '1970-01-01'",
    "date_trunc('hour', ts) = '1970-01-01 03:00:00'",
    'year(d) = 1970',
  ),
  comparison('x', fc.constantFrom('0', '-0.0', '1.5', "'NaN'::DOUBLE", "'inf'::DOUBLE")),
  fc.constantFrom('id', '#s', 'd', 'ts', 'x').map((column) => `${column} IS NULL`),
  fc.constantFrom('id', '#s', 'd', 'ts', 'x').map((column) => `${column} IS NOT NULL`),
)
const condition: fc.Arbitrary<string> = fc.oneof(
  simpleCondition,
  fc.tuple(simpleCondition, simpleCondition).map(([a, b]) => `(${a}) AND (${b})`),
  fc.tuple(simpleCondition, simpleCondition).map(([a, b]) => `(${a}) OR (${b})`),
  simpleCondition.map((a) => `NOT (${a})`),
)

// DuckDB takes 0 and -0 as equal, so either may be the least: adding 0 makes them one.
const aggregates = 'count(*), count(id), min(id), max(id), min(d), max(ts), max(x) + 0, min(x) + 0, count(n)'

describe('a column of nulls alone', () => {
  it.each([
    "ts IS DISTINCT FROM '1970-01-01 00:00:00'",
    "NOT (ts IS NOT DISTINCT FROM '1970-01-01 00:00:00')",
  ])('is kept by %s below an OR, which DuckDB by itself takes for <> there', async (distinct) => {
    const { lake, engine } = lakes.get('file') ?? fail()
    const table = new RandomTable(lake, `t${++tables}`)
    await table.create()
    await table.take({ kind: 'append', rows: [{ id: 1, s: 'a', d: 0, ts: null, x: null }] })
    const rows = await rowsOf(engine, `SELECT id FROM ${table.name} WHERE ts <> '1970-01-02' OR ${distinct}`)
    expect(rows).toEqual([[1]])
    const named = await rowsOf(engine, `SELECT x = 1 OR ${distinct} AS is_kept FROM ${table.name}`)
    expect(named).toEqual([[true]])
  })
})

describe('any table, whatever its specs, schemas and deletes', () => {
  it.each(schemes)(
    'gives under any condition the rows that the spec says it has, from %s',
    async (scheme) => {
      const { lake, engine } = lakes.get(scheme) ?? fail()
      await fc.assert(
        fc.asyncProperty(
          stepsArbitrary,
          fc.array(condition, { minLength: conditionsPerTable, maxLength: conditionsPerTable }),
          async (steps, conditions) => {
            const table = new RandomTable(lake, `t${++tables}`)
            await table.create()
            for (const step of steps) await table.take(step)
            for (const text of ['true', ...conditions]) {
              const where = text.replaceAll('#s', table.textColumn)
              const shown = table.hasNewColumn ? aggregates : aggregates.replace(', count(n)', '')
              const expected = await modelRows(
                `SELECT * FROM (${table.modelSql()}) WHERE ${where} ORDER BY k`,
              )
              const { rows, result } = await readAll(
                engine,
                `SELECT * FROM ${table.name} WHERE ${where} ORDER BY k`,
              )
              expect(rows, where).toEqual(expected)
              expect(result.pruning.length).toBe(1)
              const sums = await rowsOf(engine, `SELECT ${shown} FROM ${table.name} WHERE ${where}`)
              expect(sums, where).toEqual(
                await modelRows(`SELECT ${shown} FROM (${table.modelSql()}) WHERE ${where}`),
              )
            }
          },
        ),
        { numRuns: tablesMax, endOnFailure: true },
      )
    },
    300_000,
  )
})
