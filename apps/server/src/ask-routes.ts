import { stringifyJson } from '@floe/iceberg'
import { answerToJson } from '@floe/lakehouse'
import type { Lakehouse } from '@floe/lakehouse'
import { Hono } from 'hono'
import { z } from 'zod'
import { askerOf } from './asker.ts'
import { errorResponse } from './error-response.ts'
import { limitBody, readBody } from './read-body.ts'

export const askBody: z.ZodType<{ readonly question: string }> = z.strictObject({
  question: z.string().min(1),
})

/** `POST /ask` with `{ "question": "..." }`: the answer with its SQL, rows and the snapshots that it read. */
export function askRoutes(lakehouse: Lakehouse): Hono {
  const routes = new Hono()
  routes.onError(errorResponse)
  routes.post('/ask', limitBody(), async (context) => {
    const { question } = await readBody(context, askBody)
    const answer = await lakehouse.ask(question, { signal: context.req.raw.signal, asker: askerOf(context) })
    return context.body(stringifyJson(answerToJson(answer)), 200, { 'content-type': 'application/json' })
  })
  return routes
}
