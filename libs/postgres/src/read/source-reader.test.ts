import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { FloeError } from '@floe/iceberg'
import type { BatchValue } from '../batch-rows.ts'
import type { TypePolicies } from '../index.ts'
import { readBothWays, readTable as readTableOf } from '../testing/read-table.ts'
import type { ReadOptions } from '../testing/read-table.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

function readTable(name: string, options: ReadOptions = {}): ReturnType<typeof readTableOf> {
  return readTableOf(postgres, name, options)
}

/** Both ways must agree before either is returned. */
async function roundTrip(
  type: string,
  values: readonly string[],
  policies?: TypePolicies['default'] & { as?: never },
): Promise<readonly BatchValue[]> {
  const { copied, fetched } = await readBothWays(
    postgres,
    type,
    values,
    policies === undefined ? undefined : { default: policies },
  )
  expect(fetched.rows).toEqual(copied.rows)
  expect(fetched.layouts).toEqual(copied.layouts)
  expect(fetched.stats.touched).toEqual(copied.stats.touched)
  return copied.rows.map((row) => row[1] as BatchValue)
}

async function failure(run: () => Promise<unknown>): Promise<FloeError> {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof FloeError)) throw new Error(`expected a FloeError, got ${String(error)}`)
  return error
}

describe('values of each type, the same by COPY and by cursor', () => {
  const micros = (iso: string): bigint => BigInt(Date.parse(iso)) * 1000n
  const day = (iso: string): number => Date.parse(iso) / 86_400_000
  const cases: readonly (readonly [
    type: string,
    values: readonly string[],
    expected: readonly BatchValue[],
  ])[] = [
    ['bool', ['true', 'false', 'NULL'], [true, false, null]],
    ['int2', ['-32768', '32767', 'NULL'], [-32768, 32767, null]],
    ['int4', ['-2147483648', '2147483647', '0'], [-2147483648, 2147483647, 0]],
    [
      'int8',
      ['-9223372036854775808', '9223372036854775807', '-1', '4294967296', 'NULL'],
      [-(2n ** 63n), 2n ** 63n - 1n, -1n, 2n ** 32n, null],
    ],
    ['oid', ['0', '4294967295'], [0n, 4294967295n]],
    ['float4', [`'NaN'`, `'-Infinity'`, '1.1', `'-0'`], [Number.NaN, -Infinity, Math.fround(1.1), -0]],
    ['float8', [`'NaN'`, `'Infinity'`, '0.1', '5e-324', `'-0'`], [Number.NaN, Infinity, 0.1, 5e-324, -0]],
    [
      'numeric(4,1)',
      ['-999.9', '999.9', '0', '0.1', '-0.1', '100', 'NULL'],
      [-9999, 9999, 0, 1, -1, 1000, null],
    ],
    ['numeric(9,9)', ['0.999999999', '-0.000000001', '0.00010000'], [999999999, -1, 100000]],
    [
      'numeric(15,2)',
      ['9999999999999.99', '-9999999999999.99', '10000000000', '0.01', '0.1', '12345678.9'],
      [999999999999999n, -999999999999999n, 1000000000000n, 1n, 10n, 1234567890n],
    ],
    ['numeric(15,0)', ['999999999999999', '-100000000', '10000'], [999999999999999n, -100000000n, 10000n]],
    ['numeric(15,4)', ['99999999999.9999', '-0.0001', '0.5'], [999999999999999n, -1n, 5000n]],
    [
      'numeric(15,13)',
      ['99.9999999999999', '-0.0000000000001', '0.00001'],
      [999999999999999n, -1n, 100000000n],
    ],
    [
      'numeric(18,3)',
      ['999999999999999.999', '-999999999999999.999', '-0.001', '4294967.296', '0'],
      [10n ** 18n - 1n, 1n - 10n ** 18n, -1n, 4294967296n, 0n],
    ],
    [
      'numeric(19,0)',
      ['9999999999999999999', '-9999999999999999999', '-1'],
      [10n ** 19n - 1n, 1n - 10n ** 19n, -1n],
    ],
    [
      'numeric(38,10)',
      [
        '9999999999999999999999999999.9999999999',
        '-9999999999999999999999999999.9999999999',
        '-0.0000000001',
        '1e27',
        'NULL',
      ],
      [10n ** 38n - 1n, 1n - 10n ** 38n, -1n, 10n ** 37n, null],
    ],
    ['numeric(38,38)', ['0.00000000000000000000000000000000000001', '-0.5'], [1n, -5n * 10n ** 37n]],
    ['numeric(3,-2)', ['99900', '-100'], [99900, -100]],
    ['numeric(2,4)', ['0.0099', '-0.0001'], [99, -1]],
    [
      'numeric',
      [`'NaN'`, '123456789012345678901234567890.123456789', '1.50', `'Infinity'`],
      ['NaN', '123456789012345678901234567890.123456789', '1.50', 'Infinity'],
    ],
    ['numeric(50,2)', ['1.50'], ['1.50']],
    ['money', ['12.34', '-92233720368547758.08'], [1234n, -9223372036854775808n]],
    [
      'text',
      [`'x'`, `''`, `'žluťoučký 🐎'`, `repeat('ab', 5000)`, 'NULL'],
      ['x', '', 'žluťoučký 🐎', 'ab'.repeat(5000), null],
    ],
    ['varchar(10)', [`'abc'`], ['abc']],
    ['char(5)', [`'ab'`], ['ab   ']],
    ['"char"', [`'a'`], ['a']],
    ['name', [`'pg_class'`], ['pg_class']],
    ['bytea', [`'\\x00ff10'`, `''`, 'NULL'], ['00ff10', '', null]],
    ['uuid', [`'6F9619FF-8B86-D011-B42D-00CF4FC964FF'`, 'NULL'], ['6f9619ff8b86d011b42d00cf4fc964ff', null]],
    [
      'date',
      [`'1970-01-01'`, `'1969-12-31'`, `'0001-01-01'`, `'9999-12-31'`, `'2000-02-29'`],
      [0, -1, day('0001-01-01'), day('9999-12-31'), day('2000-02-29')],
    ],
    ['time', [`'00:00'`, `'23:59:59.999999'`, `'01:02:03.4'`], [0n, 86_399_999_999n, 3_723_400_000n]],
    [
      'timestamp',
      [
        `'1970-01-01'`,
        `'1969-12-31 23:59:59.999999'`,
        `'0001-01-01'`,
        `'9999-12-31 23:59:59.999999'`,
        `'2000-01-01 00:00:00.000001'`,
      ],
      [
        0n,
        -1n,
        micros('0001-01-01T00:00Z'),
        micros('9999-12-31T23:59:59Z') + 999_999n,
        micros('2000-01-01T00:00Z') + 1n,
      ],
    ],
    ['timestamptz', [`'2024-06-01 12:00:00.5+02'`, 'NULL'], [micros('2024-06-01T10:00:00.5Z'), null]],
    ['timetz', [`'12:00:00+02'`], ['12:00:00+02']],
    ['json', [`'{"a": 1 }'`], ['{"a": 1 }']],
    ['jsonb', [`'{"a":1}'`, `'null'`, 'NULL'], ['{"a": 1}', 'null', null]],
    ['inet', [`'10.0.0.1'`], ['10.0.0.1']],
    ['cidr', [`'10.0.0.0/8'`], ['10.0.0.0/8']],
    ['macaddr', [`'08:00:2b:01:02:03'`], ['08:00:2b:01:02:03']],
    ['macaddr8', [`'08:00:2b:01:02:03:04:05'`], ['08:00:2b:01:02:03:04:05']],
    ['bit(3)', [`B'101'`], ['101']],
    ['varbit', [`B'1'`], ['1']],
    ['tsvector', [`'a b'`], [`'a' 'b'`]],
    ['tsquery', [`'a & b'`], [`'a' & 'b'`]],
    ['point', [`'(1,2)'`], ['(1,2)']],
    ['box', [`'(1,2),(0,0)'`], ['(1,2),(0,0)']],
    ['polygon', [`'((0,0),(1,1))'`], ['((0,0),(1,1))']],
    ['pg_lsn', [`'0/16B3748'`], ['0/16B3748']],
    ['xml', [`'<a>1</a>'`], ['<a>1</a>']],
    ['int4range', [`'[1,5)'`], ['[1,5)']],
    ['int4multirange', [`'{[1,2),[5,6)}'`], ['{[1,2),[5,6)}']],
    ['regclass', [`'pg_catalog.pg_class'`], ['pg_class']],
    ['xid8', [`'42'`], ['42']],
    [
      'int4[]',
      [`'{1,NULL,3}'`, `'{}'`, 'NULL', `'{NULL}'`, `'[5:6]={7,8}'`],
      [[1, null, 3], [], null, [null], [7, 8]],
    ],
    ['int8[]', [`'{-1,9223372036854775807}'`], [[-1n, 2n ** 63n - 1n]]],
    ['bool[]', [`'{t,f,NULL}'`], [[true, false, null]]],
    ['float8[]', [`'{NaN,1.5}'`], [[Number.NaN, 1.5]]],
    ['text[]', [`ARRAY['a','','NULL','q"\\,{}',NULL]`, `'{}'`], [['a', '', 'NULL', 'q"\\,{}', null], []]],
    ['numeric(10,2)[]', [`'{1.5,-0.01,NULL}'`], [[150n, -1n, null]]],
    ['numeric[]', [`'{1.50,NaN}'`], [['1.50', 'NaN']]],
    ['date[]', [`'{1970-01-02,NULL}'`], [[1, null]]],
    ['timestamptz[]', [`'{1970-01-01 00:00:01+00}'`], [[1_000_000n]]],
    ['uuid[]', [`'{6F9619FF-8B86-D011-B42D-00CF4FC964FF}'`], [['6f9619ff8b86d011b42d00cf4fc964ff']]],
    ['bytea[]', [`ARRAY['\\x00ff'::bytea]`], [['00ff']]],
    ['jsonb[]', [`ARRAY['{"a":1}'::jsonb]`], [['{"a": 1}']]],
    ['inet[]', [`'{10.0.0.1}'`], [['10.0.0.1']]],
    ['money[]', [`ARRAY['1.50'::money]`], [[150n]]],
    ['box[]', [`'{(1,1),(0,0);(2,2),(1,1)}'`], [['(1,1),(0,0)', '(2,2),(1,1)']]],
    ['int4range[]', [`ARRAY['[1,5)'::int4range]`], [['[1,5)']]],
  ]
  it.each(cases)('%s', async (type, values, expected) => {
    expect(await roundTrip(type, values)).toEqual(expected)
  })

  it('reads user-made types: enum, domain and arrays of them', async () => {
    await postgres.query(`CREATE TYPE mood AS ENUM ('sad', 'very happy'); CREATE DOMAIN cents AS numeric(8,2) CHECK (VALUE >= 0);
      CREATE DOMAIN tags AS text[]`)
    expect(await roundTrip('mood', [`'sad'`, `'very happy'`, 'NULL'])).toEqual(['sad', 'very happy', null])
    expect(await roundTrip('cents', ['1.25'])).toEqual([125])
    expect(await roundTrip('tags', [`'{a,b}'`])).toEqual([['a', 'b']])
    expect(await roundTrip('mood[]', [`'{sad,NULL}'`])).toEqual([['sad', null]])
    expect(await roundTrip('cents[]', [`'{1.25}'`])).toEqual([[125]])
  })
})

