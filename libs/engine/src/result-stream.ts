import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api'
import { FloeError } from '@floe/iceberg'

import { toEngineError } from './duckdb-error.ts'
import type { QueryDeadline } from './query-deadline.ts'

/**
 * Runs a query whose rows come as they are fetched, in a transaction of its own: the binding answers a failure in the
 * middle of a stream with an empty chunk, as it does the end, and the transaction's state is what tells the two apart.
 */
export async function startStream(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  await connection.run('BEGIN TRANSACTION')
  return connection.stream(sql)
}

/**
 * To be called once a stream has come to its end.
 * @throws what broke the query, when it was no end
 */
export async function assertStreamEnded(
  connection: DuckDBConnection,
  sql: string,
  deadline: QueryDeadline,
): Promise<void> {
  const isAborted = await connection.run('SELECT 1').then(
    () => false,
    () => true,
  )
  if (!isAborted) return
  deadline.check()
  await connection.run('ROLLBACK')
  // The binding keeps the reason to itself: run to its end without streaming, the same query throws it.
  await deadline.guard(connection.run(sql)).catch((error: unknown) => {
    throw toEngineError(error)
  })
  throw new FloeError(
    'internal',
    'the query failed in the middle of its rows, and not when it was run again',
    {
      hint: 'run it again; the rows that came are incomplete',
    },
  )
}
