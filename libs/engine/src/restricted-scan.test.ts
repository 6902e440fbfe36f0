import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseReadRestrictions } from '@floe/catalog'
import type { MaskAction, ReadRestrictions, TableIdentifier } from '@floe/catalog'
import { and, compare, currentSchema, equal, FloeError, not, notIn, or } from '@floe/iceberg'
import type { Expression, NestedField } from '@floe/iceberg'
import { metadataTableNames } from '@floe/planner'

import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, readAll } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'
import type { TableCatalog } from './table-lookup.ts'

let lake: Lake
let engine: Engine

const people: TableIdentifier = { namespace: ['hr'], name: 'people' }
const fields = [
  field(1, 'id', 'long'),
  field(2, 'name', 'string'),
  field(3, 'country', 'string'),
  field(4, 'salary', 'int'),
  field(5, 'born', 'date'),
]

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(people, fields)
  await lake.commit(people, [
    {
      rows: `SELECT * FROM (VALUES (1::BIGINT, 'Ada L. 1', 'UK', 700, DATE '1915-12-10'), (2, 'Bo', 'SE', NULL, NULL))
             AS t(id, name, country, salary, born)`,
    },
    {
      rows: `SELECT * FROM (VALUES (3::BIGINT, 'Chloé (3) @x', NULL::VARCHAR, 0, DATE '1969-12-31'), (4, NULL, 'UK', -5, DATE '2024-06-30'))
             AS t(id, name, country, salary, born)`,
    },
  ])
})

afterAll(async () => {
  await engine.close()
  await lake.close()
})

/** The lake's tables as somebody sees them who is restricted so. */
function restricted(readRestrictions: ReadRestrictions): TableCatalog {
  const { catalog } = lake
  return {
    listNamespaces: (parent) => catalog.listNamespaces(parent),
    listTables: (namespace) => catalog.listTables(namespace),
    listViews: (namespace) => catalog.listViews(namespace),
    loadTable: async (identifier) => ({ ...(await catalog.loadTable(identifier)), readRestrictions }),
    loadView: (identifier) => catalog.loadView(identifier),
  }
}

async function rows(sql: string, restrictions: ReadRestrictions): Promise<readonly (readonly unknown[])[]> {
  return (await readAll(engine, sql, { catalog: restricted(restrictions) })).rows
}

function masked(fieldId: number, action: MaskAction): ReadRestrictions {
  return { masks: [{ fieldId, action }] }
}

function filtered(rowFilter: Expression): ReadRestrictions {
  return { masks: [], rowFilter }
}

async function maskedColumn(fieldId: number, action: MaskAction): Promise<readonly unknown[]> {
  const name = fields.find(({ id }) => id === fieldId)?.name ?? ''
  // The scan gives rows in the order of the files: an order by the column itself would be one of the masked values.
  const all = await rows(
    `SELECT ${name} FROM hr.people ${fieldId === 1 ? '' : 'ORDER BY id'}`,
    masked(fieldId, action),
  )
  return all.map(([value]) => value)
}

function sha256(bytes: Uint8Array | string): Buffer {
  return createHash('sha256').update(bytes).digest()
}

