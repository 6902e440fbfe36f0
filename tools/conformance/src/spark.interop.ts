import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isMinioInstalled, startMinio, startS3Server, startSpark } from '@floe/peers'
import type { PeerRow, Spark } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalSql, everyTypeSql, typedColumns } from './all-types-table.ts'
import { columnValues, listText } from './canonical.ts'
import { floeOutput, startFloeServer } from './floe-process.ts'
import type { FloeServer } from './floe-process.ts'
import { openFloeReader } from './floe-reader.ts'
import type { FloeReader } from './floe-reader.ts'
import { isFullLane } from './lane.ts'

/** Spark against `floe serve`: one JVM for the file, a namespace for each test. */
const open = new AsyncDisposableStack()
let folder: string
let server: FloeServer
let floe: FloeReader
let spark: Spark

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-spark-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  server = open.use(await startFloeServer('catalog', folder))
  floe = open.use(openFloeReader(server.url, folder))
  spark = open.use(await startSpark())
  await spark.addCatalog('lake', server.url)
  await spark.sql('USE lake')
})
afterAll(() => open.disposeAsync())

type Values = readonly (readonly unknown[])[]

/** Runs statements in order; gives the values of the last. */
async function run(...statements: readonly string[]): Promise<Values> {
  let rows: readonly PeerRow[] = []
  for (const statement of statements) rows = await spark.sql(statement)
  return rows.map((row) => Object.values(row))
}

/** Both engines must give these rows, in this order. */
async function expectBoth(query: string, rows: Values, reader: FloeReader = floe): Promise<void> {
  expect(await run(query), 'Spark').toEqual(rows)
  expect(await reader.rows(query), 'Floe').toEqual(rows)
}

const rowLevel = [
  ['cow', 2, 'copy-on-write', []],
  ['mor', 2, 'merge-on-read', ['PARQUET']],
  ['vectors', 3, 'merge-on-read', ['PUFFIN']],
] as const

describe.each(rowLevel)('rows in %s (format version %i, %s)', (namespace, version, mode, deleteFormats) => {
  const table = `${namespace}.things`

  beforeAll(async () => {
    const modes = ['delete', 'update', 'merge'].map((name) => `'write.${name}.mode' = '${mode}'`).join(', ')
    await run(
      `CREATE NAMESPACE ${namespace}`,
      `CREATE TABLE ${table} (id BIGINT NOT NULL, name STRING, day DATE, price DECIMAL(9, 2)) USING iceberg
        PARTITIONED BY (days(day), bucket(2, id)) TBLPROPERTIES ('format-version' = '${version}', ${modes})`,
      `INSERT INTO ${table} SELECT id, concat('n', id), date_add(DATE '2024-01-01', CAST(id % 3 AS INT)), id / 4 FROM range(1, 41)`,
    )
  })

  const summary = `SELECT CAST(count(*) AS INT) AS n, CAST(sum(id) AS INT) AS ids, CAST(sum(price) AS VARCHAR(20)) AS price FROM ${table}`

  it('are inserted', () => expectBoth(summary, [[40, 820, '205.00']]))

  it('are deleted', async () => {
    await run(`DELETE FROM ${table} WHERE id % 10 = 3`)
    await expectBoth(summary, [[36, 748, '187.00']])
    await expectBoth(`SELECT id FROM ${table} WHERE id < 5 ORDER BY id`, [[1], [2], [4]])
  })

  it('are updated, into another partition too', async () => {
    await run(`UPDATE ${table} SET name = 'new', day = DATE '2025-01-01' WHERE id IN (1, 2)`)
    await expectBoth(
      `SELECT id, name, CAST(day AS VARCHAR(10)) AS day FROM ${table} WHERE id < 5 ORDER BY id`,
      [
        [1, 'new', '2025-01-01'],
        [2, 'new', '2025-01-01'],
        [4, 'n4', '2024-01-02'],
      ],
    )
  })

  it('are merged', async () => {
    await run(
      `MERGE INTO ${table} t USING (SELECT id, concat('m', id) AS name FROM range(38, 44)) s ON t.id = s.id
        WHEN MATCHED AND s.id = 39 THEN DELETE
        WHEN MATCHED THEN UPDATE SET t.name = s.name
        WHEN NOT MATCHED THEN INSERT (id, name, day, price) VALUES (s.id, s.name, DATE '2024-06-01', 1.25)`,
    )
    await expectBoth(`SELECT id, name FROM ${table} WHERE id > 36 ORDER BY id`, [
      [37, 'n37'],
      [38, 'm38'],
      [40, 'm40'],
      [41, 'm41'],
      [42, 'm42'],
      [43, 'm43'],
    ])
  })

  it('are overwritten by partition, and found when a filter prunes', async () => {
    await run(
      `SET spark.sql.sources.partitionOverwriteMode = dynamic`,
      `INSERT OVERWRITE ${table} SELECT id, 'over', DATE '2024-06-01', 2.50 FROM range(41, 44)`,
    )
    const june = `day >= DATE '2024-05-01' AND day < DATE '2025-01-01'`
    await expectBoth(`SELECT id, name FROM ${table} WHERE ${june} ORDER BY id`, [
      [41, 'over'],
      [42, 'over'],
      [43, 'over'],
    ])
  })

  it('have delete files of the kind that the version asks for', async () => {
    const formats = await run(`SELECT DISTINCT file_format FROM ${table}.all_delete_files`)
    expect(formats.flat()).toEqual(deleteFormats)
  })
})

