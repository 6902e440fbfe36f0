import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chooseWorkload } from './workload.ts'

let postgres: TestPostgres

beforeAll(async () => {
  postgres = await startPostgres()
})

afterAll(() => postgres.stop())

async function describe(table: string): Promise<{ readonly columns: number; readonly digest: string }> {
  const [columns] = await postgres.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0`,
  )
  const [rows] = await postgres.query<{ digest: string }>(
    `SELECT md5(string_agg(t::text, E'\\n' ORDER BY id)) AS digest FROM ${table} t`,
  )
  return { columns: columns?.count ?? 0, digest: rows?.digest ?? '' }
}

it.each([
  ['wide', 0.005, 100, 1500],
  ['text', 0.002, 11, 2000],
  ['null', 0.01, 20, 20_000],
] as const)('makes the %s table the same each time', async (name, scale, columns, rows) => {
  const workload = chooseWorkload(name, scale)
  expect(await workload.fill(postgres)).toBe(rows)
  const first = await describe(workload.table)
  expect(first.columns).toBe(columns)
  await postgres.query(`DROP TABLE ${workload.table}`)
  await workload.fill(postgres)
  expect(await describe(workload.table)).toEqual(first)
})

it('gives the columns of the null table from 50 to 95 percent of nulls', async () => {
  const [found] = await postgres.query<{ shares: readonly number[] }>(
    `SELECT array_agg(share::float8 ORDER BY name) AS shares FROM (
       SELECT name, round(100 * (1 - count(value) / 20000.0)) AS share
       FROM null_rows, jsonb_each(to_jsonb(null_rows)) AS j(name, held), nullif(held, 'null') AS value
       WHERE name <> 'id' GROUP BY name) AS counted`,
  )
  expect(found?.shares).toHaveLength(19)
  for (const share of found?.shares ?? []) {
    expect(share).toBeGreaterThanOrEqual(35)
    expect(share).toBeLessThanOrEqual(100)
  }
})

it('says which workloads there are', () => {
  expect(() => chooseWorkload('narrow', undefined)).toThrow('flights, lineitem, wide, text, null')
})
