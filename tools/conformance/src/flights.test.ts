import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fillFlights } from '@floe/datasets'
import { defaultWorkers, Lakehouse, readSettings } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Three million real flights: what the table holds must be what PostgreSQL holds, column by column. */
let postgres: TestPostgres & AsyncDisposable
let folder: string
let lakehouse: Lakehouse

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-flights-'))
  postgres = await startPostgres({ settings: { max_wal_size: '4GB' } })
  await fillFlights(postgres.url)
  lakehouse = new Lakehouse(readSettings({}, {}, folder, defaultWorkers()))
}, 300_000)
afterAll(async () => {
  await lakehouse.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

async function first(sql: string): Promise<readonly unknown[]> {
  const result = await lakehouse.query(sql)
  try {
    for await (const [row] of result.rows()) if (row !== undefined) return row
    return []
  } finally {
    await result.close()
  }
}

const columns = [
  { name: 'departed_at', sum: 'sum(extract(epoch FROM departed_at)::bigint)', text: `to_char` },
  { name: 'delay', sum: 'sum(delay)', text: 'plain' },
  { name: 'distance', sum: 'sum(distance)', text: 'plain' },
  { name: 'origin', sum: 'sum(ascii(origin))', text: 'plain' },
  { name: 'destination', sum: 'sum(ascii(destination))', text: 'plain' },
] as const

describe('3 million flights', () => {
  it('load in one snapshot', async () => {
    const { tables } = await lakehouse.load({
      sourceUrl: postgres.url,
      tables: ['public.flights'],
      namespace: ['travel'],
      mode: 'create',
    })
    expect(tables).toMatchObject([{ status: 'loaded', rows: 3_000_000, method: 'copy' }])
  })

  it.each(columns)(
    'have the count, sum, min, max and nulls of $name that PostgreSQL has',
    async ({ name, sum, text }) => {
      const bound = (bounds: string): string =>
        text === 'to_char' ? `to_char(${bounds}, 'YYYY-MM-DD HH24:MI:SS')` : `${bounds}::text`
      const duckBound = (bounds: string): string =>
        text === 'to_char' ? `strftime(${bounds}, '%Y-%m-%d %H:%M:%S')` : `${bounds}::VARCHAR`
      // C collation orders text by bytes, as Iceberg and DuckDB do.
      const ordered = name === 'origin' || name === 'destination' ? `${name} COLLATE "C"` : name
      const [expected] = await postgres.query<Record<string, string>>(
        `SELECT count(*)::text AS rows, count(${name})::text AS present, (${sum})::text AS total,
         ${bound(`min(${ordered})`)} AS low, ${bound(`max(${ordered})`)} AS high FROM public.flights`,
      )
      const actual = await first(
        `SELECT count(*)::VARCHAR, count(${name})::VARCHAR, (${sum})::VARCHAR, ${duckBound(`min(${name})`)}, ${duckBound(`max(${name})`)}
       FROM travel.flights`,
      )
      expect(actual).toEqual([
        expected?.['rows'],
        expected?.['present'],
        expected?.['total'],
        expected?.['low'],
        expected?.['high'],
      ])
    },
  )

  it('have the same rows, by a sum over a hash of each whole row', async () => {
    // Both sides print a row the same way; md5 is the one hash that both have. The sum does not depend on order.
    const [expected] = await postgres.query<{ total: string }>(
      `SELECT sum(('x' || substr(md5(concat_ws('|', to_char(departed_at, 'YYYYMMDDHH24MISS'), delay, distance, origin, destination)), 1, 8))::bit(32)::bigint)::text AS total
       FROM public.flights`,
    )
    const [total] = await first(
      `SELECT sum(('0x' || substr(md5(concat_ws('|', strftime(departed_at, '%Y%m%d%H%M%S'), delay, distance, origin, destination)), 1, 8))::BIGINT)::VARCHAR
       FROM travel.flights`,
    )
    expect(total).toBe(expected?.total)
  })
})