describe('a table changed by ALTER TABLE', () => {
  const table = 'altered.things'

  it('keeps its old rows through nested additions, renames, drops and wider types', async () => {
    await run(
      'CREATE NAMESPACE altered',
      `CREATE TABLE ${table} (id INT NOT NULL, name STRING, ratio FLOAT, place STRUCT<city: STRING, zip: INT>,
        tags ARRAY<STRUCT<k: STRING>>, gone STRING) USING iceberg TBLPROPERTIES ('format-version' = '2')`,
      `INSERT INTO ${table} VALUES (1, 'a', 1.5, named_struct('city', 'Bern', 'zip', 3000), array(named_struct('k', 'x')), 'old')`,
      `ALTER TABLE ${table} ADD COLUMN note STRING AFTER id`,
      `ALTER TABLE ${table} ADD COLUMN place.country STRING`,
      `ALTER TABLE ${table} ADD COLUMN tags.element.w INT`,
      `ALTER TABLE ${table} RENAME COLUMN name TO title`,
      `ALTER TABLE ${table} RENAME COLUMN place.city TO town`,
      `ALTER TABLE ${table} ALTER COLUMN id TYPE BIGINT`,
      `ALTER TABLE ${table} ALTER COLUMN ratio TYPE DOUBLE`,
      `ALTER TABLE ${table} ALTER COLUMN place.zip TYPE BIGINT`,
      `ALTER TABLE ${table} DROP COLUMN gone`,
      `ALTER TABLE ${table} ADD COLUMN gone STRING COMMENT 'another column of the same name'`,
      `ALTER TABLE ${table} ALTER COLUMN title FIRST`,
      `INSERT INTO ${table} VALUES ('b', 9000000000, 'n', 0.25, named_struct('town', 'Uri', 'zip', 9000000001, 'country', 'CH'),
        array(named_struct('k', 'y', 'w', 7)), 'new')`,
    )
    await expectBoth(
      `SELECT title, id, note, ratio, place.town, place.zip, place.country, gone FROM ${table} ORDER BY id`,
      [
        ['a', 1, null, 1.5, 'Bern', 3000, null, null],
        ['b', 9_000_000_000, 'n', 0.25, 'Uri', 9_000_000_001, 'CH', 'new'],
      ],
    )
    await expectBoth(`SELECT tags FROM ${table} ORDER BY id`, [[[{ k: 'x', w: null }]], [[{ k: 'y', w: 7 }]]])
  })

  it('takes new partition fields, and is pruned right across its specs', async () => {
    await run(
      `ALTER TABLE ${table} ADD PARTITION FIELD bucket(4, id)`,
      `INSERT INTO ${table} SELECT 'c', id, NULL, NULL, NULL, NULL, NULL FROM range(10, 20)`,
      `ALTER TABLE ${table} ADD PARTITION FIELD truncate(1, title) AS initial`,
      `ALTER TABLE ${table} REPLACE PARTITION FIELD bucket(4, id) WITH bucket(2, id)`,
      `INSERT INTO ${table} SELECT 'dd', id, NULL, NULL, NULL, NULL, NULL FROM range(20, 30)`,
      `ALTER TABLE ${table} DROP PARTITION FIELD initial`,
      `INSERT INTO ${table} SELECT 'e', id, NULL, NULL, NULL, NULL, NULL FROM range(30, 40)`,
    )
    await expectBoth(`SELECT title, id FROM ${table} WHERE id IN (1, 15, 25, 35) ORDER BY id`, [
      ['a', 1],
      ['c', 15],
      ['dd', 25],
      ['e', 35],
    ])
    await expectBoth(
      `SELECT title, CAST(count(*) AS INT) AS n FROM ${table} WHERE title >= 'c' GROUP BY title ORDER BY title`,
      [
        ['c', 10],
        ['dd', 10],
        ['e', 10],
      ],
    )
  })

  it('takes a write order, identifier fields and properties, and gives them back', async () => {
    await run(
      `ALTER TABLE ${table} WRITE ORDERED BY title DESC NULLS LAST, id`,
      `ALTER TABLE ${table} SET IDENTIFIER FIELDS id`,
      `ALTER TABLE ${table} SET TBLPROPERTIES ('owner-team' = 'größe', 'other' = 'x')`,
      `ALTER TABLE ${table} UNSET TBLPROPERTIES ('other')`,
    )
    const properties = Object.fromEntries(await run(`SHOW TBLPROPERTIES ${table}`)) as Record<string, string>
    expect(properties).toMatchObject({
      'owner-team': 'größe',
      'identifier-fields': '[id]',
      'sort-order': 'title DESC NULLS LAST, id ASC NULLS FIRST',
    })
    expect(properties).not.toHaveProperty('other')
  })

  it('upgrades to version 3 and goes on with deletion vectors', async () => {
    await run(
      `ALTER TABLE ${table} SET TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read')`,
      `DELETE FROM ${table} WHERE id = 15`,
    )
    await expectBoth(`SELECT id FROM ${table} WHERE id BETWEEN 14 AND 16 ORDER BY id`, [[14], [16]])
  })
})

