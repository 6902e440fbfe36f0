import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'

import { toEngineError } from './duckdb-error.ts'
import { textList } from './sql-text.ts'

export type SessionLimits = {
  readonly memoryMaxMb: number
  readonly threads: number
  /** Where DuckDB spills what does not fit in memory; no spilling when absent. */
  readonly tempDirectory?: string
}

/**
 * One DuckDB of its own, in memory: settings and the list of readable files belong to an instance, so a query that
 * may read exactly its own files needs an instance of its own (see `SessionPool`).
 */
export class DuckDBSession {
  readonly #instance: DuckDBInstance
  readonly #closers: (() => void)[] = []
  #connection: DuckDBConnection
  #paths: readonly string[] = []

  constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  get connection(): DuckDBConnection {
    return this.#connection
  }

  /** What the session is locked to. */
  get paths(): readonly string[] {
    return this.#paths
  }

  /** Allows `paths` and nothing else, for good: settings cannot be changed after this. */
  async lock(paths: readonly string[]): Promise<void> {
    this.#paths = paths
    await runAll(this.#connection, [
      ...(paths.length > 0 ? [`SET allowed_paths = ${textList(paths)}`] : []),
      'SET enable_external_access = false',
      'SET lock_configuration = true',
    ])
  }

  /** Calls `closer` before the session closes. */
  onClose(closer: () => void): void {
    this.#closers.push(closer)
  }

  /** A second connection to the same instance. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect()
  }

  /** Ends what a query began. Its tables, views and variables were temporary, and go with the connection. */
  disconnect(): void {
    for (const closer of this.#closers.splice(0)) closer()
    this.#connection.closeSync()
  }

  async reconnect(): Promise<void> {
    this.#connection = await this.#instance.connect()
  }

  close(): void {
    this.disconnect()
    this.#instance.closeSync()
  }
}

/** A fresh instance that still may open files: call `lock` before any text of a user reaches it. */
export async function openSession(limits: SessionLimits): Promise<DuckDBSession> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${limits.memoryMaxMb}MiB`,
    threads: String(limits.threads),
    temp_directory: limits.tempDirectory ?? '',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
  })
  const connection = await instance.connect()
  // Footers read to learn a file's field ids are read again by the scan of the same query.
  await connection.run('SET GLOBAL parquet_metadata_cache = true')
  // Files of the cache fill up while a session is open, and the system keeps what it read of local ones anyway.
  await connection.run('SET GLOBAL enable_external_file_cache = false')
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  return new DuckDBSession(instance, connection)
}

/** Runs statements without results in one call, which costs less than one after the other. */
export async function runAll(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return
  try {
    await connection.run(statements.join(';\n'))
  } catch (error) {
    throw toEngineError(error)
  }
}

/** Rows of a small result. Errors become `FloeError`s. */
export async function readRows(
  connection: DuckDBConnection,
  sql: string,
  values: readonly DuckDBValue[] = [],
): Promise<readonly (readonly DuckDBValue[])[]> {
  try {
    const reader = await connection.runAndReadAll(sql, [...values])
    return reader.getRows()
  } catch (error) {
    throw toEngineError(error)
  }
}

/** The text in the first column of the first row; empty when there is none. */
export async function readFirstText(
  connection: DuckDBConnection,
  sql: string,
  values: readonly DuckDBValue[] = [],
): Promise<string> {
  const value = (await readRows(connection, sql, values))[0]?.[0]
  return typeof value === 'string' ? value : ''
}
