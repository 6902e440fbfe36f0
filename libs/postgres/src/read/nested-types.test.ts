import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FloeError, typeToString } from '@floe/iceberg'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import type { BatchValue } from '../batch-rows.ts'
import { connectSource, findSourceTables, planColumns } from '../index.ts'
import type { TypePolicies, TypePolicy } from '../index.ts'
import { readBothWays, readTable } from '../testing/read-table.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.query(`CREATE EXTENSION hstore SCHEMA public; CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN cents AS numeric(8,2); CREATE DOMAIN tags AS text[];
    CREATE TYPE pair AS (a int, "B ""x" text);
    CREATE TYPE priced AS (price cents, tags text[], mood mood, span interval);
    CREATE TYPE outer_pair AS (label text, inner_pair pair, pairs pair[]);
    CREATE TYPE cast_inside AS (amount numeric, host inet, owed money, deep pair);
    CREATE TYPE holder AS (c cast_inside, list cast_inside[]);
    CREATE TYPE empty_row AS (); CREATE TYPE floatrange AS RANGE (subtype = float8);
    CREATE TYPE shrunk AS (a int, gone text, b int); ALTER TYPE shrunk DROP ATTRIBUTE gone;
    CREATE DOMAIN positive_pair AS pair CHECK ((VALUE).a > 0)`)
})
afterAll(() => postgres.stop())

/** One-column table of these SQL values, read both ways; both must agree before either is returned. */
async function roundTrip(
  type: string,
  values: readonly string[],
  policy: TypePolicy = {},
): Promise<readonly BatchValue[]> {
  const policies: TypePolicies = { columns: { v: policy } }
  const { copied, fetched } = await readBothWays(postgres, type, values, policies)
  expect(fetched.rows).toEqual(copied.rows)
  expect(fetched.layouts).toEqual(copied.layouts)
  expect(fetched.stats.touched).toEqual(copied.stats.touched)
  return copied.rows.map((row) => row[1] as BatchValue)
}

async function typeOf(type: string, policy: TypePolicy = {}): Promise<string> {
  await postgres.query(`DROP TABLE IF EXISTS one; CREATE TABLE one (id int, v ${type})`)
  const client = await connectSource(postgres.url)
  try {
    const [table] = await findSourceTables(client, 'public.one')
    if (table === undefined) throw new Error('no table')
    const [, column] = planColumns(table, { columns: { v: policy } })
    return column === undefined ? '' : typeToString(column.type)
  } finally {
    await client.end()
  }
}

async function failure(run: () => Promise<unknown>): Promise<FloeError> {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof FloeError)) throw new Error(`expected a FloeError, got ${String(error)}`)
  return error
}

const b = 'B "x'

describe('composites', () => {
  it('are structs, null apart from a row of nulls', async () => {
    expect(
      await roundTrip('pair', [`ROW(1,'x y')`, 'NULL', 'ROW(NULL,NULL)', `ROW(NULL,'')`, `ROW(3,NULL)`]),
    ).toEqual([{ a: 1, [b]: 'x y' }, null, { a: null, [b]: null }, { a: null, [b]: '' }, { a: 3, [b]: null }])
  })

  it('hold domains, lists, enums, intervals, and each other', async () => {
    expect(await typeOf('priced')).toContain('decimal(8, 2)')
    expect(
      await roundTrip('priced', [`ROW(1.25,'{a,NULL}','glad','1 day')`, `ROW(NULL,'{}',NULL,NULL)`, 'NULL']),
    ).toEqual([
      { price: 125, tags: ['a', null], mood: 'glad', span: { months: 0, days: 1, micros: 0n } },
      { price: null, tags: [], mood: null, span: null },
      null,
    ])
    expect(
      await roundTrip('outer_pair', [
        `ROW('l',ROW(1,'x')::pair,ARRAY[ROW(2,'y')::pair,NULL,ROW(NULL,NULL)::pair])`,
        `ROW(NULL,NULL,'{}')`,
        `ROW('n',ROW(NULL,NULL)::pair,NULL)`,
      ]),
    ).toEqual([
      {
        label: 'l',
        inner_pair: { a: 1, [b]: 'x' },
        pairs: [{ a: 2, [b]: 'y' }, null, { a: null, [b]: null }],
      },
      { label: null, inner_pair: null, pairs: [] },
      { label: 'n', inner_pair: { a: null, [b]: null }, pairs: null },
    ])
  })

  it('have those fields cast that no wire is read of', async () => {
    const value = `ROW(1.50,'10.0.0.1','2.50',ROW(1,'z')::pair)::cast_inside`
    const read = { amount: '1.50', host: '10.0.0.1', owed: 250n, deep: { a: 1, [b]: 'z' } }
    const empty = { amount: null, host: null, owed: null, deep: null }
    expect(await roundTrip('cast_inside', [value, 'NULL', 'ROW(NULL,NULL,NULL,NULL)'])).toEqual([
      read,
      null,
      empty,
    ])
    expect(
      await roundTrip('holder', [`ROW(${value},ARRAY[${value},NULL])`, `ROW(NULL,'{}')`, `ROW(NULL,NULL)`]),
    ).toEqual([
      { c: read, list: [read, null] },
      { c: null, list: [] },
      { c: null, list: null },
    ])
    expect(await roundTrip('cast_inside[]', [`ARRAY[NULL,${value}]`, 'NULL', `'{}'`])).toEqual([
      [null, read],
      null,
      [],
    ])
    const error = await failure(() => roundTrip('cast_inside[]', [`ARRAY[ARRAY[${value}]]`]))
    expect(error.message).toContain('2 dimensions')
  })

  it('under a domain, with a dropped attribute, as a table row, or without attributes', async () => {
    expect(await roundTrip('positive_pair', [`ROW(1,'x')`, 'NULL'])).toEqual([{ a: 1, [b]: 'x' }, null])
    expect(await roundTrip('shrunk', ['ROW(1,2)'])).toEqual([{ a: 1, b: 2 }])
    expect(await roundTrip('shrunk[]', ['ARRAY[ROW(1,2)::shrunk]'])).toEqual([[{ a: 1, b: 2 }]])
    expect(await roundTrip('empty_row', ['ROW()'])).toEqual(['()'])
    await postgres.query(`DROP TABLE IF EXISTS rows_of; CREATE TABLE rows_of (x int, gone int, y text);
      ALTER TABLE rows_of DROP gone; INSERT INTO rows_of VALUES (1, 'y');
      CREATE VIEW whole AS SELECT r AS v FROM rows_of r`)
    expect((await readTable(postgres, 'public.whole')).rows).toEqual([[{ x: 1, y: 'y' }]])
  })
})

describe('arrays', () => {
  it('hold composites, domains over arrays, and byte strings of any length', async () => {
    expect(
      await roundTrip('pair[]', [`ARRAY[ROW(1,'x')::pair,NULL]`, `'{}'`, 'NULL', `ARRAY[NULL]::pair[]`]),
    ).toEqual([[{ a: 1, [b]: 'x' }, null], [], null, [null]])
    expect(await typeOf('tags[]')).toBe('list<list<string>>')
    expect(await roundTrip('tags[]', [`ARRAY['{a,b}','{}',NULL]::tags[]`, `'{}'`, 'NULL'])).toEqual([
      [['a', 'b'], [], null],
      [],
      null,
    ])
    expect(await roundTrip('cents[]', [`'{1.25,NULL}'`])).toEqual([[125, null]])
    expect(await roundTrip('text[]', [`ARRAY['', repeat('x', 100000), 'z']`])).toEqual([
      ['', 'x'.repeat(100000), 'z'],
    ])
  })

  it('of declared dimensions are lists in lists', async () => {
    expect(await typeOf('int[][]')).toBe('list<list<int>>')
    expect(
      await roundTrip('int[][]', [`'{{1,2},{3,NULL}}'`, `'{}'`, 'NULL', `'[0:0][3:5]={{7,8,9}}'`]),
    ).toEqual([
      [
        [1, 2],
        [3, null],
      ],
      [],
      null,
      [[7, 8, 9]],
    ])
    expect(await roundTrip('numeric(5,1)[][][]', [`'{{{1,2},{3,4}},{{5,6},{7,8}}}'`])).toEqual([
      [
        [
          [10, 20],
          [30, 40],
        ],
        [
          [50, 60],
          [70, 80],
        ],
      ],
    ])
    expect(await roundTrip('inet[][]', [`'{{10.0.0.1},{::1}}'`])).toEqual([[['10.0.0.1'], ['::1']]])
    expect(await roundTrip('pair[][]', [`ARRAY[ARRAY[ROW(1,'x')::pair],ARRAY[NULL::pair]]`])).toEqual([
      [[{ a: 1, [b]: 'x' }], [null]],
    ])
  })

  it('of other dimensions are an error that names every way out, or null, flat, JSON or text', async () => {
    const values = [`'{{1,2},{3,4}}'`, `'{5}'`, `'{}'`, 'NULL']
    const error = await failure(() => roundTrip('int[]', values))
    expect(error).toMatchObject({ code: 'unsupported' })
    expect(error.message).toContain('"v" holds an array of 2 dimensions, not 1')
    for (const way of ['as: list(2)', 'as: json', 'as: text', 'dimensions: flatten'])
      expect(error.hint).toContain(way)
    expect(await roundTrip('int[]', values, { dimensions: 'null' })).toEqual([null, [5], [], null])
    expect(await roundTrip('int[]', values, { dimensions: 'flatten' })).toEqual([[1, 2, 3, 4], [5], [], null])
    expect(await roundTrip('int[]', values, { as: { kind: 'json' } })).toEqual([
      '[[1,2],[3,4]]',
      '[5]',
      '[]',
      null,
    ])
    expect(await roundTrip('int[]', values, { as: { kind: 'text' } })).toEqual([
      '{{1,2},{3,4}}',
      '{5}',
      '{}',
      null,
    ])
    const twice = { as: { kind: 'list', dimensions: 2 } } as const
    expect(await roundTrip('int[]', [`'{{1,2},{3,4}}'`], twice)).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
    ])
    expect((await failure(() => roundTrip('int[][]', [`'{1}'`]))).hint).toContain('as: list(1)')
    expect(await roundTrip('int[][]', [`'{1}'`], { dimensions: 'null' })).toEqual([null])
  })
})

describe('intervals, ranges, hstore', () => {
  it('keeps months, days and microseconds of an interval apart, or loads ISO 8601 text', async () => {
    const values = [`'1 year 2 days 3 hours'`, `'-1 mon +1 day -00:00:00.000001'`, 'NULL']
    expect(await roundTrip('interval', values)).toEqual([
      { months: 12, days: 2, micros: 10_800_000_000n },
      { months: -1, days: 1, micros: -1n },
      null,
    ])
    expect(await roundTrip('interval', values, { as: { kind: 'text' } })).toEqual([
      'P1Y2DT3H',
      'P-1M1DT-0.000001S',
      null,
    ])
    expect(await roundTrip('interval[]', [`ARRAY['1 day'::interval, NULL]`])).toEqual([
      [{ months: 0, days: 1, micros: 0n }, null],
    ])
  })

  it('stops at infinite intervals, or nulls or clamps them', async () => {
    const values = [`'infinity'`, `'-infinity'`, `'1 day'`]
    expect((await failure(() => roundTrip('interval', values))).hint).toContain('infinity: null')
    expect(await roundTrip('interval', values, { infinity: 'null' })).toEqual([
      null,
      null,
      { months: 0, days: 1, micros: 0n },
    ])
    const [most, least] = [2_147_483_647, -2_147_483_648]
    expect(await roundTrip('interval', values.slice(0, 2), { infinity: 'clamp' })).toEqual([
      { months: most, days: most, micros: 2n ** 63n - 1n },
      { months: least, days: least, micros: -(2n ** 63n) },
    ])
  })

  it('loads ranges as text, or as bounds and flags', async () => {
    const struct = { as: { kind: 'struct' } } as const
    const range = (
      lower: BatchValue,
      upper: BatchValue,
      ...[lower_inclusive, upper_inclusive, empty = false]: boolean[]
    ): BatchValue => ({
      lower,
      upper,
      lower_inclusive: lower_inclusive ?? false,
      upper_inclusive: upper_inclusive ?? false,
      empty,
    })
    expect(await roundTrip('int4range', [`'[1,5)'`, `'empty'`, 'NULL'])).toEqual(['[1,5)', 'empty', null])
    expect(await roundTrip('int4range', [`'[1,5)'`, `'empty'`, `'(,3]'`, 'NULL'], struct)).toEqual([
      range(1, 5, true, false),
      range(null, null, false, false, true),
      range(null, 4, false, false),
      null,
    ])
    expect(await roundTrip('numrange', [`'(1.5,2.50]'`], struct)).toEqual([range('1.5', '2.50', false, true)])
    expect(await roundTrip('floatrange', [`'[1.5,2]'`], struct)).toEqual([range(1.5, 2, true, true)])
    expect(
      await roundTrip('int4range[]', [`ARRAY['[1,5)'::int4range, NULL]`, `'{}'`, 'NULL'], struct),
    ).toEqual([[range(1, 5, true, false), null], [], null])
    expect(await roundTrip('int4multirange', [`'{[1,2),[5,6)}'`, `'{}'`, 'NULL'], struct)).toEqual([
      [range(1, 2, true, false), range(5, 6, true, false)],
      [],
      null,
    ])
    expect(await roundTrip('tstzrange', [`'[2024-01-01 00:00+00,)'`], struct)).toEqual([
      range(1_704_067_200_000_000n, null, true, false),
    ])
    const error = await failure(() => roundTrip('tstzrange', [`'[-infinity,infinity]'`], struct))
    expect(error.hint).toContain('infinity: null')
    expect((await failure(() => roundTrip('int4', ['1'], struct))).hint).toContain('ranges')
  })

  it('loads hstore as a map, or as text', async () => {
    const values = [`'a=>1,b=>NULL,""=>""'`, `''`, 'NULL']
    expect(await typeOf('hstore')).toBe('map<string, string>')
    expect(await roundTrip('hstore', values)).toEqual([
      [
        ['', ''],
        ['a', '1'],
        ['b', null],
      ],
      [],
      null,
    ])
    expect(await roundTrip('hstore', [`'a=>1'`], { as: { kind: 'text' } })).toEqual(['"a"=>"1"'])
    expect(await roundTrip('hstore[]', [`ARRAY['a=>1'::hstore, NULL, '']`])).toEqual([
      [[['a', '1']], null, []],
    ])
  })
})

describe('batches of nested columns', () => {
  it('count values that policies touch once for each column, whatever its leaves', async () => {
    const { copied } = await readBothWays(postgres, 'pair', [`ROW(1,'x')`])
    expect(copied.stats.touched).toEqual({})
    await postgres.query(`DROP TYPE IF EXISTS two_dates CASCADE; CREATE TYPE two_dates AS (a date, b date)`)
    const read = await readBothWays(postgres, 'two_dates', [`ROW('infinity','-infinity')`], {
      default: { infinity: 'null' },
    })
    expect(read.copied.rows).toEqual([[0, { a: null, b: null }]])
    expect(read.copied.stats.touched).toEqual({ 'v: infinity -> null': 2 })
  })

  it('grow with long lists and begin anew after each batch', async () => {
    await postgres.query(`DROP TABLE IF EXISTS lists; CREATE TABLE lists AS SELECT i AS id,
      CASE WHEN i % 7 = 0 THEN NULL ELSE (SELECT array_agg(ROW(j, 'v' || j)::pair) FROM generate_series(1, i % 50) j) END AS v
      FROM generate_series(1, 3000) i`)
    const expected = Array.from({ length: 3000 }, (_, index) => {
      const count = (index + 1) % 50
      const list = Array.from({ length: count }, (_, at) => ({ a: at + 1, [b]: `v${at + 1}` }))
      return [index + 1, (index + 1) % 7 === 0 || count === 0 ? null : list]
    })
    for (const method of ['copy', 'cursor'] as const) {
      const { rows } = await readTable(postgres, 'public.lists', { method, batchRowsMax: 700 })
      expect(rows).toEqual(expected)
    }
  })

  it('refuses a null in a required column, and a type that was altered after the plan', async () => {
    await postgres.query(`DROP TABLE IF EXISTS needed; CREATE TABLE needed (v pair NOT NULL, l int[] NOT NULL);
      INSERT INTO needed VALUES (ROW(NULL,NULL), '{}')`)
    expect((await readTable(postgres, 'public.needed')).rows).toEqual([[{ a: null, [b]: null }, []]])
  })
})
