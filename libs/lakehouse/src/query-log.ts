import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import { FloeError, stringifyJson, toFloeError } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import type { QueryResult } from '@floe/engine'

/** Bytes of a log; past them it becomes `<name>.1`, in the place of the one before. */
const logBytesMax = 256 * 1024 * 1024

/** Characters that are kept of the text of a query. */
const sqlCharactersMax = 100_000

/** One query from outside, once it has ended. */
export type QueryLogEntry = {
  readonly startedAtMs: number
  readonly ms: number
  readonly principal: string
  readonly sql: string
  readonly references: QueryResult['references']
  readonly rows: number
  /** `ok`, `unread` when its reader left before the end, or the code of the error. */
  readonly outcome: string
}

/** Who asked what of which snapshots: a line of JSON for each query, in a file that processes may share. */
export class QueryLog {
  readonly #file: string
  readonly #bytesMax: number

  constructor(file: string, bytesMax: number = logBytesMax) {
    this.#file = file
    this.#bytesMax = bytesMax
  }

  /** @throws FloeError unavailable: a query that cannot be logged is not to be run */
  async prepare(): Promise<void> {
    await this.#guard(async () => {
      await mkdir(path.dirname(this.#file), { recursive: true })
      await appendFile(this.#file, '', { mode: 0o600 })
      const { size } = await stat(this.#file)
      if (size >= this.#bytesMax) await rename(this.#file, `${this.#file}.1`)
    })
  }

  /** @throws FloeError unavailable */
  async write(entry: QueryLogEntry): Promise<void> {
    // One write in append mode: lines of several processes do not mix.
    await this.#guard(() => appendFile(this.#file, `${stringifyJson(lineOf(entry))}\n`, { mode: 0o600 }))
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      throw new FloeError('unavailable', `the query log ${this.#file} cannot be written`, {
        hint: 'make room, or name another file with FLOE_QUERY_LOG',
        cause: toFloeError(error),
      })
    }
  }
}

function lineOf({ startedAtMs, ms, principal, sql, references, rows, outcome }: QueryLogEntry): JsonObject {
  return {
    time: new Date(startedAtMs).toISOString(),
    principal,
    outcome,
    ms: Math.round(ms),
    rows,
    snapshots: references.map(({ table, snapshotId, ref }) => ({
      table,
      'snapshot-id': snapshotId ?? null,
      ...(ref === undefined ? {} : { ref }),
    })),
    sql: sql.slice(0, sqlCharactersMax),
  }
}
