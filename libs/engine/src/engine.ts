import { mkdir } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'

import { FloeError } from '@floe/iceberg'
import { ManifestCache } from '@floe/planner'
import type { DecodeElsewhere } from '@floe/planner'
import type { ObjectReader, StoreSettings } from '@floe/storage'

import { openSession } from './duckdb-session.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import { ChunkCache } from './column-chunks.ts'
import { DirectAccess } from './direct-access.ts'
import { cacheBytesMaxDefault, FileCache, readAheadBytesDefault } from './file-cache.ts'
import { LayoutCache } from './file-layout.ts'
import { prepareForExplain } from './placeholder.ts'
import { QueryDeadline } from './query-deadline.ts'
import { QueryTimer } from './query-profile.ts'
import type { QueryStage } from './query-profile.ts'
import type { QueryResult } from './query-result.ts'
import { runQuery } from './run-query.ts'
import { bindSelect } from './bind-select.ts'
import { SessionPool } from './session-pool.ts'
import type { TableCatalog } from './table-lookup.ts'

export type EngineSettings = {
  /** Memory of one query (default 1024); past it a query spills to `tempDirectory`, or fails. */
  readonly memoryMaxMb?: number
  /** Threads of one query (default: all cores). */
  readonly threads?: number
  /** Rows of one result (default 1,000,000); the rest is cut off. */
  readonly rowsMax?: number
  /** Bytes of one result (default 1 GiB); a query with more fails. */
  readonly resultBytesMax?: number
  /** Where queries spill what does not fit in memory; no spilling when absent. */
  readonly tempDirectory?: string
  /** Where copies of remote files are kept; processes may share it (default: a folder in the system's temp directory). */
  readonly cacheDirectory?: string
  /** Bytes of those copies (default 10 GiB). */
  readonly cacheBytesMax?: number
  /** Bytes read beside what is needed of a remote file, where they save a request (default 64 KiB). */
  readonly cacheReadAheadBytes?: number
  /**
   * DuckDB's httpfs reads files in S3 itself when it loads from here: the file, a folder that has it, or one laid out as
   * DuckDB's `extension_directory`.
   */
  readonly duckdbExtensions?: string
  /** Time from a query's start to its last row (default 300,000). */
  readonly timeoutMs?: number
}

export type EngineComponents = {
  readonly catalog: TableCatalog
  readonly store: ObjectReader
  /** How `store` reaches its objects, for `duckdbExtensions`. */
  readonly storeSettings?: () => StoreSettings
  readonly clock: { now(): number }
  /** Decodes the manifests of large tables on other threads. */
  readonly decodeElsewhere?: DecodeElsewhere
}

/** `catalog`: the tables as the asker may see them, in place of the engine's own catalog. */
export type QueryOptions = {
  readonly signal?: AbortSignal
  readonly rowsMax?: number
  readonly resultBytesMax?: number
  /** Is called as the query goes on from stage to stage. */
  readonly onStage?: (stage: QueryStage) => void
  readonly catalog?: TableCatalog
}

/** Read-only SQL over the tables of a catalog. */
export interface Engine {
  /**
   * Runs one SELECT in DuckDB's dialect. `AT (VERSION => ...)` and `AT (TIMESTAMP => ...)` read older versions.
   * @throws FloeError invalid-input, not-found, permission-denied, unsupported, resource-exhausted, cancelled
   */
  query(sql: string, options?: QueryOptions): Promise<QueryResult>
  /** Resolves when `query` would accept the SQL: it parses, may run, and binds to tables and columns that exist. */
  checkSelect(sql: string, options?: Pick<QueryOptions, 'catalog'>): Promise<void>
  close(): Promise<void>
}

const memoryMaxMbDefault = 1024
const rowsMaxDefault = 1_000_000
const resultBytesMaxDefault = 1024 ** 3
const timeoutMsDefault = 300_000

/** Memory and threads of the session that parses and plans: it never holds a row. */
const planningLimits = { memoryMaxMb: 256, threads: 1 }

export async function openEngine(settings: EngineSettings, components: EngineComponents): Promise<Engine> {
  // DuckDB makes the last folder of a path alone, at the first query that spills.
  if (settings.tempDirectory !== undefined) await mkdir(settings.tempDirectory, { recursive: true })
  const planning = await openSession(planningLimits)
  await prepareForExplain(planning.connection)
  await planning.lock([])
  const engine = new DuckDBEngine(settings, components, planning)
  await engine.sweep()
  return engine
}

class DuckDBEngine implements Engine {
  readonly #settings: EngineSettings
  readonly #components: EngineComponents
  readonly #planning: DuckDBSession
  readonly #sessions: SessionPool
  readonly #files: FileCache
  readonly #direct: DirectAccess
  readonly #layouts = new LayoutCache()
  readonly #chunks = new ChunkCache()
  readonly #manifests = new ManifestCache()
  #closed = false

  constructor(settings: EngineSettings, components: EngineComponents, planning: DuckDBSession) {
    this.#settings = settings
    this.#components = components
    this.#planning = planning
    const { memoryMaxMb = memoryMaxMbDefault, threads = availableParallelism(), tempDirectory } = settings
    this.#sessions = new SessionPool({
      memoryMaxMb,
      threads,
      ...(tempDirectory === undefined ? {} : { tempDirectory }),
    })
    const directory = settings.cacheDirectory ?? join(tmpdir(), 'floe-cache')
    const bytesMax = settings.cacheBytesMax ?? cacheBytesMaxDefault
    const readAheadBytes = settings.cacheReadAheadBytes ?? readAheadBytesDefault
    this.#direct = new DirectAccess({
      extensions: settings.duckdbExtensions,
      storeSettings: components.storeSettings,
    })
    this.#files = new FileCache({ directory, bytesMax, readAheadBytes }, { ...components, uuid: randomUUID })
  }

  sweep(): Promise<void> {
    return this.#files.sweep()
  }

  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    this.#refuseWhenClosed()
    const deadline = new QueryDeadline(this.#settings.timeoutMs ?? timeoutMsDefault, options.signal)
    try {
      return await runQuery(sql, {
        ...this.#components,
        ...(options.catalog === undefined ? {} : { catalog: options.catalog }),
        planning: this.#planning,
        sessions: this.#sessions,
        files: this.#files,
        direct: this.#direct,
        endMs: this.#components.clock.now() + (this.#settings.timeoutMs ?? timeoutMsDefault),
        layouts: this.#layouts,
        chunks: this.#chunks,
        manifests: this.#manifests,
        bytesMax: options.resultBytesMax ?? this.#settings.resultBytesMax ?? resultBytesMaxDefault,
        timer: new QueryTimer(this.#components.clock, options.onStage),
        rowsMax: options.rowsMax ?? this.#settings.rowsMax ?? rowsMaxDefault,
        deadline,
      })
    } catch (error) {
      deadline.stop()
      throw error
    }
  }

  async checkSelect(sql: string, { catalog }: Pick<QueryOptions, 'catalog'> = {}): Promise<void> {
    this.#refuseWhenClosed()
    const { catalog: own, ...components } = this.#components
    await bindSelect(sql, { ...components, catalog: catalog ?? own, planning: this.#planning })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#sessions.close()
    this.#planning.close()
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new FloeError('cancelled', 'the engine is closed')
  }
}