describe('a row filter', () => {
  it.each<[string, Expression, readonly number[]]>([
    ['country = UK', equal(3, 'UK'), [1, 4]],
    ['country <> UK, which null is', compare(3, 'not-eq', 'UK'), [2, 3]],
    ['not in', notIn(3, ['UK', 'SE']), [3]],
    ['salary < 1, which null is not', compare(4, 'lt', 1), [3, 4]],
    ['no negation that nothing meets', { kind: 'false' }, []],
    ['or', or(equal(1, 2n), compare(2, 'starts-with', 'Chl')), [2, 3]],
    ['and', and(equal(3, 'UK'), compare(5, 'gt', 0)), [4]],
    ['is null', { kind: 'unary', operator: 'is-null', reference: { kind: 'id', fieldId: 2 } }, [4]],
    ['not starting', compare(2, 'not-starts-with', 'A'), [2, 3, 4]],
    ['a negation', not(equal(3, 'UK')), [2, 3]],
  ])('keeps the rows of %s', async (_title, filter, ids) => {
    expect(await rows('SELECT id FROM hr.people ORDER BY id', filtered(filter))).toEqual(
      ids.map((id) => [id]),
    )
  })

  it('holds in every place where the table stands', async () => {
    const uk = filtered(equal(3, 'UK'))
    expect(await rows('SELECT count(*) FROM hr.people', uk)).toEqual([[2]])
    expect(await rows('WITH p AS (FROM hr.people) SELECT max(id) FROM p', uk)).toEqual([[4]])
    expect(await rows('SELECT count(*) FROM hr.people a JOIN hr.people b ON true', uk)).toEqual([[4]])
    expect(await rows('SELECT (SELECT sum(id) FROM hr.people)', uk)).toEqual([[5]])
    expect(await rows('SELECT id FROM hr.people LIMIT 1 OFFSET 1', uk)).toHaveLength(1)
  })

  it('is asked before any condition of the query, so that a failing one tells nothing of hidden rows', async () => {
    const uk = filtered(equal(3, 'UK'))
    // Only row 3, which is hidden, has the name that fails to be a number.
    const probe = `SELECT id FROM hr.people WHERE CAST(CASE WHEN name LIKE 'Chlo%' THEN 'x' ELSE '1' END AS INT) = 1 ORDER BY id`
    expect(await rows(probe, uk)).toEqual([[1], [4]])
    await expect(readAll(engine, probe)).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('sees values that a mask hides', async () => {
    const both: ReadRestrictions = {
      masks: [{ fieldId: 3, action: 'replace-with-null' }],
      rowFilter: equal(3, 'UK'),
    }
    expect(await rows('SELECT id, country FROM hr.people ORDER BY id', both)).toEqual([
      [1, null],
      [4, null],
    ])
  })

  it('holds for older versions, and over columns that were dropped since or came later', async () => {
    const table: TableIdentifier = { namespace: ['hr'], name: 'history' }
    await lake.createTable(table, [field(1, 'id', 'long'), field(2, 'team', 'string')])
    const { snapshotId } = await lake.commit(table, [
      { rows: `SELECT 1::BIGINT AS id, 'red' AS team UNION ALL SELECT 2, 'blue'` },
    ])
    await lake.evolve(table, [field(1, 'id', 'long'), field(3, 'level', 'int')])
    await lake.commit(table, [{ rows: 'SELECT 3::BIGINT AS id, 9 AS level' }])
    const red = filtered(equal(2, 'red'))
    const level = filtered(equal(3, 9))
    expect(await rows('SELECT id FROM hr.history', red)).toEqual([[1]])
    expect(await rows('SELECT id FROM hr.history', level)).toEqual([[3]])
    expect(await rows(`SELECT id FROM hr.history AT (VERSION => ${snapshotId})`, level)).toEqual([])
    await expect(rows('SELECT id FROM hr.history', filtered(equal(77, 1)))).rejects.toMatchObject({
      code: 'unsupported',
    })
  })

  it('leaves out of the result what was pruned', async () => {
    const { result } = await readAll(engine, 'SELECT id FROM hr.people', {
      catalog: restricted(filtered(equal(3, 'UK'))),
    })
    expect(result.pruning).toEqual([])
  })
})

describe('a column mask', () => {
  it('shows what the spec says', async () => {
    expect(await maskedColumn(2, 'mask-alphanum')).toEqual(['xxxxx.xn', 'xx', 'xxxxxx(n)x@x', null])
    expect(await maskedColumn(2, 'show-first-4')).toEqual(['Ada x.xn', 'Bo', 'Chloxx(n)x@x', null])
    expect(await maskedColumn(2, 'show-last-4')).toEqual(['xxxxL. 1', 'Bo', 'xxxxxx(n) @x', null])
    expect(await maskedColumn(2, 'mask-to-fixed-value')).toEqual([
      'XXXXXXXX',
      'XXXXXXXX',
      'XXXXXXXX',
      'XXXXXXXX',
    ])
    expect(await maskedColumn(2, 'replace-with-null')).toEqual([null, null, null, null])
    expect(await maskedColumn(5, 'truncate-to-year')).toEqual([
      '1915-01-01',
      null,
      '1969-01-01',
      '2024-01-01',
    ])
    expect(await maskedColumn(5, 'truncate-to-month')).toEqual([
      '1915-12-01',
      null,
      '1969-12-01',
      '2024-06-01',
    ])
  })

  it('hashes texts and numbers as other engines do', async () => {
    const [ada] = await maskedColumn(2, 'sha-256-global')
    expect(ada).toBe(sha256('Ada L. 1').toString('hex'))
    const bytes = Buffer.alloc(4)
    const hashes = [700, 0, -5].map((value) => {
      bytes.writeInt32LE(value)
      return sha256(bytes).readInt32LE()
    })
    expect(await maskedColumn(4, 'sha-256-global')).toEqual([hashes[0], null, hashes[1], hashes[2]])
    const long = Buffer.alloc(8)
    const ids = [1n, 2n, 3n, 4n].map((value) => {
      long.writeBigInt64LE(value)
      return sha256(long).readBigInt64LE()
    })
    expect((await maskedColumn(1, 'sha-256-global')).map(String)).toEqual(ids.map(String))
  })

  it('salts a hash anew in each query, and alike within one', async () => {
    const local = masked(2, 'sha-256-query-local')
    const sql = 'SELECT a.name, a.name = b.name FROM hr.people a JOIN hr.people b USING (id) WHERE id = 1'
    const [first] = await rows('SELECT name FROM hr.people WHERE id = 1', local)
    const [second] = await rows('SELECT name FROM hr.people WHERE id = 1', local)
    expect(first).not.toEqual(second)
    expect(first?.[0]).toMatch(/^[0-9a-f]{64}$/)
    expect((await rows(sql, local))[0]?.[1]).toBe(true)
  })

  it('is what every condition of the query sees', async () => {
    const hidden = masked(4, 'replace-with-null')
    expect(await rows('SELECT id FROM hr.people WHERE salary = 700', hidden)).toEqual([])
    expect(await rows('SELECT count(*) FROM hr.people WHERE salary IS NULL', hidden)).toEqual([[4]])
    expect(await rows('SELECT min(salary), max(salary) FROM hr.people', hidden)).toEqual([[null, null]])
    expect(
      await rows("SELECT id FROM hr.people WHERE name = 'XXXXXXXX'", masked(2, 'mask-to-fixed-value')),
    ).toHaveLength(4)
    expect(
      await rows('SELECT id FROM hr.people ORDER BY salary, id', masked(4, 'mask-to-fixed-value')),
    ).toEqual([[1], [2], [3], [4]])
    const summary = await rows('SUMMARIZE hr.people', masked(2, 'mask-to-fixed-value'))
    expect(
      JSON.stringify(summary, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('Ada')
  })

  it('that does not fit its column any more, or that is not known, shows nothing', async () => {
    await expect(rows('SELECT id FROM hr.people', masked(1, 'show-last-4'))).rejects.toMatchObject({
      code: 'unsupported',
    })
    const schema = currentSchema((await lake.catalog.loadTable(people)).metadata)
    const unknown = { 'required-column-projections': [{ 'field-id': 1, action: 'apply-expression' }] }
    expect(() => parseReadRestrictions(unknown, schema)).toThrow('unknown mask')
  })
})

describe('metadata', () => {
  it('answers no aggregate of a restricted table', async () => {
    const sql = 'SELECT count(*), min(id), max(salary) FROM hr.people'
    expect(await rows(sql, filtered(equal('country', 'UK')))).toEqual([[2, 1, 700]])
    expect(await rows(sql, masked(4, 'replace-with-null'))).toEqual([[4, 1, null]])
    const { result } = await readAll(engine, sql, { catalog: restricted(masked(4, 'replace-with-null')) })
    expect(result.pruning).toEqual([])
    const open = await readAll(engine, sql)
    expect(open.result.pruning).toMatchObject([{ filesAnswered: 2 }])
  })

  it('tables of a restricted table tell of its versions alone', async () => {
    const catalog = restricted(masked(4, 'replace-with-null'))
    const versions = new Set(['snapshots', 'history', 'refs', 'metadata_log_entries', 'properties'])
    for (const name of metadataTableNames) {
      for (const spelling of [`hr."people$${name}"`, `hr.people.${name}`, `"people$${name}"`]) {
        const read = readAll(engine, `SELECT count(*) FROM ${spelling}`, { catalog })
        if (versions.has(name)) await read
        else await expect(read, spelling).rejects.toMatchObject({ code: 'permission-denied' })
      }
    }
  })
})

describe('what the asker may not see at all', () => {
  const denied = new FloeError('permission-denied', 'ada may not read that')
  const deny = (...namespaces: readonly string[]): TableCatalog => ({
    ...restricted({ masks: [] }),
    listTables: async () => [],
    listViews: async () => [],
    loadTable: (identifier) =>
      namespaces.includes(identifier.namespace.join('.'))
        ? Promise.reject(denied)
        : lake.catalog.loadTable(identifier),
    loadView: () => Promise.reject(denied),
  })

  it('is denied under every name that leads to it, and is no reading of a name that has another', async () => {
    for (const name of ['hr.people', 'hr."people$files"', 'hr.people.files', 'hr.people.branch_main'])
      await expect(
        readAll(engine, `SELECT * FROM ${name}`, { catalog: deny('hr', 'hr.people') }),
        name,
      ).rejects.toBe(denied)
    const { rows: found } = await readAll(engine, 'SELECT count(*) FROM hr.people.files', {
      catalog: deny('hr.people'),
    })
    expect(found).toEqual([[2]])
  })
})

it('masks a column of every type', async () => {
  const table: TableIdentifier = { namespace: ['hr'], name: 'types' }
  const all: readonly NestedField[] = [
    field(1, 'b', 'boolean'),
    field(2, 'd', { kind: 'decimal', precision: 9, scale: 2 }),
    field(3, 'f', 'double'),
    field(4, 'u', 'uuid'),
    field(5, 't', 'time'),
    field(6, 'ts', 'timestamp'),
    field(7, 'tz', 'timestamptz'),
    field(8, 'x', 'binary'),
    field(9, 'l', { kind: 'list', elementId: 11, element: { kind: 'int' }, elementRequired: false }),
    field(10, 'ns', 'timestamp_ns'),
  ]
  await lake.createTable(table, all, { properties: { 'format-version': '3' } })
  await lake.commit(table, [
    {
      rows: `SELECT true AS b, 1.5::DECIMAL(9,2) AS d, 2.5::DOUBLE AS f, '10000000-0000-0000-0000-000000000001'::UUID AS u,
        TIME '10:00' AS t, TIMESTAMP '1969-12-31 23:59:59.5' AS ts, TIMESTAMPTZ '1969-12-31 23:59:59+00' AS tz,
        'ab'::BLOB AS x, [1, 2] AS l, TIMESTAMP_NS '1969-12-31 23:59:59.999999999' AS ns`,
      fields: all,
    },
  ])
  const fixed = { masks: all.map(({ id }) => ({ fieldId: id, action: 'mask-to-fixed-value' as const })) }
  expect(await rows('SELECT * FROM hr.types', fixed)).toEqual([
    [
      false,
      '0.00',
      0,
      '00000000-0000-0000-0000-000000000000',
      '00:00:00',
      '1970-01-01T00:00:00',
      '1970-01-01T00:00:00+00:00',
      '\\x',
      [],
      '1970-01-01T00:00:00',
    ],
  ])
  const months = { masks: [6, 7, 10].map((fieldId) => ({ fieldId, action: 'truncate-to-month' as const })) }
  expect(await rows('SELECT ts, tz, ns FROM hr.types', months)).toEqual([
    ['1969-12-01T00:00:00', '1969-12-01T00:00:00+00:00', '1969-12-01T00:00:00'],
  ])
  expect(await rows('SELECT x FROM hr.types', masked(8, 'sha-256-global'))).toEqual([
    [`\\x${sha256('ab').toString('hex')}`],
  ])
})
