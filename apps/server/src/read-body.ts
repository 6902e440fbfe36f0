import { FloeError, parseJson } from '@floe/iceberg'
import { requestText } from '@floe/lakehouse/serving'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { errorBody } from './error-response.ts'

/** Bytes of a request body of `POST /sql` and `POST /ask`. */
const bodyBytesMax: number = 1024 * 1024

/** Answers 413 to bodies beyond `bodyBytesMax`. */
export function limitBody(): MiddlewareHandler {
  return bodyLimit({
    maxSize: bodyBytesMax,
    onError: (context) => {
      const message = `the request body has more than ${bodyBytesMax} bytes`
      // What is left of the body stays unread: the connection cannot serve another request.
      context.header('connection', 'close')
      return context.json(errorBody({ code: 'invalid-input', message, hint: 'send a shorter one' }), 413)
    },
  })
}

/** A JSON body that fits `schema`, or `invalid-input` that says where it does not. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(parseJson(await requestText(context)))
  if (parsed.success) return parsed.data
  throw new FloeError('invalid-input', `request body: ${z.prettifyError(parsed.error)}`, {
    hint: 'send a JSON object with the members that the route takes',
  })
}
