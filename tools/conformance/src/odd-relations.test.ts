import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import type { LoadReport } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/**
 * Relations of every kind, with names and settings that nobody would choose, loaded by a role whose defaults would
 * change every value: what loads holds what PostgreSQL holds, and what does not says why.
 */
let postgres: TestPostgres & AsyncDisposable
let folder: string
let lakehouse: Lakehouse
let report: LoadReport
let hostileUrl: string

const longest = 'é'.repeat(31) + 'x'
const names = [
  'select',
  'Quote"d',
  `apo'strophe`,
  'dot.ted',
  '100%',
  '$1 {0} %s',
  'back\\slash',
  'new\nline',
  'sla/sh',
  ' spaces ',
  '日本語 🐘',
  longest,
] as const

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const hostileSettings = [
  `search_path = 'evil', 'pg_catalog'`,
  `client_encoding = 'LATIN1'`,
  `TimeZone = 'Asia/Kathmandu'`,
  `DateStyle = 'SQL, DMY'`,
  `IntervalStyle = 'sql_standard'`,
  'extra_float_digits = -15',
  `bytea_output = 'escape'`,
  `standard_conforming_strings = 'off'`,
  `statement_timeout = '300ms'`,
  `lock_timeout = '1ms'`,
  `idle_in_transaction_session_timeout = '100ms'`,
  `default_transaction_read_only = 'on'`,
  `default_transaction_isolation = 'serializable'`,
  `row_security = 'on'`,
  `client_min_messages = 'debug5'`,
]

async function makeHostileRole(): Promise<void> {
  await postgres.query(`CREATE ROLE hostile LOGIN PASSWORD 'hostile'; GRANT pg_read_all_data TO hostile; CREATE SCHEMA evil;
    GRANT USAGE ON SCHEMA evil TO hostile;
    CREATE FUNCTION evil.unnest(text[], text[]) RETURNS TABLE (name text, value text) LANGUAGE sql AS 'SELECT ''application_name'', ''evil''';
    CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''evil''';
    CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never)`)
  for (const setting of hostileSettings) {
    await postgres.query(`ALTER ROLE hostile SET ${setting}`)
    await postgres.query(`ALTER DATABASE postgres SET ${setting}`)
  }
  const url = new URL(postgres.url)
  url.username = 'hostile'
  url.password = 'hostile'
  hostileUrl = url.href
}

