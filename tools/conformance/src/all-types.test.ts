import { glob, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { currentSchema } from '@floe/iceberg'
import type { Type } from '@floe/iceberg'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalSql, everyTypeSql, typedColumns } from './all-types-table.ts'
import { canonicalValue, columnValues } from './canonical.ts'
import { hasDecimals, readByHyparquet, withoutLastDigits } from './hyparquet-rows.ts'

/** The data files of a table with every type, read by libraries that know nothing of Iceberg. */
type Row = Readonly<Record<string, string | null>>

const rowCount = 60
const open = new AsyncDisposableStack()
let source: readonly Row[]
let types: ReadonlyMap<string, Type>
let files: readonly string[]

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-types-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  const postgres = open.use(await startPostgres())
  await postgres.query(everyTypeSql(rowCount))
  source = await postgres.query<Row>(canonicalSql())
  const lakehouse = open.use(new Lakehouse(readSettings({}, {}, folder, 2)))
  const request = {
    sourceUrl: postgres.url,
    tables: ['types.every'],
    namespace: ['lake'],
    mode: 'create' as const,
  }
  const { tables } = await lakehouse.load(request)
  expect(tables.map(({ status }) => status)).toEqual(['loaded'])
  const { metadata } = await (await lakehouse.catalog()).loadTable({ namespace: ['lake'], name: 'every' })
  types = new Map(currentSchema(metadata).fields.map(({ name, type }) => [name, type]))
  const found = await Array.fromAsync(glob('.floe/warehouse/**/*.parquet', { cwd: folder }))
  files = found.map((file) => path.join(folder, file))
})
afterAll(() => open.disposeAsync())

function byId(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((left, right) => Number(left['id']) - Number(right['id']))
}

/** The JSON of a BLOB is text with escapes, that of a map a list of objects. */
function replacementOf(name: string, { kind }: Type): readonly string[] {
  if (kind === 'binary') return [`lower(hex(${name})) AS ${name}`]
  return kind === 'map' ? [`list_transform(map_entries(${name}), e -> [e.key, e.value]) AS ${name}`] : []
}

async function readByDuckdb(): Promise<readonly Row[]> {
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    await connection.run(`SET TimeZone = 'UTC'`)
    const from = `read_parquet([${files.map((file) => `'${file}'`).join(', ')}])`
    const replaced = [...types].flatMap(([name, type]) => replacementOf(name, type))
    const reader = await connection.runAndReadAll(`SELECT * REPLACE (${replaced.join(', ')}) FROM ${from}`)
    const [names, kinds] = [reader.columnNames(), reader.columnTypes().map(String)]
    const rows = reader.getRowsJson()
    connection.closeSync()
    return rows.map((row) =>
      Object.fromEntries(names.map((name, index) => [name, canonicalValue(row[index], kinds[index] ?? '')])),
    )
  } finally {
    instance.closeSync()
  }
}

describe('the files of a table with every type', () => {
  it('have in DuckDB what PostgreSQL has, value by value', async () => {
    const rows = byId(await readByDuckdb())
    expect(rows).toHaveLength(rowCount)
    for (const column of typedColumns)
      expect(columnValues(rows, column), column.name).toEqual(columnValues(source, column))
  })

  it('have in hyparquet what PostgreSQL has, value by value', async () => {
    const read = await Promise.all(files.map((file) => readByHyparquet(file, types)))
    const rows = byId(read.flat())
    expect(rows).toHaveLength(rowCount)
    for (const column of typedColumns) {
      const values = columnValues(source, column)
      const type = types.get(column.name)
      const expected = type !== undefined && hasDecimals(type) ? values.map(comparable) : values
      const found = columnValues(rows, column)
      expect(type !== undefined && hasDecimals(type) ? found.map(comparable) : found, column.name).toEqual(
        expected,
      )
    }
  })
})

/** Lists are texts of JSON. */
function comparable(value: unknown): unknown {
  const isList = typeof value === 'string' && value.startsWith('[')
  return withoutLastDigits(isList ? JSON.parse(value) : value)
}