describe('values that Iceberg has no place for', () => {
  const cases = [
    ['timestamp', `'infinity'`, 'infinity'],
    ['timestamptz', `'-infinity'`, 'infinity'],
    ['timestamp', `'0044-03-15 BC'`, 'outOfRange'],
    ['timestamp', `'294276-12-31 23:59:59'`, 'outOfRange'],
    ['timestamp', `'10000-01-01'`, 'outOfRange'],
    ['timestamp', `'0001-12-31 23:59:59.999999 BC'`, 'outOfRange'],
    ['date', `'infinity'`, 'infinity'],
    ['date', `'5874897-12-31'`, 'outOfRange'],
    ['date', `'0001-12-31 BC'`, 'outOfRange'],
    ['time', `'24:00'`, 'outOfRange'],
    ['numeric(9,2)', `'NaN'`, 'nan'],
    ['numeric(15,2)', `'NaN'`, 'nan'],
    ['numeric(38,2)', `'NaN'`, 'nan'],
    ['date[]', `'{infinity}'`, 'infinity'],
  ] as const
  it.each(cases)(
    '%s %s is an error that names the column, or null, and is counted',
    async (type, value, policy) => {
      const error = await failure(() => roundTrip(type, [value]))
      expect(error.code).toBe('unsupported')
      expect(error.message).toContain('"v"')
      expect(error.hint).toContain(`${policy}: null`)
      const nulled = await roundTrip(type, [value], { [policy]: 'null' })
      expect(nulled).toEqual([type.endsWith('[]') ? [null] : null])
    },
  )

  it('clamps to the nearest value that is there', async () => {
    const clamp = { infinity: 'clamp', outOfRange: 'clamp' } as const
    expect(await roundTrip('date', [`'infinity'`, `'-infinity'`], clamp)).toEqual([2_932_896, -719_162])
    expect(await roundTrip('timestamp', [`'infinity'`, `'0044-03-15 BC'`], clamp)).toEqual([
      253_402_300_799_999_999n,
      -62_135_596_800_000_000n,
    ])
    expect(await roundTrip('time', [`'24:00'`], clamp)).toEqual([86_399_999_999n])
  })

  it('counts every value touched, by column and case', async () => {
    await postgres.query(`DROP TABLE IF EXISTS touched; CREATE TABLE touched (d date NOT NULL, n numeric(5,1));
      INSERT INTO touched SELECT 'infinity', 'NaN' FROM generate_series(1, 3)`)
    const { rows, stats } = await readTable('public.touched', {
      policies: { default: { infinity: 'null', nan: 'null' } },
    })
    expect(rows).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ])
    expect(stats.touched).toEqual({ 'd: infinity -> null': 3, 'n: NaN -> null': 3 })
  })

  it('checks chosen decimals exactly: too many digits on either side are never silent', async () => {
    await postgres.query(
      `DROP TABLE IF EXISTS chosen; CREATE TABLE chosen (v numeric); INSERT INTO chosen VALUES (1.5), (-2.25)`,
    )
    const as = (scale: number, round?: boolean): TypePolicies => ({
      columns: {
        v: { as: { kind: 'decimal', precision: 38, scale, ...(round === undefined ? {} : { round }) } },
      },
    })
    expect((await readTable('public.chosen', { policies: as(2) })).rows).toEqual([[150n], [-225n]])
    expect((await failure(() => readTable('public.chosen', { policies: as(1) }))).message).toContain('"v"')
    expect((await readTable('public.chosen', { policies: as(1, true) })).rows).toEqual([[15n], [-23n]])
    await postgres.query('INSERT INTO chosen VALUES (1e37)')
    expect((await failure(() => readTable('public.chosen', { policies: as(2) }))).code).toBe('unsupported')
    const small: TypePolicies = {
      columns: { v: { as: { kind: 'decimal', precision: 3, scale: 1 }, outOfRange: 'clamp' } },
    }
    expect((await readTable('public.chosen', { policies: small })).rows).toEqual([[15], [-23], [999]])
    expect(
      (await readTable('public.chosen', { policies: { columns: { v: { as: { kind: 'double' } } } } })).rows,
    ).toEqual([[1.5], [-2.25], [1e37]])
  })
})

