import { Agent, request } from 'node:http'
import { parseJson, stringifyJson } from '@floe/iceberg'
import type { JsonObject, JsonValue } from '@floe/iceberg'
import type { Outcome } from './operation.ts'

export type Answer = {
  /** `lost`: the connection broke after the request was on its way. `unsent`: there was no connection at all. */
  readonly status: number | 'lost' | 'unsent'
  readonly body: JsonObject
}

export type RestRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** After `/v1`. */
  readonly path: string
  readonly body?: JsonObject
  readonly key?: string
}

export type RestClient = {
  /** Never throws: what goes wrong is in the status. */
  send(request: RestRequest): Promise<Answer>
  close(): void
}

/** The REST protocol over connections that are kept, to servers that may be killed at any moment. */
export function openRestClient(port: () => number): RestClient {
  const agent = new Agent({ keepAlive: true })
  return {
    send: (asked) => new Promise((resolve) => sendOnce(agent, port(), asked, resolve)),
    close: () => agent.destroy(),
  }
}

function sendOnce(
  agent: Agent,
  port: number,
  { method, path, body, key }: RestRequest,
  settle: (answer: Answer) => void,
): void {
  const text = body === undefined ? undefined : stringifyJson(body)
  const headers = {
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  }
  const sent = request(
    { agent, host: '127.0.0.1', port, path: `/v1${path}`, method, headers },
    (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => settle({ status: 'lost', body: {} }))
      response.on('aborted', () => settle({ status: 'lost', body: {} }))
      response.on('end', () => {
        const read = Buffer.concat(chunks).toString('utf8')
        settle({ status: response.statusCode ?? 0, body: read === '' ? {} : asObject(parseJson(read)) })
      })
    },
  )
  sent.on('error', (error: NodeJS.ErrnoException) =>
    settle({ status: error.code === 'ECONNREFUSED' ? 'unsent' : 'lost', body: {} }),
  )
  sent.end(text)
}

/** What a status says about a change. 503 promises that nothing has happened; other server errors promise nothing. */
export function outcomeOf({ status }: Answer): Outcome {
  if (status === 'unsent' || status === 503) return 'refused'
  if (status === 'lost' || status >= 500) return 'unknown'
  return status < 300 ? 'acknowledged' : 'refused'
}

/** Whether the same request may get another answer: the server was not there, or could not tell. */
export function isWorthRepeating({ status }: Answer): boolean {
  return typeof status === 'string' || status >= 500
}

export function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

export function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : []
}

export function asLong(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' ? BigInt(value) : undefined
}

export function asText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
