import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { parseJson } from '@floe/iceberg'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkout, cleanEnvironment, floeBin, installedNodes, runFloe } from './testing/run-floe.ts'
import type { Finished, RunOptions } from './testing/run-floe.ts'

const run = promisify(execFile)
let postgres: TestPostgres
let folder: string

const source = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text, ordered_at timestamptz NOT NULL);
  INSERT INTO shop.orders SELECT i, 'note ' || i, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 day' FROM generate_series(1, 90) i;
  CREATE TABLE shop.odd (id bigint, note text);
  INSERT INTO shop.odd VALUES (9007199254740993, 'größe 🧊'), (2, ''), (3, NULL);
  CREATE TABLE shop.big AS SELECT i AS id, md5(i::text) || md5((i + 1)::text) AS note FROM generate_series(1, 300000) i`

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-cli-'))
  postgres = await startPostgres()
  await postgres.query(source)
})
afterAll(async () => {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

function floe(args: readonly string[], options: Partial<RunOptions> = {}): Promise<Finished> {
  return runFloe(args, { cwd: folder, ...options })
}

async function dataFiles(): Promise<readonly string[]> {
  const names = await readdir(path.join(folder, '.floe', 'warehouse'), { recursive: true })
  return names.filter((name) => name.endsWith('.parquet') || name.endsWith('.tmp')).toSorted()
}

function load(table: string, ...more: readonly string[]): readonly string[] {
  return ['load', '--from', postgres.url, '--table', table, '--to', 'lake', ...more]
}

/** An error is on stderr with its code and a hint, and stdout is empty. */
function assertFails({ code, stdout, stderr }: Finished, exitCode: number, errorCode: string): void {
  expect({ code, stdout, stderr }).toEqual({
    code: exitCode,
    stdout: '',
    stderr: expect.stringContaining(`floe: ${errorCode}: `),
  })
  expect(stderr).toMatch(/\n {2}hint: \w/)
  expect(stderr).not.toContain('node_modules')
}

describe('floe load, then everything that reads', () => {
  it('says what a load would do, and does nothing', async () => {
    const { code, stdout } = await floe(
      load('shop.orders', '--dry-run', '--output', 'json', '--partition-by', 'month(ordered_at)'),
    )
    expect(code).toBe(0)
    expect(parseJson(stdout)).toMatchObject({
      tables: [
        { status: 'planned', table: 'lake.orders', partitionedBy: 'ordered_at_month: month', method: 'copy' },
      ],
    })
    const list = await floe(['table', 'list', '--output', 'json'])
    expect(list).toMatchObject({ code: 0, stdout: '[]\n' })
  })

  it('loads tables, with results on stdout and progress on stderr', async () => {
    const first = await floe(load('shop.orders', '--partition-by', 'month(ordered_at)', '--workers', '2'))
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^table +rows .*\n-+ .*\nlake\.orders +90 /)
    expect(first.stderr).toMatch(
      /lake\.orders: (about \d+ rows|rows not estimated) in \d+ chunks\n[^]*lake\.orders: 90 rows in /,
    )
    // Before the options of the command, and after them.
    const second = await floe([
      '--warehouse',
      'file:.floe/warehouse',
      ...load('shop.odd', '--output', 'json', '--catalog', 'sqlite:.floe/catalog.db'),
    ])
    expect(parseJson(second.stdout)).toMatchObject({
      tables: [{ status: 'loaded', table: 'lake.odd', rows: 3 }],
    })
  })

  it('prints rows exactly, in every format', async () => {
    const sql = 'SELECT * FROM lake.odd ORDER BY id DESC'
    const [table, json, ndjson, csv] = await Promise.all(
      ['table', 'json', 'ndjson', 'csv'].map((output) => floe(['sql', sql, '--output', output])),
    )
    expect(table?.stdout).toBe(
      '              id  note\n----------------  -------\n9007199254740993  größe 🧊\n               3  NULL\n               2\n',
    )
    expect(json?.stdout).toBe(
      '[\n  {"id":9007199254740993,"note":"größe 🧊"},\n  {"id":3,"note":null},\n  {"id":2,"note":""}\n]\n',
    )
    expect(ndjson?.stdout).toBe(
      '{"id":9007199254740993,"note":"größe 🧊"}\n{"id":3,"note":null}\n{"id":2,"note":""}\n',
    )
    expect(csv?.stdout).toBe('id,note\n9007199254740993,größe 🧊\n3,\n2,""\n')
    expect([table, json, ndjson, csv].map((result) => result?.stderr)).toEqual(['', '', '', ''])
  })

  it('explains what was pruned by what, and leaves stdout to the rows', async () => {
    const sql = `SELECT count(*) AS n FROM lake.orders WHERE ordered_at >= TIMESTAMPTZ '2024-03-01 00:00:00+00'`
    const { stdout, stderr, code } = await floe(['sql', sql, '--explain-pruning', '--output', 'csv'])
    expect({ stdout, code }).toEqual({ stdout: 'n\n31\n', code: 0 })
    expect(stderr).toMatch(
      /^lake\.orders: manifests 1 of 1 read, files 1 of 3 kept \(.*\)\n {2}answered from metadata, unopened: 1\n {2}dropped 2 by file-by-partition: .*ordered_at/,
    )
    const none = await floe([
      'sql',
      `SELECT count(*) AS n FROM lake.orders WHERE ordered_at < TIMESTAMPTZ '2020-01-01 00:00:00+00'`,
      '--explain-pruning',
      '--output',
      'csv',
    ])
    expect(none.stdout).toBe('n\n0\n')
    expect(none.stderr).toMatch(
      /manifests 0 of 1 read, files 0 of 3 kept \(0 B\)\n {2}dropped 1 by manifest: .*ordered_at/,
    )
  })

  it('shows tables', async () => {
    expect((await floe(['table', 'list', '--output', 'csv'])).stdout).toBe(
      'namespace,table\nlake,odd\nlake,orders\n',
    )
    const [show, snapshots, history, files] = await Promise.all(
      ['show', 'snapshots', 'history', 'files'].map(async (view) =>
        parseJson((await floe(['table', view, 'lake.orders', '--output', 'json'])).stdout),
      ),
    )
    expect(show).toContainEqual({ name: 'partitioned by', value: 'month(ordered_at)' })
    expect(snapshots).toMatchObject([{ operation: 'append', added_rows: 90, total_rows: 90, refs: 'main' }])
    expect(history).toMatchObject([{ is_current_ancestor: true, parent_id: null }])
    expect(files).toMatchObject([
      { partition: 'ordered_at_month=2024-01' },
      { partition: 'ordered_at_month=2024-02' },
      { partition: 'ordered_at_month=2024-03' },
    ])
    expect((await floe(['table', 'show', 'lake.orders'])).stdout).toMatch(
      /^name +value\n-+ +-+\nlocation +file:\/\//,
    )
  })

  it('answers questions with the SQL and what it read', async () => {
    const [text, json] = await Promise.all([
      floe(['ask', 'how many orders are there', '--provider', 'rules']),
      floe(['ask', 'how many orders are there', '--output', 'json']),
    ])
    expect(text?.code).toBe(0)
    expect(text?.stdout).toMatch(/90[^]*\nSQL: SELECT [^]*\nread: lake\.orders at snapshot \d+\n$/)
    expect(parseJson(json?.stdout ?? '')).toMatchObject({ kind: 'answer', rows: [[90]] })
    const unclear = await floe(['ask', 'what is the weather on the moon'])
    expect(unclear.code).toBe(2)
    expect(unclear.stdout).not.toBe('')
  })

  it('appends and replaces, and reads the past', async () => {
    expect((await floe(load('shop.odd', '--mode', 'append'))).code).toBe(0)
    expect((await floe(load('shop.odd', '--mode', 'replace'))).code).toBe(0)
    const rows = parseJson(
      (await floe(['table', 'snapshots', 'lake.odd', '--output', 'json'])).stdout,
    ) as readonly Readonly<Record<string, unknown>>[]
    expect(rows.map(({ operation, total_rows: total }) => [operation, total])).toEqual([
      ['append', 3],
      ['append', 6],
      ['overwrite', 3],
    ])
    const past = await floe([
      'sql',
      `SELECT count(*) AS n FROM lake.odd AT (VERSION => ${rows[1]?.['snapshot_id']})`,
      '--output',
      'csv',
    ])
    expect(past.stdout).toBe('n\n6\n')
  })

  it('serves what it has over HTTP, also to another floe, until it is told to stop', async () => {
    const answers: unknown[] = []
    const server = await floe(['serve', '--port', '0', '--role', 'catalog,query'], {
      onStderr: (text, child) => {
        const url = /on (http:\S+)\n/.exec(text)?.[1]
        if (url === undefined || answers.length > 0) return
        answers.push(url)
        void (async () => {
          try {
            answers.push(await (await fetch(`${url}/health`)).json())
            answers.push(
              (
                await floe([
                  'sql',
                  'SELECT count(*) AS n FROM lake.orders',
                  '--catalog',
                  url,
                  '--output',
                  'csv',
                ])
              ).stdout,
            )
          } finally {
            child.kill('SIGTERM')
          }
        })()
      },
    })
    expect(server).toMatchObject({ code: 0, stdout: '' })
    expect(answers.slice(1)).toEqual([{ status: 'ok', roles: ['catalog', 'query'] }, 'n\n90\n'])
  })
})

describe('floe sync', () => {
  const pipeline = (tables: string): string =>
    `source: $SHOP_URL\nnamespace: synced\nmode: incremental\ntables:\n${tables}`
  const tables = `
  - table: shop.orders
    cursor: { column: ordered_at, lag: 1 day }
    partitionBy: month(ordered_at)
  - { table: shop.odd, name: strange, mode: replace, columns: [id], where: id < 1000 }
  - { table: shop.orders_gone, cursor: id }
