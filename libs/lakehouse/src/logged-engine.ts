import type { Engine, QueryOptions, QueryResult } from '@floe/engine'
import { toFloeError } from '@floe/iceberg'
import type { QueryLog } from './query-log.ts'

type Components = { readonly log: QueryLog; readonly clock: { now(): number } }

/** An engine whose queries are logged under one name, whatever comes of them. */
export function loggedEngine(engine: Engine, principal: string, { log, clock }: Components): Engine {
  async function query(sql: string, options?: QueryOptions): Promise<QueryResult> {
    const startedAtMs = clock.now()
    let written: Promise<void> | undefined
    const end = (outcome: string, references: QueryResult['references'], rows: number): Promise<void> =>
      (written ??= log.write({
        startedAtMs,
        ms: clock.now() - startedAtMs,
        principal,
        sql,
        references,
        rows,
        outcome,
      }))
    await log.prepare()
    try {
      return loggedResult(await engine.query(sql, options), end)
    } catch (error) {
      await end(toFloeError(error).code, [], 0)
      throw error
    }
  }
  return {
    query,
    checkSelect: (sql, options) => engine.checkSelect(sql, options),
    close: () => engine.close(),
  }
}

type End = (outcome: string, references: QueryResult['references'], rows: number) => Promise<void>

function loggedResult(result: QueryResult, end: End): QueryResult {
  const { references } = result
  const ended = (outcome: string): Promise<void> => end(outcome, references, result.profile().rows)
  async function* logged<Part>(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
    try {
      yield* parts
    } catch (error) {
      await ended(toFloeError(error).code)
      throw error
    }
    await ended('ok')
  }
  return {
    ...result,
    rows: () => logged(result.rows()),
    arrow: (metadata) => logged(result.arrow(metadata)),
    close: async () => {
      await result.close()
      await ended('unread')
    },
  }
}
