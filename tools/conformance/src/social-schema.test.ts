import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const script = await readFile(path.resolve(import.meta.dirname, '../../../docker/postgres/init.sql'), 'utf8')
const tables = ['users', 'posts', 'follows', 'likes'] as const

let postgres: Awaited<ReturnType<typeof startPostgres>>
beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.query(script)
})
afterAll(async () => {
  await postgres.stop()
})

/** Row counts and a hash over every row: equal only when all values are. */
async function fingerprint(): Promise<readonly Record<string, unknown>[]> {
  const parts = tables.map(
    (table) =>
      `SELECT '${table}' AS name, count(*)::int AS rows, sum(hashtextextended(t::text, 0)) AS hash FROM social.${table} AS t`,
  )
  return postgres.query(`${parts.join(' UNION ALL ')} ORDER BY name`)
}

describe('docker/postgres/init.sql', () => {
  it('uses no client command and no randomness', () => {
    expect(script).not.toMatch(/^\s*\\/m)
    expect(script).not.toMatch(/\b(?:random|clock_timestamp|now|gen_random_uuid)\s*\(/i)
  })

  it('fills all four tables', async () => {
    const counts = Object.fromEntries((await fingerprint()).map(({ name, rows }) => [name, rows]))
    expect(counts).toEqual({
      users: 5000,
      posts: 20_000,
      follows: expect.any(Number),
      likes: expect.any(Number),
    })
    expect(counts['follows']).toBeGreaterThan(28_000)
    expect(counts['likes']).toBeGreaterThan(35_000)
  })

  it('has primary keys on all tables and foreign keys that hold', async () => {
    const keys = await postgres.query(
      `SELECT conrelid::regclass::text AS owner, contype AS kind, confrelid::regclass::text AS target FROM pg_constraint
       WHERE connamespace = 'social'::regnamespace AND contype IN ('p', 'f') AND convalidated ORDER BY 1, 2, 3`,
    )
    const text = keys.map(({ owner, kind, target }) => `${String(owner)} ${String(kind)} ${String(target)}`)
    expect(text).toEqual([
      'social.follows f social.users',
      'social.follows f social.users',
      'social.follows p -',
      'social.likes f social.posts',
      'social.likes f social.users',
      'social.likes p -',
      'social.posts f social.users',
      'social.posts p -',
      'social.users p -',
    ])
    await expect(postgres.query('INSERT INTO social.likes VALUES (1, 999999999, 1, now())')).rejects.toThrow(
      /foreign key/,
    )
  })

  it('keeps time in order: nobody writes before joining, publishes before writing or likes before publication', async () => {
    const [row] = await postgres.query(`
      SELECT (SELECT count(*)::int FROM social.posts p JOIN social.users u ON u.id = p.user_id WHERE p.created_at < u.created_at) AS early_posts,
             (SELECT count(*)::int FROM social.posts WHERE published_at < created_at OR (status = 'draft') <> (published_at IS NULL)) AS odd_publications,
             (SELECT count(*)::int FROM social.likes l JOIN social.posts p ON p.id = l.post_id WHERE l.created_at < p.published_at) AS early_likes`)
    expect(row).toEqual({ early_posts: 0, odd_publications: 0, early_likes: 0 })
  })

  it('covers the types of a real schema, with missing values in them', async () => {
    const columns =
      await postgres.query(`SELECT DISTINCT format_type(atttypid, atttypmod) AS name FROM pg_attribute
      WHERE attrelid IN ('social.users'::regclass, 'social.posts'::regclass, 'social.likes'::regclass) AND attnum > 0 ORDER BY 1`)
    expect(columns.map(({ name }) => name)).toEqual([
      'bigint',
      'boolean',
      'date',
      'inet',
      'integer',
      'jsonb',
      'numeric(12,2)',
      'real',
      'smallint',
      'social.post_status',
      'social.user_role',
      'text',
      'text[]',
      'timestamp with time zone',
      'uuid',
    ])
    const [missing] = await postgres.query(`SELECT count(*) FILTER (WHERE email IS NULL)::int AS email,
      count(*) FILTER (WHERE birth_date IS NULL)::int AS birth, count(*) FILTER (WHERE last_login_ip IS NULL)::int AS ip FROM social.users`)
    for (const count of Object.values(missing ?? {})) expect(count).toBeGreaterThan(100)
  })

  it('comments every table', async () => {
    const rows =
      await postgres.query(`SELECT relname, obj_description(oid, 'pg_class') AS comment FROM pg_class
      WHERE relnamespace = 'social'::regnamespace AND relkind = 'r'`)
    expect(rows).toHaveLength(tables.length)
    for (const { relname, comment } of rows) expect(comment, String(relname)).toBeTypeOf('string')
  })

  it('gives the same rows when it runs again', async () => {
    const first = await fingerprint()
    await postgres.query(script)
    expect(await fingerprint()).toEqual(first)
  })
})
