import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findDifference, parseAnswer } from './answers.ts'
import { runQuerySuite } from './query-suite.ts'
import type { QueryWorkload } from './query-workload.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'floe-query-test-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const small: QueryWorkload = {
  name: 'small',
  tables: [
    {
      name: 'sales',
      columns: 'id bigint, shop integer, price numeric(15,2), day date',
      rows: `SELECT range AS id, range % 7 AS shop, (range % 1000)::DECIMAL(15,2) / 4 AS price, DATE '2026-01-01' + (range % 90)::INTEGER AS day FROM range(5000)`,
    },
    {
      name: 'shops',
      columns: 'shop integer, city varchar',
      rows: `SELECT range, 'city ' || range FROM range(7)`,
    },
  ],
  queries: [
    { name: 'q01', sql: 'SELECT shop, avg(price), max(day) FROM sales GROUP BY shop ORDER BY shop' },
    {
      name: 'q02',
      sql: 'SELECT city, count(*) FROM sales JOIN shops USING (shop) WHERE id < 14 GROUP BY city ORDER BY city LIMIT 2',
      answer: 'city|count\ncity 0|2\ncity 1|2\n',
    },
  ],
  large: { table: 'sales', scans: [{ name: 'one column', select: 'SELECT sum(price)' }], streamedRows: 4000 },
}

describe('the query suite', () => {
  it('measures every line in each variant on equal answers', async () => {
    const { variants, ratios } = await runQuerySuite({
      folder,
      workload: async () => small,
      variants: ['floe', 'bare'],
      planners: ['floe'],
      lines: ['queries', 'deletes', 'first-row', 'planning'],
      plannedFiles: 200,
      runs: 1,
      command: 'test',
      log: () => {},
    })
    expect(variants.map(({ variant }) => variant)).toEqual([
      'q01 floe',
      'q01 bare',
      'q02 floe',
      'q02 bare',
      'scan of one column floe',
      'scan of one column bare',
      'scan of one column with deletes floe',
      'first row floe',
      'first row bare',
      'plan floe',
    ])
    expect(variants.at(-1)?.median['files']).toBe(1)
    expect(ratios).toMatchObject({
      'total seconds floe / bare': expect.any(Number),
      'total cpuSeconds floe / bare': expect.any(Number),
      'first row seconds floe / bare': expect.any(Number),
      'scan of one column with deletes floe / without seconds': expect.any(Number),
    })
  }, 120_000)
})

describe('answers', () => {
  it('are equal when numbers differ by rounding alone', () => {
    const published = parseAnswer('a|b\nx|0.1000\ny|3\n')
    expect(
      findDifference(published, [
        ['x', '0.1'],
        ['y', '3.0000000000000001'],
      ]),
    ).toBeUndefined()
  })

  it.each([
    [[['x', '0.1']], '2 rows against 1'],
    [
      [
        ['x', '0.1001'],
        ['y', '3'],
      ],
      'row 1, column 2: 0.1000 against 0.1001',
    ],
    [
      [
        ['x', '0.1'],
        ['y', null],
      ],
      'row 2, column 2: 3 against null',
    ],
  ])('differ in %j', (rows, difference) => {
    expect(findDifference(parseAnswer('a|b\nx|0.1000\ny|3\n'), rows)).toBe(difference)
  })
})
