import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { FloeError } from '@floe/iceberg'
import { connectSource, findSourceTables, planChunks, planColumns } from '../index.ts'
import type { SourceConnection, SourceTable } from '../index.ts'
import { parseRelationPattern } from './relation-name.ts'

let postgres: TestPostgres
let client: SourceConnection
beforeAll(async () => {
  postgres = await startPostgres()
  client = await connectSource(postgres.url)
  await postgres.query(`
    CREATE TABLE orders (id bigint, line int, total numeric(12,2) NOT NULL, note text, double_total numeric GENERATED ALWAYS AS (total * 2) STORED, PRIMARY KEY (line, id));
    COMMENT ON TABLE orders IS 'what was bought'; COMMENT ON COLUMN orders.total IS 'in euro';
    CREATE TABLE "Order.Lines" (a int); CREATE TABLE nothing ();
    CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)`)
})
afterAll(async () => {
  await client.end()
  await postgres.stop()
})

async function find(pattern: string): Promise<SourceTable> {
  return (await findSourceTables(client, pattern))[0] as SourceTable
}

async function failure(promise: Promise<unknown>): Promise<FloeError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof FloeError)) throw new Error(`expected a FloeError, got ${String(error)}`)
  return error
}

describe('findSourceTables', () => {
  it('describes a table', async () => {
    const table = await find('public.orders')
    expect(table).toMatchObject({
      schema: 'public',
      name: 'orders',
      kind: 'table',
      comment: 'what was bought',
      primaryKey: ['line', 'id'],
    })
    expect(
      table.columns.map(({ attnum, name, typeName, nullable, generated }) => [
        attnum,
        name,
        typeName,
        nullable,
        generated,
      ]),
    ).toEqual([
      [1, 'id', 'bigint', false, false],
      [2, 'line', 'integer', false, false],
      [3, 'total', 'numeric(12,2)', false, false],
      [4, 'note', 'text', true, false],
      [5, 'double_total', 'numeric', true, true],
    ])
    expect(table.columns[2]?.comment).toBe('in euro')
  })

  it('finds by wildcard, leaving partitions to their parent, and by exact or quoted name', async () => {
    const names = async (pattern: string): Promise<readonly string[]> =>
      (await findSourceTables(client, pattern)).map(({ name }) => name)
    expect(await names('public.*')).toEqual(['Order.Lines', 'nothing', 'orders', 'parts'])
    expect(await names('ORD*')).toEqual(['orders'])
    expect(await names('public.parts_1')).toEqual(['parts_1'])
    expect(await names('"public"."Order.Lines"')).toEqual(['Order.Lines'])
  })

  it('names near tables when there is none', async () => {
    const error = await failure(findSourceTables(client, 'public.ordres'))
    expect(error.code).toBe('not-found')
    expect(error.hint).toContain('public.orders')
  })

  it.each(['', 'a.b.c', 'a.', '.a', 'a b', '"open'])('refuses the pattern %j', (pattern) => {
    expect(() => parseRelationPattern(pattern)).toThrow(FloeError)
  })

  it('takes a NOT NULL that was never validated as nullable', async () => {
    await postgres.query(
      'CREATE TABLE unchecked (v int); INSERT INTO unchecked VALUES (NULL); ALTER TABLE unchecked ADD CONSTRAINT nn NOT NULL v NOT VALID',
    )
    expect((await find('public.unchecked')).columns[0]?.nullable).toBe(true)
  })
})

