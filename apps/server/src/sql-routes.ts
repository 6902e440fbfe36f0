import { stringifyJson } from '@floe/iceberg'
import { jsonOf, snapshotsOf } from '@floe/lakehouse'
import type { Lakehouse, QueryResult } from '@floe/lakehouse'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { stream } from 'hono/streaming'
import { z } from 'zod'
import { errorResponse } from './error-response.ts'
import { readBody } from './read-body.ts'

/** Bytes of a request body of `POST /sql` and `POST /ask`. */
export const bodyBytesMax: number = 1024 * 1024
/** Rows of a JSON answer; NDJSON has no such limit, since it streams. */
export const jsonRowsMax = 10_000

const sqlBody = z.strictObject({ sql: z.string().min(1), rowsMax: z.number().int().positive().optional() })

/**
 * `POST /sql` with `{ "sql": "SELECT ..." }`: JSON with columns, rows, the snapshots read and the pruning; with
 * `Accept: application/x-ndjson` a line of columns and snapshots, then one line an array of values per row.
 */
export function sqlRoutes(lakehouse: Lakehouse): Hono {
  const routes = new Hono()
  routes.onError(errorResponse)
  routes.post('/sql', bodyLimit({ maxSize: bodyBytesMax }), async (context) => {
    const { sql, rowsMax } = await readBody(context, sqlBody)
    const { signal } = context.req.raw
    const isStream = context.req.header('accept')?.includes('application/x-ndjson') === true
    const limit = isStream ? rowsMax : Math.min(rowsMax ?? jsonRowsMax, jsonRowsMax)
    const result = await lakehouse.query(sql, { signal, ...(limit === undefined ? {} : { rowsMax: limit }) })
    if (!isStream) return context.body(await jsonAnswer(result), 200, { 'content-type': 'application/json' })
    context.header('content-type', 'application/x-ndjson')
    return stream(context, async (output) => {
      try {
        await output.write(`${stringifyJson(head(result))}\n`)
        for await (const rows of result.rows()) {
          await output.write(rows.map((row) => `${stringifyJson(row.map(jsonOf))}\n`).join(''))
        }
      } finally {
        await result.close()
      }
    })
  })
  return routes
}

async function jsonAnswer(result: QueryResult): Promise<string> {
  try {
    const rows = []
    for await (const batch of result.rows()) rows.push(...batch.map((row) => row.map(jsonOf)))
    return stringifyJson({ ...head(result), rows })
  } finally {
    await result.close()
  }
}

function head(result: QueryResult): {
  columns: { name: string; type: string }[]
  snapshots: ReturnType<typeof snapshotsOf>
} {
  return {
    columns: result.columns.map(({ name, type }) => ({ name, type })),
    snapshots: snapshotsOf(result.references),
  }
}
