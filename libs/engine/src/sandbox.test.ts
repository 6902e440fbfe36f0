import { readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openSession, readRows } from './duckdb-session.ts'
import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake } from './lake-fixture.ts'
import type { Lake } from './lake-fixture.ts'
import { textList } from './sql-text.ts'

const table = { namespace: ['ns'], name: 't' }
let lake: Lake
let engine: Engine
let secret: string
let dataPath: string
let otherPath: string

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
  await lake.createTable(table, [field(1, 'id', 'int')])
  const { files } = await lake.commit(table, [{ rows: 'SELECT 1 AS id' }, { rows: 'SELECT 2 AS id' }])
  secret = join(lake.directory, 'secret.csv')
  await writeFile(secret, 'password\nhunter2\n')
  dataPath = files[0]?.filePath.replace('file://', '') ?? ''
  otherPath = files[1]?.filePath.replace('file://', '') ?? ''
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

describe('SQL of a user', () => {
  it.each([
    ['DROP TABLE ns.t'],
    ['DELETE FROM ns.t'],
    ['INSERT INTO ns.t VALUES (1)'],
    ['CREATE TABLE x AS SELECT 1'],
    ['CREATE TEMP VIEW v AS SELECT 1'],
    ["COPY (SELECT 1) TO '/tmp/floe-escape.csv'"],
    ["EXPORT DATABASE '/tmp/floe-escape'"],
    ["ATTACH ':memory:' AS other"],
    ["ATTACH '/tmp/floe-escape.db'"],
    ["SET memory_limit = '100GB'"],
    ['SET VARIABLE x = 1'],
    ['RESET memory_limit'],
    ['PRAGMA database_list'],
    ['CALL enable_logging()'],
    ['INSTALL httpfs'],
    ['LOAD httpfs'],
    ['CREATE SECRET s (TYPE s3)'],
    ['EXPLAIN SELECT 1'],
    ['SHOW TABLES'],
    ['SELECT 1; SELECT 2'],
    ['SELECT 1; DROP TABLE ns.t'],
    ['SELECT $1'],
    [''],
  ])('may not run %s', async (sql) => {
    await expect(engine.query(sql)).rejects.toMatchObject({ code: 'invalid-input' })
    await expect(engine.checkSelect(sql)).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it.each([
    ["SELECT * FROM read_csv('PATH')"],
    ["SELECT * FROM read_text('PATH')"],
    ["SELECT * FROM read_blob('PATH')"],
    ["SELECT * FROM read_parquet('PATH')"],
    ["SELECT * FROM main.read_parquet('PATH')"],
    ["SELECT * FROM sniff_csv('PATH')"],
    ["SELECT * FROM glob('/etc/*')"],
    ["SELECT * FROM query('SELECT 1')"],
    ["SELECT * FROM query_table('x')"],
    ['SELECT * FROM duckdb_settings()'],
    ['SELECT * FROM duckdb_secrets()'],
    ['SELECT * FROM pragma_database_list()'],
    ["SELECT * FROM sqlite_scan('a', 'b')"],
    ["SELECT * FROM json_execute_serialized_sql('{}')"],
    ["SELECT (SELECT count(*) FROM read_text('PATH'))"],
    ["SELECT 1 WHERE 1 IN (SELECT 1 FROM read_text('PATH'))"],
    ["WITH x AS (SELECT * FROM read_text('PATH')) SELECT 1 FROM ns.t"],
    ["SELECT 1 ORDER BY (SELECT content FROM read_text('PATH'))"],
    ["SELECT * FROM ns.t, LATERAL (SELECT * FROM read_text('PATH'))"],
    ["SELECT current_setting('memory_limit')"],
    ["SELECT getenv('HOME')"],
    ["SELECT getvariable('x')"],
    ["SELECT main.current_setting('memory_limit')"],
    ["SELECT nextval('s')"],
  ])('may not use %s', async (sql) => {
    const real = sql.replace('PATH', secret)
    await expect(engine.query(real)).rejects.toMatchObject({ code: 'permission-denied' })
  })

  it.each([
    ['SELECT * FROM "PATH"'],
    ["SELECT * FROM 'PATH'"],
    ['SELECT * FROM "/etc/passwd"'],
    ['SELECT * FROM duckdb_tables'],
    ['SELECT * FROM information_schema.tables'],
    ['SELECT * FROM pg_catalog.pg_class'],
    ['SELECT * FROM sqlite_master'],
    ['SELECT * FROM temp.__floe_scan_0'],
    ['SELECT id FROM ns.t, __floe_scan_0'],
  ])('finds no table in %s', async (sql) => {
    await expect(engine.query(sql.replace('PATH', dataPath))).rejects.toMatchObject({ code: 'not-found' })
    await expect(engine.query(sql.replace('PATH', secret))).rejects.toMatchObject({ code: 'not-found' })
  })

  it('never puts values of rows into messages', async () => {
    const sql = "SELECT CAST('hunter' || id AS INTEGER) FROM ns.t"
    const running = (async () => {
      const result = await engine.query(sql)
      for await (const _ of result.rows());
    })()
    const error = await running.then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    )
    expect(error).toMatchObject({ code: 'invalid-input' })
    expect(error?.message).not.toContain('hunter')
  })
})

describe('a locked session, should the gate ever let something through', () => {
  it('opens exactly the allowed files and changes no setting', async () => {
    const session = await openSession({ memoryMaxMb: 64, threads: 1 })
    try {
      await session.lock([dataPath])
      const run = (sql: string): Promise<unknown> => readRows(session.connection, sql)
      await expect(run(`SELECT * FROM read_parquet(${textList([dataPath])})`)).resolves.toHaveLength(1)
      await expect(run(`SELECT * FROM read_text('${secret}')`)).rejects.toMatchObject({
        code: 'permission-denied',
      })
      await expect(
        run(`SELECT * FROM read_text('${dataPath}/../../../../../secret.csv')`),
      ).rejects.toMatchObject({ code: 'permission-denied' })
      await expect(run(`COPY (SELECT 1) TO '${dataPath}'`)).rejects.toMatchObject({
        code: 'permission-denied',
      })
      for (const sql of [
        // Files of other queries, and folders that files are allowed in.
        `SELECT * FROM read_parquet('${otherPath}')`,
        `SELECT * FROM read_parquet('${dirname(dataPath)}/*.parquet')`,
        `SELECT * FROM glob('${dirname(dataPath)}/*')`,
        `SELECT * FROM sniff_csv('${secret}')`,
        `ATTACH '${dirname(dataPath)}/escape.db'`,
        `EXPORT DATABASE '${dirname(dataPath)}/escape'`,
        `COPY (SELECT 1) TO '${dirname(dataPath)}/escape.csv'`,
        "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
        'INSTALL httpfs',
      ])
        await expect(run(sql), sql).rejects.toBeInstanceOf(Error)
      expect(await readdir(dirname(dataPath))).not.toContainEqual(expect.stringMatching('escape'))
      await expect(run("SELECT * FROM glob('/etc/*')")).rejects.toMatchObject({ code: 'permission-denied' })
      await expect(run("SET memory_limit = '1GB'")).rejects.toMatchObject({ code: 'invalid-input' })
      await expect(run("SET allowed_paths = ['/etc/passwd']")).rejects.toMatchObject({
        code: 'invalid-input',
      })
      await expect(run('LOAD httpfs')).rejects.toMatchObject({ code: 'permission-denied' })
    } finally {
      session.close()
    }
  })
})