describe('planColumns', () => {
  it('maps types, comments and nullability, and gives plain data', async () => {
    const plans = planColumns(await find('public.orders'))
    expect(structuredClone(plans)).toEqual(plans)
    expect(plans.map(({ name, type, required, select }) => [name, type, required, select])).toEqual([
      ['id', { kind: 'long' }, true, '"id"'],
      ['line', { kind: 'int' }, true, '"line"'],
      ['total', { kind: 'decimal', precision: 12, scale: 2 }, true, '"total"'],
      ['note', { kind: 'string' }, false, '"note"'],
      ['double_total', { kind: 'string' }, false, '"double_total"::text'],
    ])
    expect(plans[2]?.doc).toBe('in euro')
  })

  it('has the server cast what it has no decoder for, and names column, type and way out where a choice does not fit', async () => {
    await postgres.query(`CREATE TYPE odd; CREATE FUNCTION odd_in(cstring) RETURNS odd AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
      CREATE FUNCTION odd_out(odd) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
      CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text); CREATE TABLE strange (v odd)`)
    const table = await find('public.strange')
    expect(planColumns(table)[0]?.select).toBe('"v"::text')
    const double = { columns: { v: { as: { kind: 'double' } } } } as const
    const error = await failure(Promise.resolve().then(() => planColumns(table, double)))
    expect(error.code).toBe('unsupported')
    expect(error.message).toMatch(/"v".*odd/)
    expect(error.hint).toContain('number types')
  })

  it('refuses tables without columns and policies of columns that are not there', async () => {
    const nothing = await find('public.nothing')
    expect(() => planColumns(nothing)).toThrow(/has no columns/)
    const orders = await find('public.orders')
    expect(() => planColumns(orders, { columns: { tottal: { nan: 'null' } } })).toThrow(/no column "tottal"/)
    expect(() => planColumns(orders, { columns: { note: { as: { kind: 'double' } } } })).toThrow(
      /cannot be read as double/,
    )
  })
})

describe('access', () => {
  beforeAll(async () => {
    await postgres.query(`CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT USAGE ON SCHEMA public TO reader;
      CREATE TABLE guarded (v int); INSERT INTO guarded VALUES (1); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON guarded TO reader`)
  })

  it('refuses tables whose rows row security would hide, and tables without SELECT', async () => {
    const url = new URL(postgres.url)
    url.username = 'reader'
    url.password = 'reader'
    const reader = await connectSource(url.href)
    try {
      const guarded = (await findSourceTables(reader, 'public.guarded'))[0] as SourceTable
      const hidden = await failure(planChunks(reader, guarded, { workers: 1 }))
      expect(hidden.code).toBe('permission-denied')
      expect(hidden.hint).toContain('BYPASSRLS')
      const orders = (await findSourceTables(reader, 'public.orders'))[0] as SourceTable
      expect((await failure(planChunks(reader, orders, { workers: 1 }))).hint).toContain('GRANT SELECT')
    } finally {
      await reader.end()
    }
    expect((await planChunks(client, await find('public.guarded'), { workers: 1 })).method).toBe('copy')
  })

  it('opens sessions that cannot write', async () => {
    await expect(client.query('CREATE TABLE public.x (a int)')).rejects.toThrow(/read-only/)
  })

  it.each([
    ['a wrong password', (url: URL) => void (url.password = 'wrong'), 'permission-denied'],
    ['an unknown database', (url: URL) => void (url.pathname = '/none'), 'not-found'],
    ['a closed port', (url: URL) => void (url.port = '1'), 'unavailable'],
  ])('tells %s apart, never showing the password', async (_, change, code) => {
    const url = new URL(postgres.url)
    change(url)
    const error = await failure(connectSource(url.href))
    expect(error.code).toBe(code)
    expect(error.hint).toBeDefined()
    expect(error.message).not.toContain(url.password)
  })
})

describe('planChunks', () => {
  it('leaves the last range of each leaf open and joins ranges without a gap', async () => {
    await postgres.query(
      'CREATE TABLE blocks AS SELECT i, repeat(md5(i::text), 8) AS v FROM generate_series(1, 60000) i',
    )
    const { chunks } = await planChunks(client, await find('public.blocks'), { workers: 2 })
    expect(chunks.length).toBeGreaterThanOrEqual(8)
    let next = 0
    for (const chunk of chunks) {
      if (chunk.kind !== 'blocks') throw new Error('not a range')
      expect(chunk.firstBlock).toBe(next)
      next = (chunk.lastBlock ?? 0) + 1
    }
    expect(chunks.at(-1)).toMatchObject({ lastBlock: undefined })
  })

  it('reads a view in one piece and says why', async () => {
    await postgres.query('CREATE VIEW seen AS SELECT 1 AS v')
    const plan = await planChunks(client, await find('public.seen'), { workers: 2 })
    expect(plan.chunks).toEqual([{ kind: 'whole', index: 0, relation: '"public"."seen"' }])
    expect(plan.reason).toContain('view')
  })
})
