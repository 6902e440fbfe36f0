import { fileURLToPath } from 'node:url'
import { openEngine } from '@floe/engine'
import type { Engine } from '@floe/engine'
import { openLake, RandomTable, readAll, stepsArbitrary } from '@floe/engine/testing'
import type { Lake } from '@floe/engine/testing'
import { installPyIceberg, startLineProcess } from '@floe/peers'
import type { LineProcess } from '@floe/peers'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isFullLane } from './lane.ts'

/** Tables, and conditions on each. A failure prints the seed that repeats it. */
const tablesMax = isFullLane ? 40 : 12
const conditionsPerTable = 6

const open = new AsyncDisposableStack()
let lake: Lake
let engine: Engine
let peer: LineProcess
let tables = 0

beforeAll(async () => {
  lake = await openLake()
  open.defer(() => lake.close())
  engine = await openEngine({ cacheDirectory: lake.directory, threads: 1 }, lake)
  open.defer(() => engine.close())
  const script = fileURLToPath(new URL('../python/scan_filters.py', import.meta.url))
  peer = open.use(startLineProcess(await installPyIceberg(), [script, 'k']))
})
afterAll(() => open.disposeAsync())

const sign = fc.constantFrom('=', '<', '<=', '>', '>=', '<>')
const integer = fc.integer({ min: -6, max: 16 }).map(String)
const day = fc.constantFrom("'1969-12-31'", "'1970-01-05'", "'1970-02-01'", "'1970-03-02'")
const time = fc.constantFrom("'1970-01-01T00:00:00'", "'1969-12-31T23:30:00'", "'1970-01-01T05:10:00'")
const words = fc.constantFrom("'a'", "'ab'", "'aé'", "'b'", "'zz'")
const compared = (column: string, literal: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(sign, literal).map(([operator, value]) => `${column} ${operator} ${value}`)
const comparison = fc.oneof(
  compared('id', integer),
  compared('#s', words),
  compared('d', day),
  compared('ts', time),
)

/** What SQL and the filters of PyIceberg write alike and mean alike; `#s` stands for the text column. */
const simple = fc.oneof(
  { weight: 4, arbitrary: comparison },
  {
    weight: 1,
    arbitrary: fc
      .array(integer, { minLength: 2, maxLength: 5 })
      .map((values) => `id IN (${values.join(', ')})`),
  },
  { weight: 1, arbitrary: fc.constantFrom("#s LIKE 'a%'", "#s LIKE 'zzzz%'") },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('id', '#s', 'd', 'ts', 'x'), fc.constantFrom('IS NULL', 'IS NOT NULL'))
      .map((parts) => parts.join(' ')),
  },
)
const condition = fc.oneof(
  simple,
  fc.tuple(simple, simple).map(([a, b]) => `(${a}) AND (${b})`),
  fc.tuple(simple, simple).map(([a, b]) => `(${a}) OR (${b})`),
  comparison.map((a) => `NOT (${a})`),
)

async function keys(sql: string): Promise<{ readonly keys: readonly number[]; readonly files: number }> {
  const { rows, result } = await readAll(engine, sql)
  const files = result.pruning.reduce((sum, { report }) => sum + report.filesKept, 0)
  return { keys: rows.map(([key]) => Number(key)), files }
}

describe('any table under any condition', () => {
  it('has the same rows pruned, unpruned, and as PyIceberg reads it', async () => {
    let [kept, all] = [0, 0]
    await fc.assert(
      fc.asyncProperty(
        // PyIceberg refuses to read tables with equality deletes.
        stepsArbitrary.map((steps) => steps.filter(({ kind }) => kind !== 'equality-delete')),
        fc.array(condition, { minLength: conditionsPerTable, maxLength: conditionsPerTable }),
        async (steps, conditions) => {
          const table = new RandomTable(lake, `t${++tables}`)
          await table.create()
          for (const step of steps) await table.take(step)
          const identifier = { namespace: ['random'], name: `t${tables}` }
          const { metadataLocation: metadata } = await lake.catalog.loadTable(identifier)
          for (const text of conditions) {
            const where = text.replaceAll('#s', table.textColumn)
            const pruned = await keys(`SELECT k FROM ${table.name} WHERE ${where} ORDER BY k`)
            // What no metric can answer beside it keeps every file.
            const unpruned = await keys(
              `SELECT k FROM ${table.name} WHERE (${where}) OR random() > 2 ORDER BY k`,
            )
            expect(pruned.keys, where).toEqual(unpruned.keys)
            expect(await peer.ask({ metadata, filter: where }), where).toEqual(pruned.keys)
            kept += pruned.files
            all += unpruned.files
          }
        },
      ),
      { numRuns: tablesMax, endOnFailure: true },
    )
    // Otherwise nothing was compared.
    expect(kept).toBeLessThan(all)
  })
})
