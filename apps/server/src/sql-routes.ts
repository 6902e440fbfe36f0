import { errorToData, stringifyJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { jsonOf, snapshotsOf } from '@floe/lakehouse'
import type { Lakehouse, QueryResult } from '@floe/lakehouse'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'
import { z } from 'zod'
import { askerOf } from './asker.ts'
import { errorBody, errorResponse } from './error-response.ts'
import { limitBody, readBody } from './read-body.ts'

/** Rows of a JSON answer; NDJSON has no such limit, since it streams. */
const jsonRowsMax = 10_000

export const sqlBody: z.ZodType<{ readonly sql: string; readonly rowsMax?: number | undefined }> =
  z.strictObject({ sql: z.string().min(1), rowsMax: z.number().int().positive().optional() })

/**
 * `POST /sql` with `{ "sql": "SELECT ..." }`: JSON with columns, the snapshots read, the pruning, rows, and whether
 * `rowsMax` cut rows off. With `Accept: application/x-ndjson` a line with the first three, then an array of values per
 * row; a failure on the way ends it with a line `{ "error": ... }`.
 */
export function sqlRoutes(lakehouse: Lakehouse): Hono {
  const routes = new Hono()
  routes.onError(errorResponse)
  routes.post('/sql', limitBody(), async (context) => {
    const { sql, rowsMax } = await readBody(context, sqlBody)
    const isStream = context.req.header('accept')?.includes('application/x-ndjson') === true
    const limit = isStream
      ? (rowsMax ?? Number.MAX_SAFE_INTEGER)
      : Math.min(rowsMax ?? jsonRowsMax, jsonRowsMax)
    const result = await lakehouse.query(sql, {
      signal: context.req.raw.signal,
      rowsMax: limit,
      asker: askerOf(context),
    })
    if (isStream) return streamAnswer(context, result)
    return context.body(await jsonAnswer(result), 200, { 'content-type': 'application/json' })
  })
  return routes
}

function streamAnswer(context: Context, result: QueryResult): Response {
  context.header('content-type', 'application/x-ndjson')
  return stream(context, async (output) => {
    try {
      await writeRows(output, result)
    } catch (error) {
      // The status is sent: this line is the only way to say that rows are missing.
      await output.write(`${stringifyJson(errorBody(errorToData(error)))}\n`)
    } finally {
      await result.close()
    }
  })
}

async function writeRows(output: StreamingApi, result: QueryResult): Promise<void> {
  await output.write(`${stringifyJson(headOf(result))}\n`)
  for await (const rows of result.rows()) {
    if (output.aborted) return
    await output.write(rows.map((row) => `${stringifyJson(row.map(jsonOf))}\n`).join(''))
  }
}

async function jsonAnswer(result: QueryResult): Promise<string> {
  try {
    const rows = []
    for await (const batch of result.rows()) rows.push(...batch.map((row) => row.map(jsonOf)))
    return stringifyJson({ ...headOf(result), rows, truncated: result.truncated() })
  } finally {
    await result.close()
  }
}

function headOf(result: QueryResult): JsonObject {
  return {
    columns: result.columns.map(({ name, type }) => ({ name, type })),
    snapshots: snapshotsOf(result.references),
    pruning: jsonOf(result.pruning),
  }
}
