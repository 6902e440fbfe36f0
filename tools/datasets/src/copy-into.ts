import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** Marks null in the CSV in between: a text that no data set holds. */
const nullMark = '\\N'

/**
 * Fills a PostgreSQL table with the rows of a DuckDB query (which can read Parquet, CSV and JSON files).
 * @param table  a quoted, qualified name; the query's columns are the table's, in order
 */
export async function copyInto(url: string, table: string, query: string): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-datasets-'))
  const file = path.join(folder, 'rows.csv')
  try {
    await writeCsv(query, file)
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      const stream = client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT csv, NULL '${nullMark}')`))
      await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), stream)
      return stream.rowCount
    } finally {
      await client.end()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeCsv(query: string, file: string): Promise<void> {
  const instance = await DuckDBInstance.create()
  try {
    const connection = await instance.connect()
    await connection.run(`COPY (${query}) TO '${file}' (FORMAT csv, HEADER false, NULLSTR '${nullMark}')`)
    connection.closeSync()
  } finally {
    instance.closeSync()
  }
}
