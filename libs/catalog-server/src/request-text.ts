import type { Context } from 'hono'
import { FloeError } from '@floe/iceberg'

/** What `fetch` says of a string; a client that says nothing means JSON too. */
const jsonTypes = /^(?:application\/(?:[\w.-]+\+)?json|text\/plain)\s*(?:;|$)/i

/**
 * The body of a request that carries JSON, as text.
 * @throws FloeError invalid-input when it is said to be something else or compressed, or is not UTF-8
 */
export async function requestText(context: Context): Promise<string> {
  const type = context.req.header('content-type')
  if (type !== undefined && !jsonTypes.test(type)) {
    throw new FloeError('invalid-input', `a request body of type ${type} is not taken`, {
      hint: 'send JSON with content-type: application/json',
    })
  }
  const encoding = context.req.header('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new FloeError('invalid-input', `a request body with content-encoding ${encoding} is not taken`, {
      hint: 'send it uncompressed',
    })
  }
  const bytes = await context.req.arrayBuffer()
  try {
    // Replaced by U+FFFD, two names would become one.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new FloeError('invalid-input', 'the request body is not UTF-8', {
      hint: 'encode it as UTF-8',
      cause,
    })
  }
}
