import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { HttpBindings } from '@hono/node-server'
import { FloeError } from '@floe/iceberg'
import { errorBody } from './error-response.ts'
import type { ServerLimits } from './server-limits.ts'

export type ListenSettings = {
  readonly port: number
  readonly host: string
  readonly limits: ServerLimits
}

export type Listening = { readonly url: string; close(): Promise<void> }

type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>

/** How often connections are looked at that are slower than the limits allow. */
const slowCheckMs = 1000

/** Answers HTTP/1.1. @throws `unavailable` when the port is taken */
export async function listen(fetch: Fetch, { port, host, limits }: ListenSettings): Promise<Listening> {
  const answer = getRequestListener((request, bindings) => fetch(request, bindings as HttpBindings), {
    errorHandler: answerUnreadable,
  })
  const options = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMsMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.idleMsMax,
    connectionsCheckingInterval: slowCheckMs,
  }
  const server = createServer(options, (incoming, outgoing) => void answer(incoming, outgoing))
  server.on('clientError', answerClientError)
  server.listen(port, host)
  const address = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = 'choose another with --port, or stop the process that holds it'
      reject(
        new FloeError('unavailable', `cannot listen on ${host}:${port}`, { hint, cause, retryable: false }),
      )
    })
    server.once('listening', () => resolve(server.address() as AddressInfo))
  })
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${address.port}`, close: () => closeServer(server, limits) }
}

async function closeServer(server: Server, { stopDelayMs, drainMsMax }: ServerLimits): Promise<void> {
  if (stopDelayMs > 0) await delay(stopDelayMs)
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  const drain = setTimeout(() => server.closeAllConnections(), drainMsMax)
  await closed
  clearTimeout(drain)
}

const statuses: Readonly<Record<string, { readonly line: string; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    line: '431 Request Header Fields Too Large',
    message: 'the request line and headers are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { line: '408 Request Timeout', message: 'the request did not arrive in time' },
}
const malformed = { line: '400 Bad Request', message: 'the request is not well-formed HTTP/1.1' }

/** A target or host that makes no URL: the request reaches no route. Anything else is thrown before a route, too. */
function answerUnreadable(error: unknown): Response {
  const isRequest = error instanceof RequestError
  const data = isRequest
    ? { code: 'invalid-input' as const, message: 'the request has no valid target or host' }
    : { code: 'internal' as const, message: 'the server failed unexpectedly' }
  return Response.json(errorBody(data), { status: isRequest ? 400 : 500 })
}

/** What the HTTP parser refuses never becomes a request: it is answered on the socket. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { line, message } = statuses[error.code ?? ''] ?? malformed
  const hint = 'send one request after the other, each with its length'
  const body = JSON.stringify(errorBody({ code: 'invalid-input', message, hint }))
  const headers = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`
  socket.end(`HTTP/1.1 ${line}\r\n${headers}\r\n\r\n${body}`)
}
