import type { DuckDBDataChunk } from '@duckdb/node-api'

import { toEngineError } from './duckdb-error.ts'
import type { ResultSettings } from './query-result.ts'

/** The first `rows` rows of a chunk belong to the result. */
export type ResultChunk = { readonly chunk: DuckDBDataChunk; readonly rows: number }

/** The chunks of a running query, as far as its limits go. Frees the query when they end. */
export class ResultChunks {
  readonly #settings: ResultSettings
  #closing: Promise<void> | undefined
  #fetching: Promise<unknown> | undefined
  /** Rows that were handed out. */
  rows = 0
  truncated = false

  constructor(settings: ResultSettings) {
    this.#settings = settings
  }

  async *read(): AsyncGenerator<ResultChunk> {
    const { rowsMax, timer } = this.#settings
    try {
      for (;;) {
        const next = this.#fetch()
        this.#fetching = next
        const chunk = await next.finally(() => (this.#fetching = undefined))
        timer.begin('rows')
        if (chunk === undefined) return
        const rows = Math.min(chunk.rowCount, rowsMax - this.rows)
        this.rows += rows
        this.truncated = rows < chunk.rowCount
        if (rows > 0) yield { chunk, rows }
        if (this.truncated) return
      }
    } finally {
      timer.begin('end')
      await this.close()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#endFetch().then(this.#settings.free)
    return this.#closing
  }

  /** A session must not be closed under a running fetch. */
  async #endFetch(): Promise<void> {
    if (this.#fetching === undefined) return
    const stop = this.#settings.interrupt()
    await this.#fetching.catch(() => undefined).finally(stop)
  }

  async #fetch(): Promise<DuckDBDataChunk | undefined> {
    const { result, deadline, assertEnded } = this.#settings
    try {
      deadline.check()
      const chunk = await deadline.guard(result.fetchChunk())
      if (chunk !== null && chunk.rowCount > 0) return chunk
      await assertEnded()
      return undefined
    } catch (error) {
      throw toEngineError(error)
    }
  }
}
