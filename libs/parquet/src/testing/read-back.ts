import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC, type Table } from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'
import { readParquet } from 'parquet-wasm'
import { isPrimitive, type PrimitiveType, type PrimitiveValue, type Schema } from '@floe/iceberg'
import type { ColumnBatch } from '../column.ts'
import type { FileMetrics } from '../file-metrics.ts'
import { createParquetEncoder, type EncoderSettings } from '../parquet-encoder.ts'

export type EncodedFile = { readonly bytes: Uint8Array; readonly metrics: FileMetrics }

/** One file of the batches, a row group each. */
export function encodeFile(settings: EncoderSettings, batches: readonly ColumnBatch[]): EncodedFile {
  const encoder = createParquetEncoder(settings)
  const chunks = batches.flatMap((batch) => encoder.encodeRowGroup(batch))
  const finished = encoder.finish()
  return { bytes: new Uint8Array(Buffer.concat([...chunks, ...finished.chunks])), metrics: finished.metrics }
}

export type PlainRow = { readonly [column: string]: unknown }

/** Reads with hyparquet; timestamps and dates stay the numbers they are stored as, binary is text unless told otherwise. */
export async function readByHyparquet(
  bytes: Uint8Array,
  { utf8 = true }: { readonly utf8?: boolean } = {},
): Promise<readonly PlainRow[]> {
  const file = bytes.slice().buffer
  const same = <T>(value: T): T => value
  return parquetReadObjects({
    file,
    utf8,
    compressors: {
      ZSTD: (input) => new Uint8Array(zstdDecompressSync(input)),
      GZIP: (input) => new Uint8Array(gunzipSync(input)),
    },
    parsers: {
      timestampFromMicroseconds: same,
      timestampFromNanoseconds: same,
      dateFromDays: same,
    },
  } as Parameters<typeof parquetReadObjects>[0])
}

/** Reads with the Rust parquet crate, as WebAssembly, into Arrow. */
export function readByArrow(bytes: Uint8Array): Table {
  return tableFromIPC(readParquet(bytes).intoIPCStream())
}

/** Reads with DuckDB: every top-level primitive column as text that loses nothing. */
export async function readByDuckdb(bytes: Uint8Array, schema: Schema): Promise<readonly PlainRow[]> {
  const columns = schema.fields.flatMap(({ name, type }) =>
    isPrimitive(type)
      ? [`${lossless(type, `"${name}"`)} AS "${name}"`]
      : [`"${name}"::JSON::VARCHAR AS "${name}"`],
  )
  return queryByDuckdb(bytes, `SELECT ${columns.join(', ')} FROM read_parquet($file)`)
}

/** Runs SQL over the file, which the text calls `$file`. */
export async function queryByDuckdb(bytes: Uint8Array, sql: string): Promise<readonly PlainRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'floe-parquet-'))
  const path = join(folder, 'file.parquet')
  writeFileSync(path, bytes)
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  try {
    const connection = await instance.connect()
    const reader = await connection.runAndReadAll(sql.replaceAll('$file', `'${path}'`))
    connection.closeSync()
    return reader.getRowObjectsJson()
  } finally {
    instance.closeSync()
    rmSync(folder, { recursive: true })
  }
}

function lossless(type: PrimitiveType, column: string): string {
  switch (type.kind) {
    case 'date':
      return `(${column} - DATE '1970-01-01')::VARCHAR`
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return `epoch_us(${column})::VARCHAR`
    case 'timestamp_ns':
      return `epoch_ns(${column})::VARCHAR`
    case 'decimal':
      return `replace(${column}::VARCHAR, '.', '')`
    case 'fixed':
    case 'binary':
      return `lower(hex(${column}))`
    default:
      return `${column}::VARCHAR`
  }
}

/** The text that `readByDuckdb` gives for a value. */
export function losslessText(type: PrimitiveType, value: PrimitiveValue | null): string | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (type.kind === 'float' || type.kind === 'double') return floatText(value as number)
  if (type.kind !== 'decimal') return String(value)
  const digits = String(value)
    .replace('-', '')
    .padStart(type.scale + 1, '0')
  return (value as bigint) < 0n ? `-${digits}` : digits
}

function floatText(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value)
}
