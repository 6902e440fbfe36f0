import { Agent, createServer, request as openRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export type S3Operation =
  | 'GetObject'
  | 'HeadObject'
  | 'PutObject'
  | 'DeleteObjects'
  | 'ListObjectsV2'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'

export type S3Call = { readonly operation: S3Operation; readonly key: string }

/** What befalls one request on its way. */
export type S3Fault =
  /** The answer of a server that has done nothing. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** The server has done what was asked, and its answer says that it has failed. */
  | { readonly kind: 'deny'; readonly status: number; readonly code: string }
  /** The connection is reset in the middle of the request's body. */
  | { readonly kind: 'cut-request' }
  /** The server has done what was asked, and the connection is reset before its answer. */
  | { readonly kind: 'lose-answer' }
  /** The connection is reset in the middle of the answer's body. */
  | { readonly kind: 'cut-answer' }
  | { readonly kind: 'delay'; readonly ms: number }

export type S3FaultProxy = AsyncDisposable & {
  readonly endpoint: string
  /** Asked for every request; `undefined` lets it pass. */
  fault: (call: S3Call) => S3Fault | undefined
}

/**
 * Passes requests on to an S3 server and back, but for those that meet a fault. Signatures stay good, since the host
 * that was signed is passed on as it is.
 */
export async function startS3FaultProxy(target: string): Promise<S3FaultProxy> {
  const agent = new Agent({ keepAlive: true })
  const passing: S3FaultProxy['fault'] = () => undefined
  const state = { fault: passing }
  const server = createServer((request, response) => {
    const { socket } = request
    // When one end has gone, so goes the other.
    serve(request, response, { target, agent, fault: state.fault(callOf(request)) }).catch(() =>
      socket.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    agent.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(state, { endpoint, [Symbol.asyncDispose]: stop })
}

type Passage = { readonly target: string; readonly agent: Agent; readonly fault: S3Fault | undefined }

async function serve(request: IncomingMessage, response: ServerResponse, passage: Passage): Promise<void> {
  const { fault } = passage
  const { socket } = request
  if (fault?.kind === 'cut-request') return cutRequest(request, passage)
  const body = await readAll(request)
  if (fault?.kind === 'refuse') return sendError(response, fault)
  if (fault?.kind === 'delay') await delay(fault.ms)
  const upstream = forward(request, passage)
  upstream.end(body)
  const answer = await answerOf(upstream)
  const answerBody = await readAll(answer)
  if (fault?.kind === 'deny') return sendError(response, fault)
  if (fault?.kind === 'lose-answer') return void socket.resetAndDestroy()
  response.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
  if (fault?.kind !== 'cut-answer') return void response.end(answerBody)
  response.write(answerBody.subarray(0, answerBody.length / 2), () => socket.resetAndDestroy())
}

/** About half of the body has reached the server when the connection goes. */
async function cutRequest(request: IncomingMessage, passage: Passage): Promise<void> {
  const { socket } = request
  const upstream = forward(request, passage)
  upstream.on('error', () => {})
  let left = Number(request.headers['content-length'] ?? 0) / 2
  for await (const chunk of request) {
    const bytes = (chunk as Buffer).subarray(0, Math.ceil(left))
    await new Promise((resolve) => upstream.write(bytes, resolve))
    left -= bytes.length
    if (left <= 0) break
  }
  upstream.destroy()
  socket.resetAndDestroy()
}

function forward(request: IncomingMessage, { target, agent }: Passage): ClientRequest {
  const headers = Object.entries(request.headers).filter(([name]) => name !== 'expect')
  return openRequest(`${target}${request.url ?? '/'}`, {
    agent,
    method: request.method ?? 'GET',
    headers: Object.fromEntries(headers),
  })
}

function answerOf(upstream: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve)
    upstream.once('error', reject)
  })
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function sendError(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as planned</Message></Error>`
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body)
}

function callOf({ method = '', url = '/' }: IncomingMessage): S3Call {
  const { pathname, searchParams } = new URL(url, 'http://host')
  const [, , ...segments] = pathname.split('/')
  const key = decodeURIComponent(segments.join('/'))
  return { operation: operationOf(method, key, searchParams), key }
}

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation {
  if (query.has('uploads')) return method === 'GET' ? 'ListMultipartUploads' : 'CreateMultipartUpload'
  if (query.has('partNumber')) return 'UploadPart'
  if (query.has('uploadId')) return method === 'DELETE' ? 'AbortMultipartUpload' : 'CompleteMultipartUpload'
  if (query.has('delete')) return 'DeleteObjects'
  if (key === '') return 'ListObjectsV2'
  return method === 'PUT' ? 'PutObject' : method === 'HEAD' ? 'HeadObject' : 'GetObject'
}