describe('batches', () => {
  it('spans chunks, fills to the row limit and keeps every row, waiting or not', async () => {
    await postgres.query(`DROP TABLE IF EXISTS many; CREATE TABLE many AS
      SELECT i AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE 'name ' || i % 7 END AS low, md5(i::text) AS high,
        CASE WHEN i % 5 = 0 THEN NULL ELSE ARRAY[i, i + 1] END AS list, repeat('x', i % 400) AS filler FROM generate_series(1, 20000) i`)
    const expected = await postgres.query<{
      id: number
      low: string
      high: string
      list: number[]
      filler: string
    }>('SELECT * FROM many ORDER BY id')
    const values = expected.map(({ id, low, high, list, filler }) => [id, low, high, list, filler])
    for (const slow of [false, true]) {
      const { rows, batches, layouts, stats } = await readTable('public.many', {
        batchRowsMax: 1999,
        chunkBytes: 1,
        slow,
      })
      expect(rows.toSorted((left, right) => Number(left[0]) - Number(right[0]))).toEqual(values)
      expect(batches).toEqual([...Array.from({ length: 10 }, () => 1999), 10])
      expect(layouts).toEqual(['int32', 'dictionary', 'bytes', 'int32', 'bytes'])
      expect(stats.rows).toBe(20000)
    }
    const byCursor = await readTable('public.many', { method: 'cursor', batchRowsMax: 1999 })
    expect(byCursor.rows.toSorted((left, right) => Number(left[0]) - Number(right[0]))).toEqual(values)
  })

  it('ends a batch at the byte limit, with at least one row', async () => {
    const { rows, batches } = await readTable('public.many', { batchBytesMax: 100_000, slow: true })
    expect(rows.length).toBe(20000)
    expect(batches.length).toBeGreaterThan(40)
    const tiny = await readTable('public.many', { batchBytesMax: 1, batchRowsMax: 1_000_000 })
    expect(new Set(tiny.batches)).toEqual(new Set([1]))
  })

  it('reads values far larger than any buffer', async () => {
    await postgres.query(`DROP TABLE IF EXISTS large; CREATE TABLE large AS
      SELECT i AS id, repeat(chr(96 + i), 30000000 * (i % 2) + i) AS v, decode(repeat('ab', 3000000), 'hex') AS b FROM generate_series(1, 4) i`)
    const { rows } = await readTable('public.large', { batchBytesMax: 1024 * 1024 })
    expect(rows.map(([id, v]) => [id, (v as string).length, (v as string).at(-1)])).toEqual([
      [1, 30000001, 'a'],
      [2, 2, 'b'],
      [3, 30000003, 'c'],
      [4, 4, 'd'],
    ])
    expect(rows.every(([, , b]) => b === 'ab'.repeat(3000000))).toBe(true)
  })

  it('reads a table of 1,600 columns', async () => {
    const columns = Array.from({ length: 1600 }, (_, index) => index)
    await postgres.query(
      `DROP TABLE IF EXISTS wide; CREATE TABLE wide (${columns.map((index) => `c${index} ${index % 2 ? 'bool' : 'int2'}`).join(', ')})`,
    )
    await postgres.query(
      `INSERT INTO wide VALUES (${columns.map((index) => (index % 5 === 4 ? 'NULL' : index % 2 ? 'true' : index)).join(', ')})`,
    )
    const { rows } = await readTable('public.wide')
    expect(rows).toEqual([columns.map((index) => (index % 5 === 4 ? null : index % 2 ? true : index))])
  })
})

