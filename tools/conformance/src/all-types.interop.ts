import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { defaultWorkers, Lakehouse, readSettings } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalSql, everyTypeSql, typedColumns } from './all-types-table.ts'
import { canonicalValue, columnValues, listText } from './canonical.ts'
import { floeOutput, startFloeServer } from './floe-process.ts'
import { parseRows, runPython } from './python.ts'

type Row = Readonly<Record<string, string | null>>

const rowCount = 60
let postgres: TestPostgres & AsyncDisposable
let folder: string

beforeAll(async () => {
  postgres = await startPostgres()
  folder = await mkdtemp(path.join(tmpdir(), 'floe-interop-'))
  await postgres.query(everyTypeSql(rowCount))
})
afterAll(async () => {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

async function readByPostgres(): Promise<readonly Row[]> {
  return postgres.query<Row>(canonicalSql())
}

async function readByPyIceberg(table: string): Promise<readonly Row[]> {
  await using server = await startFloeServer('catalog', folder)
  const rows = parseRows(await runPython('read_table.py', [server.url, table]))
  const texts = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, pythonText(value)])),
  )
  return texts.toSorted((left, right) => Number(left['id']) - Number(right['id']))
}

function pythonText(value: unknown): string | null {
  if (value === null || typeof value === 'string') return value
  const isFlat = Array.isArray(value) && value.every((item) => item === null || typeof item === 'string')
  return isFlat ? listText(value as (string | null)[]) : JSON.stringify(value)
}

async function readByFloe(table: string): Promise<readonly Row[]> {
  await using lakehouse = new Lakehouse(readSettings({}, {}, folder, defaultWorkers()))
  const result = await lakehouse.query(`SELECT * FROM ${table} ORDER BY id`)
  const rows: Row[] = []
  for await (const batch of result.rows()) {
    for (const row of batch) {
      rows.push(
        Object.fromEntries(
          result.columns.map(({ name, type }, index) => [name, canonicalValue(row[index], type)]),
        ),
      )
    }
  }
  await result.close()
  return rows
}

describe.each(['COPY BINARY', 'pg-cursor'] as const)('a table with every type, loaded by %s', (method) => {
  const namespace = method === 'COPY BINARY' ? 'copied' : 'fetched'

  beforeAll(async () => {
    await using lakehouse = new Lakehouse(readSettings({}, {}, folder, defaultWorkers()))
    const { tables } = await lakehouse.load({
      sourceUrl: postgres.url,
      tables: ['types.every'],
      namespace: [namespace],
      mode: 'create',
      method: method === 'COPY BINARY' ? 'copy' : 'cursor',
    })
    expect(tables.map(({ status }) => status)).toEqual(['loaded'])
  })

  it('has in Floe what PostgreSQL has, value by value', async () => {
    const [source, floe] = [await readByPostgres(), await readByFloe(`${namespace}.every`)]
    expect(floe).toHaveLength(rowCount)
    for (const column of typedColumns)
      expect(columnValues(floe, column), column.name).toEqual(columnValues(source, column))
  })

  it('has in PyIceberg what it has in Floe, value by value', async () => {
    const [floe, peer] = [await readByFloe(`${namespace}.every`), await readByPyIceberg(`${namespace}.every`)]
    expect(peer).toHaveLength(rowCount)
    for (const column of typedColumns) {
      const values = columnValues(floe, column)
      const expected = column.isListOfStructs === true ? values.map((value) => value ?? []) : values
      expect(columnValues(peer, column), column.name).toEqual(expected)
    }
    expect(peer.map(({ id }) => id)).toEqual(floe.map(({ id }) => id))
  })
})

describe('a partitioned table whose schema has changed between two loads', () => {
  it('reads the same in PyIceberg and in Floe, now and at the first snapshot', async () => {
    await postgres.query(`CREATE SCHEMA change;
      CREATE TABLE change.events (id bigint PRIMARY KEY, at timestamptz, kind text, amount real);
      INSERT INTO change.events SELECT i, timestamptz '1969-12-28 12:00+00' + i * interval '7 hours',
        CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'größe' ELSE 'k' END, -i FROM generate_series(1, 40) i`)
    const load = ['load', '--from', postgres.url, '--table', 'change.events', '--to', 'changed', '--mode']
    const partitioned = ['--partition-by', 'day(at), bucket(4, id), truncate(2, kind)']
    await floeOutput([...load, 'create', ...partitioned], folder)
    await postgres.query(`ALTER TABLE change.events RENAME kind TO sort;
      ALTER TABLE change.events ALTER amount TYPE double precision; ALTER TABLE change.events ADD COLUMN note varchar(5);
      UPDATE change.events SET id = id + 1000, note = 'n' || id % 3`)
    await floeOutput([...load, 'append'], folder)
    const [floe, peer] = [await readByFloe('changed.events'), await readByPyIceberg('changed.events')]
    expect(floe).toHaveLength(80)
    expect(peer).toEqual(floe)
  })
})
