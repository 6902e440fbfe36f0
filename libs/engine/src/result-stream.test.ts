import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { openLake, readAll } from './lake-fixture.ts'
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

describe('a query that fails after its first rows', () => {
  it.each([
    [
      'a function that fails',
      `SELECT CASE WHEN i < 800000 THEN i ELSE error('broken row') END AS x FROM range(900000) t(i)`,
    ],
    [
      'a cast that fails',
      `SELECT (CASE WHEN i < 800000 THEN i::VARCHAR ELSE 'x' || i END)::INTEGER AS x FROM range(900000) t(i)`,
    ],
  ])('throws at %s, where the rows would otherwise just stop', async (_, sql) => {
    const result = await engine.query(sql)
    let rows = 0
    const read = async (): Promise<void> => {
      for await (const batch of result.rows()) rows += batch.length
    }
    await expect(read()).rejects.toMatchObject({ name: 'FloeError' })
    expect(rows).toBeGreaterThan(0)
    expect(rows).toBeLessThan(900_000)
  })

  it('does not take a whole result for a failure', async () => {
    const { rows } = await readAll(engine, 'SELECT i FROM range(300000) t(i)')
    expect(rows).toHaveLength(300_000)
    const empty = await readAll(engine, 'SELECT i FROM range(10) t(i) WHERE i > 10')
    expect(empty.rows).toHaveLength(0)
  })
})
