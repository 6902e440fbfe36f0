import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { locationToFilePath, schemeOf } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'

export type Written = { readonly rows: number; readonly bytes: number; readonly files: number }

/** Rows by the footers of Parquet files, whatever their writer or a manifest says of them. */
export async function countWritten(store: ObjectStore, locations: readonly string[]): Promise<Written> {
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-count-'))
  try {
    const files: string[] = []
    let bytes = 0
    for (const location of locations) {
      const object = await store.head(location)
      if (object === undefined) throw new Error(`there is no ${location}`)
      bytes += object.sizeBytes
      files.push(await localFile(store, location, path.join(folder, `${files.length}.parquet`)))
    }
    return { rows: files.length === 0 ? 0 : await countRows(files), bytes, files: files.length }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function localFile(store: ObjectStore, location: string, copy: string): Promise<string> {
  if (schemeOf(location) === 'file') return locationToFilePath(location)
  writeFileSync(copy, await store.get(location))
  return copy
}

async function countRows(files: readonly string[]): Promise<number> {
  const instance = await DuckDBInstance.create()
  try {
    const connection = await instance.connect()
    const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')
    const sql = `SELECT sum(num_rows)::double FROM parquet_file_metadata([${list}])`
    const [row] = (await connection.runAndReadAll(sql)).getRows()
    return Number(row?.[0])
  } finally {
    instance.closeSync()
  }
}