async function makeRelations(): Promise<void> {
  await postgres.query('CREATE SCHEMA odd; CREATE SCHEMA names; CREATE TABLE odd.".." (a int)')
  for (const name of names) {
    await postgres.query(
      `CREATE TABLE names.${quoted(name)} (${quoted(name)} text); INSERT INTO names.${quoted(name)} VALUES ('in ' || $q$${name}$q$)`,
    )
  }
  const columns = Array.from({ length: 1600 }, (_, index) => `c${index} int2`).join(', ')
  await postgres.query(`SET search_path = odd;
    CREATE TABLE no_columns (); CREATE TABLE no_rows (a int, b text[]);
    CREATE TABLE widest (${columns}); INSERT INTO widest (c0, c1599) VALUES (1, 2);
    CREATE TABLE dropped (a int, gone text, b text, gone_too int DEFAULT 7); INSERT INTO dropped VALUES (1, 'x', 'y');
      ALTER TABLE dropped DROP gone, DROP gone_too; ALTER TABLE dropped ADD late int DEFAULT 42; INSERT INTO dropped VALUES (2, 'z', 3);
    CREATE TABLE generated (a int, twice int GENERATED ALWAYS AS (a * 2) STORED, thrice int GENERATED ALWAYS AS (a * 3) VIRTUAL,
      id int GENERATED ALWAYS AS IDENTITY); INSERT INTO generated (a) VALUES (5), (NULL);
    CREATE TABLE parent (a int); CREATE TABLE child (b text) INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x');
    CREATE TABLE parted (a int, b text) PARTITION BY RANGE (a); CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
      CREATE TABLE parted_high (b text, gone int, a int); ALTER TABLE parted_high DROP gone;
      ALTER TABLE parted ATTACH PARTITION parted_high FOR VALUES FROM (10) TO (20); INSERT INTO parted VALUES (1, 'low'), (11, 'high');
    CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS a;
    CREATE VIEW a_view AS SELECT a, b FROM parted; CREATE MATERIALIZED VIEW a_matview AS SELECT a, b FROM parted;
    CREATE MATERIALIZED VIEW unpopulated AS SELECT 1 AS a WITH NO DATA;
    CREATE TABLE toasted AS SELECT i AS a, (SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 30000) j) AS b FROM generate_series(1, 4) i;
    CREATE TABLE secured (a int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY; INSERT INTO secured VALUES (1);
    CREATE TABLE never_analyzed (a int) WITH (autovacuum_enabled = off); INSERT INTO never_analyzed SELECT generate_series(1, 50000);
    CREATE TABLE stale (a int) WITH (autovacuum_enabled = off); INSERT INTO stale SELECT generate_series(1, 50000);
    UPDATE pg_catalog.pg_class SET relpages = 1, reltuples = 3, relallvisible = 1 WHERE oid = 'odd.stale'::regclass;
    CREATE TABLE values_of (at timestamptz, day date, span interval, real8 float8, bytes bytea, amount money);
      INSERT INTO values_of VALUES ('2024-02-03 04:05:06.789012+00', '2024-02-03', '1 mon 2 days 03:00', 0.1::float8 + 0.2::float8, '\\x00ff5c', '12.34');
    CREATE EXTENSION postgres_fdw SCHEMA odd; CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (port '${postgres.port}', host '127.0.0.1', dbname 'postgres');
    CREATE USER MAPPING FOR PUBLIC SERVER self OPTIONS (user 'postgres', password '${new URL(postgres.url).password}', password_required 'true');
    CREATE FOREIGN TABLE abroad (a int, b text) SERVER self OPTIONS (schema_name 'odd', table_name 'parted');
    GRANT USAGE ON FOREIGN SERVER self TO PUBLIC; RESET search_path`)
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-odd-'))
  postgres = await startPostgres()
  await makeRelations()
  await makeHostileRole()
  lakehouse = new Lakehouse(readSettings({}, {}, folder, 2))
  const load = { sourceUrl: hostileUrl, mode: 'create' } as const
  const [odd, named] = [
    await lakehouse.load({ ...load, tables: ['odd.*'], namespace: ['odd'] }),
    await lakehouse.load({ ...load, tables: ['names.*'], namespace: ['names'] }),
  ]
  report = { ...odd, tables: [...odd.tables, ...named.tables] }
}, 300_000)
afterAll(async () => {
  await lakehouse.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

function outcome(source: string): LoadReport['tables'][number] | undefined {
  return report.tables.find((table) => table.source === source)
}

async function rowsOf(sql: string): Promise<readonly (readonly unknown[])[]> {
  const result = await lakehouse.query(sql)
  const rows: (readonly unknown[])[] = []
  for await (const batch of result.rows()) rows.push(...batch)
  await result.close()
  return rows
}

describe('relations of every kind load by a role whose settings are hostile', () => {
  const parted = [
    [1, 'low'],
    [11, 'high'],
  ]
  it.each([
    ['no_rows', 'a', []],
    ['widest', 'c0, c1, c1599', [[1, null, 2]]],
    [
      'dropped',
      'a, b, late',
      [
        [1, 'y', 42],
        [2, 'z', 3],
      ],
    ],
    [
      'generated',
      'a, twice, thrice, id',
      [
        [5, 10, 15, 1],
        [null, null, null, 2],
      ],
    ],
    ['parent', 'a', [[1], [2]]],
    ['child', 'a, b', [[2, 'x']]],
    ['parted', 'a, b', parted],
    ['unlogged', 'a', [[1]]],
    ['a_view', 'a, b', parted],
    ['a_matview', 'a, b', parted],
    ['toasted', 'sum(length(b)), count(DISTINCT b)', [[3_840_000, 4]]],
    ['never_analyzed', 'count(*), sum(a)', [[50_000, 1_250_025_000]]],
    ['stale', 'count(*), sum(a)', [[50_000, 1_250_025_000]]],
    ['abroad', 'a, b', parted],
  ] as const)('%s', async (name, columns, expected) => {
    expect(outcome(`odd.${name}`)).toMatchObject({ status: 'loaded' })
    const order = columns.includes('(') ? '' : ' ORDER BY 1 NULLS LAST'
    expect(await rowsOf(`SELECT ${columns} FROM odd.${name}${order}`)).toEqual(expected)
  })

  it.each(['copy', 'cursor'] as const)('values that hostile settings would change, by %s', async (method) => {
    const load = { sourceUrl: hostileUrl, mode: 'create', tables: ['odd.values_of'], method } as const
    await lakehouse.load({ ...load, namespace: [method] })
    const columns = `"at"::VARCHAR, day::VARCHAR, span.months, span.days, span.micros, real8, hex(bytes), amount::VARCHAR`
    expect(await rowsOf(`SELECT ${columns} FROM ${method}.values_of`)).toEqual([
      ['2024-02-03 04:05:06.789012+00', '2024-02-03', 1, 2, 10_800_000_000, 0.1 + 0.2, '00FF5C', '12.34'],
    ])
  })

  it('finds no partition apart from its parent when a pattern has a star', () => {
    expect(outcome('odd.parted_low')).toBeUndefined()
  })
})

describe('relations that do not load say why not', () => {
  it.each([
    ['no_columns', 'unsupported', /has no columns/],
    ['unpopulated', 'invalid-input', /has not been populated/],
    ['secured', 'permission-denied', /row security/],
    ['..', 'invalid-input', /\.\./],
  ])('%s', (name, code, message) => {
    const failed = outcome(`odd.${name}`)
    expect(failed).toMatchObject({ status: 'failed', error: { code } })
    expect(failed?.status === 'failed' ? failed.error.message : '').toMatch(message)
    expect(failed?.status === 'failed' ? failed.error.hint : undefined).toBeDefined()
  })

  it('a temporary table of another session', async () => {
    await expect(
      lakehouse.load({
        sourceUrl: hostileUrl,
        mode: 'create',
        tables: ['pg_temp.anything'],
        namespace: ['odd'],
      }),
    ).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('names', () => {
  it.each(names.map((name) => [name] as const))('%j of a table and its column', async (name) => {
    const table = outcome(`names.${name}`)
    expect(table).toMatchObject({ status: 'loaded', rows: 1 })
    expect(await rowsOf(`SELECT ${quoted(name)} FROM names.${quoted(name)}`)).toEqual([[`in ${name}`]])
  })
})