describe('the history of a table', () => {
  const table = 'past.things'
  let snapshots: readonly string[]

  beforeAll(async () => {
    await run(
      'CREATE NAMESPACE past',
      `CREATE TABLE ${table} (id INT, name STRING) USING iceberg`,
      `INSERT INTO ${table} VALUES (1, 'a')`,
      `INSERT INTO ${table} VALUES (2, 'b')`,
      `ALTER TABLE ${table} RENAME COLUMN name TO title`,
      `INSERT INTO ${table} VALUES (3, 'c')`,
    )
    const ids = await run(`SELECT CAST(snapshot_id AS STRING) FROM ${table}.snapshots ORDER BY committed_at`)
    snapshots = ids.flat().map(String)
  })

  it('is read by version and by time', async () => {
    const [first = '', second = ''] = snapshots
    await expectBoth(`SELECT id FROM ${table} FOR VERSION AS OF ${second} ORDER BY id`, [[1], [2]])
    await expectBoth(`SELECT name FROM ${table} FOR VERSION AS OF ${first}`, [['a']])
    const [[time] = []] = await run(
      `SELECT CAST(committed_at AS STRING) FROM ${table}.snapshots WHERE snapshot_id = ${second}`,
    )
    await expectBoth(`SELECT id FROM ${table} FOR TIMESTAMP AS OF TIMESTAMP '${time}' ORDER BY id`, [
      [1],
      [2],
    ])
  })

  it('has branches that are written, and tags', async () => {
    const [first = ''] = snapshots
    await run(
      `ALTER TABLE ${table} CREATE BRANCH dev AS OF VERSION ${first} RETAIN 7 DAYS WITH SNAPSHOT RETENTION 2 SNAPSHOTS`,
      `ALTER TABLE ${table} CREATE TAG \`v 1\` AS OF VERSION ${first} RETAIN 30 DAYS`,
      `INSERT INTO ${table}.branch_dev VALUES (10, 'dev')`,
    )
    await expectBoth(`SELECT id FROM ${table} FOR VERSION AS OF 'dev' ORDER BY id`, [[1], [10]])
    await expectBoth(`SELECT id FROM ${table} FOR VERSION AS OF 'v 1' ORDER BY id`, [[1]])
    await expectBoth(`SELECT id FROM ${table} ORDER BY id`, [[1], [2], [3]])
    const refs = await run(
      `SELECT name, type, max_reference_age_in_ms, min_snapshots_to_keep FROM ${table}.refs ORDER BY name`,
    )
    expect(refs).toEqual([
      ['dev', 'BRANCH', 604_800_000, 2],
      ['main', 'BRANCH', null, null],
      ['v 1', 'TAG', 2_592_000_000, null],
    ])
  })

  it('loses a branch and a tag that are dropped, and replaces a branch', async () => {
    const [, second = ''] = snapshots
    await run(
      `ALTER TABLE ${table} REPLACE BRANCH dev AS OF VERSION ${second}`,
      `ALTER TABLE ${table} DROP TAG \`v 1\``,
    )
    await expectBoth(`SELECT id FROM ${table} FOR VERSION AS OF 'dev' ORDER BY id`, [[1], [2]])
    await run(`ALTER TABLE ${table} DROP BRANCH dev`)
    expect(await run(`SELECT name FROM ${table}.refs`)).toEqual([['main']])
    await expect(floe.rows(`SELECT id FROM ${table} FOR VERSION AS OF 'dev'`)).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('is rolled back, and set to a snapshot again', async () => {
    const [first = '', , third = ''] = snapshots
    await run(`CALL lake.system.rollback_to_snapshot('${table}', ${first})`)
    await expectBoth(`SELECT id FROM ${table} ORDER BY id`, [[1]])
    await run(`CALL lake.system.set_current_snapshot('${table}', ${third})`)
    await expectBoth(`SELECT id FROM ${table} ORDER BY id`, [[1], [2], [3]])
  })

  it('is fast-forwarded to a branch, and takes over a staged snapshot', async () => {
    await run(
      `ALTER TABLE ${table} CREATE BRANCH ahead`,
      `INSERT INTO ${table}.branch_ahead VALUES (4, 'd')`,
      `CALL lake.system.fast_forward('${table}', 'main', 'ahead')`,
      `ALTER TABLE ${table} SET TBLPROPERTIES ('write.wap.enabled' = 'true')`,
      `SET spark.wap.id = staged`,
      `INSERT INTO ${table} VALUES (5, 'e')`,
      `RESET spark.wap.id`,
    )
    await expectBoth(`SELECT id FROM ${table} ORDER BY id`, [[1], [2], [3], [4]])
    await run(`CALL lake.system.publish_changes('${table}', 'staged')`)
    await expectBoth(`SELECT id FROM ${table} ORDER BY id`, [[1], [2], [3], [4], [5]])
  })

  it('is compacted, its manifests rewritten, and its snapshots expired', async () => {
    await run(
      `ALTER TABLE ${table} DROP BRANCH ahead`,
      `CALL lake.system.rewrite_data_files(table => '${table}', options => map('rewrite-all', 'true'))`,
      `CALL lake.system.rewrite_manifests('${table}')`,
      `CALL lake.system.expire_snapshots(table => '${table}', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)`,
    )
    expect(await run(`SELECT CAST(count(*) AS INT) FROM ${table}.snapshots`)).toEqual([[1]])
    expect(await run(`SELECT CAST(count(*) AS INT) FROM ${table}.files`)).toEqual([[1]])
    await expectBoth(`SELECT id, title FROM ${table} ORDER BY id`, [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
      [5, 'e'],
    ])
  })
})

describe('names in the catalog', () => {
  it('come and go: namespaces with properties, nested ones, tables renamed and dropped', async () => {
    await run(
      `CREATE NAMESPACE names COMMENT 'top' WITH DBPROPERTIES ('team' = 'a')`,
      `ALTER NAMESPACE names SET PROPERTIES ('team' = 'b')`,
      'CREATE NAMESPACE names.inner',
      'CREATE TABLE names.inner.one (id INT) USING iceberg',
      'INSERT INTO names.inner.one VALUES (1)',
      'ALTER TABLE names.inner.one RENAME TO names.two',
    )
    expect(await run('SHOW NAMESPACES IN names')).toEqual([['names.inner']])
    expect(JSON.stringify(await run('DESCRIBE NAMESPACE EXTENDED names'))).toContain('(team,b)')
    await expectBoth('SELECT id FROM names.two', [[1]])
    await expect(run('SELECT * FROM names.inner.one')).rejects.toThrow(/TABLE_OR_VIEW_NOT_FOUND/)
    await expect(run('DROP NAMESPACE names')).rejects.toThrow(/not empty|is not empty/i)
    await run('DROP TABLE names.two PURGE', 'DROP NAMESPACE names.inner', 'DROP NAMESPACE names')
    expect((await run('SHOW NAMESPACES')).flat()).not.toContain('names')
  })

  it('are replaced at once: CREATE TABLE AS, CREATE OR REPLACE TABLE AS, REPLACE TABLE', async () => {
    await run(
      'CREATE NAMESPACE made',
      `CREATE TABLE made.t USING iceberg PARTITIONED BY (part) AS SELECT id, id % 2 AS part FROM range(4)`,
    )
    await expectBoth('SELECT id, part FROM made.t ORDER BY id', [
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 1],
    ])
    await run(`CREATE OR REPLACE TABLE made.t USING iceberg AS SELECT 'x' AS name, 7 AS id`)
    await expectBoth('SELECT name, id FROM made.t', [['x', 7]])
    const [[old] = []] = await run(
      'SELECT CAST(snapshot_id AS STRING) FROM made.t.snapshots ORDER BY committed_at LIMIT 1',
    )
    await expectBoth(`SELECT count(part) AS n FROM made.t FOR VERSION AS OF ${String(old)}`, [[4]])
    await run(`REPLACE TABLE made.t (sole INT) USING iceberg`)
    await expectBoth('SELECT count(sole) AS n FROM made.t', [[0]])
    await expect(run('CREATE TABLE made.t (id INT) USING iceberg')).rejects.toThrow(/already exists/i)
  })

  it('are views too: created, read, replaced, altered, renamed, listed and dropped', async () => {
    await run(
      'CREATE NAMESPACE seen',
      'CREATE TABLE seen.t (id INT, name STRING) USING iceberg',
      `INSERT INTO seen.t VALUES (1, 'a'), (2, 'b')`,
      `CREATE VIEW seen.v (ident COMMENT 'the id') COMMENT 'all ids' TBLPROPERTIES ('k' = 'v') AS SELECT id FROM seen.t`,
    )
    expect(await run('SELECT ident FROM seen.v ORDER BY ident')).toEqual([[1], [2]])
    await run('CREATE OR REPLACE VIEW seen.v AS SELECT name FROM seen.t WHERE id > 1')
    expect(await run('SELECT * FROM seen.v')).toEqual([['b']])
    await run(`ALTER VIEW seen.v SET TBLPROPERTIES ('k' = 'w')`, 'ALTER VIEW seen.v RENAME TO seen.w')
    expect((await run('SHOW VIEWS IN seen')).map(([, name]) => name)).toEqual(['w'])
    expect(JSON.stringify(await run('SHOW TBLPROPERTIES seen.w'))).toContain('["k","w"]')
    expect(JSON.stringify(await run('SHOW CREATE TABLE seen.w'))).toContain('CREATE VIEW')
    await expect(run('CREATE TABLE seen.w (id INT) USING iceberg')).rejects.toThrow(/already exists/i)
    await run('DROP VIEW seen.w')
    await expect(run('SELECT * FROM seen.w')).rejects.toThrow(/TABLE_OR_VIEW_NOT_FOUND/)
  })
})

describe('a table loaded by Floe', () => {
  it('has in Spark what PostgreSQL has, value by value, in every type that Spark knows', async () => {
    await using postgres = await startPostgres()
    // Spark 3.5 has no type for a time of day.
    const columns = typedColumns.filter(({ name }) => name !== 'c_time')
    await postgres.query(everyTypeSql(30))
    const source = await postgres.query<Record<string, string | null>>(canonicalSql())
    await postgres.query('ALTER TABLE types.every DROP COLUMN c_time')
    const load = ['load', '--from', postgres.url, '--table', 'types.every', '--to', 'loaded']
    await floeOutput([...load, '--mode', 'create', '--catalog', server.url], folder)
    const rows = await spark.canonicalRows('SELECT * FROM loaded.every ORDER BY id')
    expect(rows).toHaveLength(30)
    const texts = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, canonicalText(value)])),
    )
    for (const column of columns)
      expect(columnValues(texts, column), column.name).toEqual(columnValues(source, column))
  })
})

