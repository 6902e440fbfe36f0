import { FloeError, parseJson, stringifyJson } from '@floe/iceberg'
import type { ErrorCode, JsonObject, JsonValue } from '@floe/iceberg'
import { networkError, responseError, unknownOutcome } from './rest-error.ts'
import type { RequestEffect } from './rest-error.ts'

export type RestRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Below `/v1`, already percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: JsonObject
  readonly effect: RequestEffect
  /** What a 409 without a known `type` means. */
  readonly conflict?: ErrorCode
  /** Sent as `Idempotency-Key`. */
  readonly key?: string | undefined
}

export type RestTransportSettings = {
  /** Of the catalog, without `/v1`. */
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
  /** How long one request may take, answer included. */
  readonly requestTimeoutMs: number
}

/** One HTTP exchange with a catalog: the JSON of a 2xx answer (`undefined` for an empty one), or a `FloeError`. */
export type RestTransport = (request: RestRequest) => Promise<JsonValue | undefined>

export function restTransport(settings: RestTransportSettings, fetchResponse: typeof fetch): RestTransport {
  const root = `${settings.uri.replace(/\/+$/, '')}/v1`
  return async (request) => {
    const name = `${request.method} ${root}${request.path}`
    const body = request.body === undefined ? undefined : stringifyJson(request.body)
    const init: RequestInit = {
      method: request.method,
      headers: requestHeaders(settings.headers, body, request.key),
      signal: AbortSignal.timeout(settings.requestTimeoutMs),
      ...(body === undefined ? {} : { body }),
    }
    let response: Response
    let text: string
    try {
      response = await fetchResponse(`${root}${request.path}${queryString(request.query)}`, init)
      text = await response.text()
    } catch (error) {
      throw networkError(error, name, request.effect)
    }
    if (response.ok) return readAnswer(text, name, request.effect)
    throw responseError(response.status, readErrorBody(text), name, request)
  }
}

function requestHeaders(
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  key: string | undefined,
): Headers {
  const all = new Headers(headers)
  if (key !== undefined) all.set('idempotency-key', key)
  all.set('accept', 'application/json')
  if (body !== undefined) all.set('content-type', 'application/json')
  return all
}

function queryString(query: RestRequest['query']): string {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(key, value)
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

function readAnswer(text: string, request: string, effect: RequestEffect): JsonValue | undefined {
  if (text === '') return undefined
  try {
    return parseJson(text)
  } catch (error) {
    const message = `${request} answered what is not JSON`
    // The catalog has said yes: whatever it did, stands.
    if (effect !== 'read') throw unknownOutcome(message, error)
    throw new FloeError('corrupt-data', message, {
      hint: 'check that the uri is that of an Iceberg REST catalog',
      cause: error,
    })
  }
}

/** Proxies answer with HTML, or nothing. */
function readErrorBody(text: string): JsonValue | undefined {
  try {
    return text === '' ? undefined : parseJson(text)
  } catch {
    return undefined
  }
}
