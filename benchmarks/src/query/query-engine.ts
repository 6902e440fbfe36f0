import { stringifyJson } from '@floe/iceberg'
import { defaultWorkers, jsonOf } from '@floe/lakehouse'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { AnswerRows } from './answers.ts'
import { openLakehouse } from './query-lake.ts'
import type { TableFiles } from './query-lake.ts'

export const queryVariants = ['floe', 'bare', 'iceberg'] as const
export type QueryVariant = (typeof queryVariants)[number]

export type QueryEngineSettings = {
  readonly variant: QueryVariant
  /** Folder of the lakehouse. */
  readonly folder: string
  readonly tables: readonly TableFiles[]
  /** DuckDB extensions by file, for `iceberg`. */
  readonly extensions: readonly string[]
}

export type QueryRequest = {
  readonly sql: string
  /** Ends at the first rows. */
  readonly firstRows?: boolean
}

export type QueryMeasure = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rows: AnswerRows
}

/** Runs one query, and measures it from the SQL to its last row, or its first ones. */
export type QueryEngine = { measure(request: QueryRequest): Promise<QueryMeasure>; close(): Promise<void> }

export function openQueryEngine(settings: QueryEngineSettings): QueryEngine {
  return settings.variant === 'floe' ? floeEngine(settings) : duckdbEngine(settings)
}

function floeEngine({ folder }: QueryEngineSettings): QueryEngine {
  const lakehouse = openLakehouse(folder, defaultWorkers())
  return {
    async measure({ sql, firstRows }) {
      const clock = startClock()
      const result = await lakehouse.query(sql, { rowsMax: Number.MAX_SAFE_INTEGER })
      try {
        const rows: (readonly unknown[])[] = []
        for await (const batch of result.rows()) {
          if (firstRows === true) return { ...clock(), rows: [] }
          rows.push(...batch)
        }
        const measured = clock()
        return { ...measured, rows: rows.map((row) => row.map((value) => textOf(jsonOf(value)))) }
      } finally {
        await result.close()
      }
    },
    close: () => lakehouse.close(),
  }
}

/** As Floe's engine has them by default. */
const memoryLimit = '1024MiB'

/**
 * DuckDB alone over the same files: each query in a fresh instance with the same memory and threads, since Floe gives
 * it one too. What a user does once (opening it, loading extensions, making views) is not measured.
 */
function duckdbEngine(settings: QueryEngineSettings): QueryEngine {
  return {
    async measure({ sql, firstRows }) {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: memoryLimit,
        threads: String(defaultWorkers()),
        autoload_known_extensions: 'false',
      })
      try {
        const connection = await instance.connect()
        await createViews(connection, settings)
        const clock = startClock()
        const result = await connection.stream(sql)
        const rows: AnswerRows[number][] = []
        for (;;) {
          const chunk = await result.fetchChunk()
          if (chunk === null || chunk.rowCount === 0) break
          const values = chunk.getRows()
          if (firstRows === true) return { ...clock(), rows: [] }
          for (const row of values) rows.push(row.map((value) => (value === null ? null : String(value))))
        }
        return { ...clock(), rows }
      } finally {
        instance.closeSync()
      }
    },
    close: async () => {},
  }
}

async function createViews(
  connection: DuckDBConnection,
  { variant, tables, extensions }: QueryEngineSettings,
): Promise<void> {
  for (const extension of extensions) await connection.run(`LOAD '${extension}'`)
  for (const { name, metadataFile, dataFiles } of tables) {
    const files = `[${dataFiles.map((file) => `'${file}'`).join(', ')}]`
    const from = variant === 'bare' ? `read_parquet(${files})` : `iceberg_scan('${metadataFile}')`
    await connection.run(`CREATE VIEW ${name} AS SELECT * FROM ${from}`)
  }
}

function startClock(): () => { readonly seconds: number; readonly cpuSeconds: number } {
  const cpuStarted = process.cpuUsage()
  const started = performance.now()
  return () => {
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(cpuStarted)
    return { seconds, cpuSeconds: (user + system) / 1_000_000 }
  }
}

function textOf(value: ReturnType<typeof jsonOf>): string | null {
  if (value === null) return null
  return typeof value === 'string' ? value : stringifyJson(value)
}