/** Lists as PostgreSQL writes an array of texts as JSON. */
function canonicalText(value: unknown): string | null {
  if (value === null || typeof value === 'string') return value
  const isFlat = Array.isArray(value) && value.every((item) => item === null || typeof item === 'string')
  return isFlat ? listText(value as (string | null)[]) : JSON.stringify(value)
}

const stores = [['versitygw', startS3Server] as const, ['MinIO', startMinio] as const].filter(
  ([name]) => name !== 'MinIO' || isMinioInstalled() || isFullLane,
)

describe.each(stores)('a table on S3 (%s)', (name, startStore) => {
  it('is written with the settings that the catalog hands out, and read by both', async () => {
    const catalog = name.toLowerCase()
    await using s3 = await startStore()
    const settings = {
      FLOE_S3_ENDPOINT: s3.endpoint,
      FLOE_S3_REGION: s3.region,
      FLOE_S3_ACCESS_KEY_ID: s3.accessKeyId,
      FLOE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }
    const place = { FLOE_WAREHOUSE: `s3://${s3.bucket}/warehouse` }
    const home = path.join(folder, catalog)
    await using remote = await startFloeServer('catalog', folder, {
      ...settings,
      ...place,
      FLOE_CATALOG: `sqlite:${home}.db`,
    })
    await spark.addCatalog(catalog, remote.url, {
      'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
      's3.access-key-id': s3.accessKeyId,
      's3.secret-access-key': s3.secretAccessKey,
    })
    await run(
      `CREATE NAMESPACE ${catalog}.ns`,
      `CREATE TABLE ${catalog}.ns.t USING iceberg PARTITIONED BY (bucket(2, id))
        TBLPROPERTIES ('write.delete.mode' = 'merge-on-read') AS SELECT id, concat('n', id) AS name FROM range(20)`,
      `DELETE FROM ${catalog}.ns.t WHERE id % 2 = 1`,
      `INSERT INTO ${catalog}.ns.t VALUES (100, 'größe')`,
    )
    await using reader = openFloeReader(remote.url, folder, settings)
    const query = 'SELECT id, name FROM ns.t WHERE id > 16 ORDER BY id'
    const rows = [
      [18, 'n18'],
      [100, 'größe'],
    ]
    expect(await run(query.replace('ns.t', `${catalog}.ns.t`))).toEqual(rows)
    expect(await reader.rows(query)).toEqual(rows)
  })
})
