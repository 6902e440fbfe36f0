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

/** Bytes of the values of a JSON answer, which is in memory as a whole. */
const jsonBytesMax = 64 * 1024 * 1024

const arrowType = 'application/vnd.apache.arrow.stream'
const ndjsonType = 'application/x-ndjson'

/**
 * `POST /sql` with `{ "sql": "SELECT ..." }`: JSON with columns, the snapshots read, the pruning, rows, and whether
 * `rowsMax` cut rows off. With `Accept: application/x-ndjson` a line with the first three, then an array of values per
 * row; a failure on the way ends it with a line `{ "error": ... }`. With `Accept: application/vnd.apache.arrow.stream`
 * an Arrow IPC stream, whose schema has snapshots and pruning in its metadata; a failure on the way breaks it off.
 */
export function sqlRoutes(lakehouse: Lakehouse): Hono {
  const routes = new Hono()
  routes.onError(errorResponse)
  routes.post('/sql', limitBody(), async (context) => {
    const { sql, rowsMax } = await readBody(context, sqlBody)
    const accepted = context.req.header('accept') ?? ''
    const form = [arrowType, ndjsonType].find((type) => accepted.includes(type))
    const limits =
      form === undefined
        ? { rowsMax: Math.min(rowsMax ?? jsonRowsMax, jsonRowsMax), resultBytesMax: jsonBytesMax }
        : { rowsMax: rowsMax ?? Number.MAX_SAFE_INTEGER }
    const options = { signal: context.req.raw.signal, asker: askerOf(context) }
    const result = await lakehouse.query(sql, { ...options, ...limits })
    if (form === arrowType) return arrowAnswer(context, result)
    if (form === ndjsonType) return streamAnswer(context, result)
    return context.body(await jsonAnswer(result), 200, { 'content-type': 'application/json' })
  })
  return routes
}

/** Read as fast as the client takes it; an error breaks the connection off, since an Arrow stream has no place for one. */
function arrowAnswer(context: Context, result: QueryResult): Response {
  const { snapshots, pruning } = headOf(result)
  const metadata = new Map([
    ['floe.snapshots', stringifyJson(snapshots ?? null)],
    ['floe.pruning', stringifyJson(pruning ?? null)],
  ])
  const body = ReadableStream.from(result.arrow(metadata))
  return context.body(body as ReadableStream<Uint8Array<ArrayBuffer>>, 200, { 'content-type': arrowType })
}

function streamAnswer(context: Context, result: QueryResult): Response {
  context.header('content-type', ndjsonType)
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