describe('tables of all kinds', () => {
  it('reads an empty table as no batch', async () => {
    await postgres.query('DROP TABLE IF EXISTS empty; CREATE TABLE empty (a int)')
    expect(await readTable('public.empty')).toMatchObject({ rows: [], batches: [], stats: { rows: 0 } })
    expect(await readTable('public.empty', { method: 'cursor' })).toMatchObject({ rows: [], batches: [] })
  })

  it('sees the snapshot while the table is written', async () => {
    await postgres.query(
      'DROP TABLE IF EXISTS busy; CREATE TABLE busy AS SELECT i FROM generate_series(1, 1000) i',
    )
    const write = (): Promise<unknown> =>
      postgres.query(
        'DELETE FROM busy WHERE i <= 500; INSERT INTO busy SELECT 1 FROM generate_series(1, 5000); UPDATE busy SET i = -i',
      )
    const { rows } = await readTable('public.busy', { afterSnapshot: write })
    expect(rows.map(([i]) => Number(i)).toSorted((left, right) => left - right)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index + 1),
    )
  })

  it('reads partitions, inheritance children, views and materialized views once each', async () => {
    await postgres.query(`DROP TABLE IF EXISTS parts, parent CASCADE;
      CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id);
      CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
      CREATE TABLE parts_2 (v text, dropped int, id int); ALTER TABLE parts_2 DROP dropped; ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (10) TO (20);
      INSERT INTO parts VALUES (1, 'a'), (11, 'b');
      CREATE TABLE parent (id int); CREATE TABLE child (extra text) INHERITS (parent);
      INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x');
      CREATE VIEW parts_view AS SELECT id, v FROM parts; CREATE MATERIALIZED VIEW parts_copy AS SELECT id, v FROM parts`)
    const sorted = async (name: string): Promise<readonly BatchValue[]> =>
      (await readTable(name)).rows.toSorted((left, right) => Number(left[0]) - Number(right[0]))
    const both = [
      [1, 'a'],
      [11, 'b'],
    ]
    expect(await sorted('public.parts')).toEqual(both)
    expect(await sorted('public.parts_view')).toEqual(both)
    expect(await sorted('public.parts_copy')).toEqual(both)
    expect(await sorted('public.parent')).toEqual([[1], [2]])
    expect(await sorted('public.child')).toEqual([[2, 'x']])
  })

  it('reads quoted names, dropped, generated and identity columns', async () => {
    await postgres.query(`DROP SCHEMA IF EXISTS "My. ""Schema""" CASCADE; CREATE SCHEMA "My. ""Schema"""; CREATE TABLE "My. ""Schema"""."T 🐘" (
      "a""b" int GENERATED ALWAYS AS IDENTITY, gone text, "\`\${c}" int GENERATED ALWAYS AS (7) STORED, "d.e 😀" text DEFAULT 'x');
      ALTER TABLE "My. ""Schema"""."T 🐘" DROP gone; INSERT INTO "My. ""Schema"""."T 🐘" DEFAULT VALUES`)
    expect((await readTable('"My. ""Schema"""."T 🐘"')).rows).toEqual([[1, 7, 'x']])
  })
})