`

  it('loads every table as the file says, reports those that fail, and goes on where it was', async () => {
    await writeFile(path.join(folder, 'floe.yaml'), pipeline(tables))
    const env = { SHOP_URL: postgres.url }
    const args = ['sync', '--report', 'report.json', '--metrics-file', 'floe.prom']
    const first = await floe(args, { env })
    expect(first.code).toBe(3)
    expect(first.stderr).toContain('not-found: shop.orders_gone')
    const report = parseJson(await readFile(path.join(folder, 'report.json'), 'utf8'))
    expect(report).toMatchObject({ 'report-version': 1, outcome: 'partly-failed', loaded: 2, failed: 1 })
    const metrics = await readFile(path.join(folder, 'floe.prom'), 'utf8')
    expect(metrics).toContain('# TYPE floe_load_rows gauge\nfloe_load_rows{table="synced.orders"} 90\n')
    expect(metrics).toContain('floe_load_success{table="shop.orders_gone"} 0\n')
    expect(metrics).toMatch(/floe_load_phase_seconds\{table="synced.orders",phase="source"\} [\d.]+\n/)
    await postgres.query(`INSERT INTO shop.orders VALUES (91, 'new', '2024-04-01 00:00:00+00')`)
    const second = await floe([...args, '--output', 'json'], { env })
    await postgres.query('DELETE FROM shop.orders WHERE id = 91')
    expect(parseJson(second.stdout)).toMatchObject({
      tables: [
        { status: 'failed' },
        { table: 'synced.orders', rows: 3, increment: { rule: 'merge', isFirst: false } },
        { table: 'synced.strange', rows: 2 },
      ],
    })
    const sql = 'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM synced.orders'
    expect((await floe(['sql', sql, '--output', 'csv'])).stdout).toBe('n,ids\n91,91\n')
  })

  it('names what is wrong in the file', async () => {
    await writeFile(path.join(folder, 'bad.yaml'), pipeline('  - { table: shop.odd, mode: upsert }'))
    assertFails(await floe(['sync', 'bad.yaml']), 2, 'invalid-input')
    assertFails(await floe(['sync', 'none.yaml']), 3, 'not-found')
  })
})

describe('errors', () => {
  const cases: readonly (readonly [string, () => readonly string[], number, string])[] = [
    ['a table that is not there', () => ['sql', 'SELECT * FROM lake.no'], 3, 'not-found'],
    ['a table to show that is not there', () => ['table', 'show', 'lake.no'], 3, 'not-found'],
    ['a source table that is not there', () => load('shop.no'), 3, 'not-found'],
    ['an existing table', () => load('shop.orders'), 4, 'already-exists'],
    [
      'a server that cannot be reached',
      () => ['load', '--from', 'postgres://127.0.0.1:1/x', '--table', 'a.b', '--to', 'lake'],
      7,
      'unavailable',
    ],
    [
      'a catalog that cannot be reached',
      () => ['table', 'list', '--catalog', 'http://127.0.0.1:1'],
      7,
      'unavailable',
    ],
    ['a flag that does not exist', () => ['sql', 'SELECT 1', '--nonsense'], 2, 'invalid-input'],
    ['a value that a flag does not take', () => ['sql', 'SELECT 1', '--output', 'xml'], 2, 'invalid-input'],
    ['a command that does not exist', () => ['fly'], 2, 'invalid-input'],
    [
      'no table to load',
      () => ['load', '--from', 'postgres://127.0.0.1:1/x', '--to', 'lake'],
      2,
      'invalid-input',
    ],
    ['no database to load from', () => ['load', '--table', 'a.b', '--to', 'lake'], 2, 'invalid-input'],
    ['workers that are none', () => load('shop.odd', '--workers', '0'), 2, 'invalid-input'],
    ['a statement that writes', () => ['sql', 'DROP TABLE lake.orders'], 2, 'invalid-input'],
    ['a name without a namespace', () => ['table', 'show', 'orders'], 2, 'invalid-input'],
    ['a port that is none', () => ['serve', '--port', '99999'], 2, 'invalid-input'],
    ['a role that is none', () => ['serve', '--role', 'king'], 2, 'invalid-input'],
    ['a warehouse that cannot be', () => ['table', 'list', '--warehouse', 'gs://x'], 2, 'invalid-input'],
    [
      'a provider without its endpoint',
      () => ['ask', 'how many orders', '--provider', 'openai-compatible'],
      2,
      'invalid-input',
    ],
  ]
  it.concurrent.each(cases)('say what to do about %s', async (_, args, exitCode, errorCode) => {
    assertFails(await floe(args()), exitCode, errorCode)
  })
})

describe('help', () => {
  it.concurrent.each([
    '',
    'load',
    'sync',
    'sql',
    'table',
    'table list',
    'table show',
    'table snapshots',
    'table history',
    'table files',
    'table remove-orphans',
    'ask',
    'serve',
  ])('of floe %s has an example', async (command) => {
    const { code, stdout, stderr } = await floe([
      ...command.split(' ').filter((word) => word !== ''),
      '--help',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`Examples?:\\n +floe ${command}`))
    expect(stdout).toContain('--catalog')
    expect(stdout).toContain('--warehouse')
  })
})

describe('settings', () => {
  it('come from floe.config.yaml, and the environment goes before it', async () => {
    const elsewhere = await mkdtemp(path.join(folder, 'configured-'))
    await writeFile(path.join(elsewhere, 'floe.config.yaml'), `catalog: sqlite:${folder}/.floe/catalog.db\n`)
    expect((await floe(['table', 'list', '--output', 'csv'], { cwd: elsewhere })).stdout).toContain(
      'lake,orders',
    )
    const env = { FLOE_CATALOG: 'sqlite:other.db' }
    expect((await floe(['table', 'list', '--output', 'json'], { cwd: elsewhere, env })).stdout).toBe('[]\n')
    await writeFile(path.join(elsewhere, 'floe.config.yaml'), 'catalogue: x\n')
    assertFails(await floe(['table', 'list'], { cwd: elsewhere }), 2, 'invalid-input')
  })
})

describe('the process', () => {
  it.each(installedNodes())('runs when %s starts it', async (node) => {
    const result = await floe(['sql', 'SELECT 1 AS x', '--output', 'csv'], { node })
    expect(result).toEqual({ code: 0, stdout: 'x\n1\n', stderr: '' })
    expect((await floe(['table', 'show', 'lake.no'], { node })).code).toBe(3)
  })

  it('is there as npx floe in the checkout', async () => {
    const { stdout } = await run(path.join(checkout, 'node_modules', '.bin', 'floe'), ['--help'])
    expect(stdout).toContain('Usage: floe')
  })

  it('ends without complaint when its reader has seen enough', async () => {
    const script = `"$0" "$1" sql 'SELECT * FROM range(3000000)' --output ndjson | head -1; echo "exit \${PIPESTATUS[0]}"`
    const { stdout, stderr } = await run('bash', ['-c', script, process.execPath, floeBin], {
      cwd: folder,
      env: cleanEnvironment(),
    })
    expect({ stdout, stderr }).toEqual({ stdout: '{"range":0}\nexit 0\n', stderr: '' })
  })

  // A terminal sends the signal to every process of the group, and a parent that is another Node passes it on once more.
  it.each(installedNodes())(
    'stops a load at Ctrl-C with the old snapshot and no data file left, started by %s',
    async (node) => {
      await floe(load('shop.big', '--mode', 'replace'))
      const before = {
        files: await dataFiles(),
        snapshots: (await floe(['table', 'snapshots', 'lake.big', '--output', 'csv'])).stdout,
      }
      let isSent = false
      const stopped = await floe(load('shop.big', '--mode', 'append', '--workers', '1'), {
        node,
        detached: true,
        onStderr: (text, child) => {
          if (isSent || !text.includes('chunks\n') || child.pid === undefined) return
          isSent = true
          process.kill(-child.pid, 'SIGINT')
        },
      })
      assertFails(stopped, 130, 'cancelled')
      expect({
        files: await dataFiles(),
        snapshots: (await floe(['table', 'snapshots', 'lake.big', '--output', 'csv'])).stdout,
      }).toEqual(before)
    },
  )
})
