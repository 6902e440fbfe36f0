import { FloeError, parseJson, stringifyJson } from '@floe/iceberg'
import type { ErrorCode, JsonObject, JsonValue } from '@floe/iceberg'
import type { AuthHeaders, RestAuth } from './rest-auth.ts'
import { hasErrorModel, networkError, responseError, unknownOutcome, wasNeverSent } from './rest-error.ts'
import type { RequestEffect } from './rest-error.ts'
import { isSafeToRepeat, retryDelayMs } from './rest-retry.ts'
import type { FailedExchange } from './rest-retry.ts'

export type RestRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Below `/v1`, already percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: JsonObject
  readonly effect: RequestEffect
  /** What a 409 without a known `type` means. */
  readonly conflict?: ErrorCode
  /** Sent as `Idempotency-Key`. */
  readonly key?: string | undefined
  /** The catalog answers for the key: what is sent again with it happens once. */
  readonly isKeyHonoured?: boolean
}

export type RestAnswer = {
  readonly status: number
  /** `undefined` for an empty one. */
  readonly body: JsonValue | undefined
  readonly etag: string | undefined
}

export type RestTransportSettings = {
  /** Of the catalog, without `/v1`. */
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
  /** How long one request may take, answer included. */
  readonly requestTimeoutMs: number
  /** Times that a request which may be sent again is sent, the first one included. */
  readonly attemptsMax: number
}

export type RestTransportComponents = {
  readonly auth: RestAuth
  readonly fetch: typeof fetch
  readonly sleep: (ms: number) => Promise<unknown>
  /** From 0 to 1: spreads out clients that were refused at one time. */
  readonly random: () => number
}

/** One request to a catalog, sent again where that is safe: its 2xx or 304 answer, or a `FloeError`. */
export type RestTransport = (request: RestRequest) => Promise<RestAnswer>

type Exchange =
  | { readonly kind: 'answer'; readonly answer: RestAnswer }
  | (FailedExchange & { readonly kind: 'failed'; readonly error: FloeError })

export function restTransport(
  settings: RestTransportSettings,
  components: RestTransportComponents,
): RestTransport {
  const root = `${settings.uri.replace(/\/+$/, '')}/v1`
  return async (request) => {
    let isInDoubt = false
    for (let attempt = 1; ; attempt++) {
      const exchange = await exchangeOnce(root, request, settings, components)
      if (exchange.kind === 'answer') return exchange.answer
      const { error } = exchange
      const isLast = attempt >= settings.attemptsMax || !isSafeToRepeat(request, exchange)
      // A 409 after an attempt that nobody knows the outcome of may be about that attempt's own success.
      if (isLast) throw isInDoubt && request.effect === 'commit' ? inDoubt(error) : error
      isInDoubt ||= error.code === 'commit-state-unknown'
      await components.sleep(retryDelayMs(attempt, exchange.retryAfterMs, components.random()))
    }
  }
}

function inDoubt(error: FloeError): FloeError {
  return error.code === 'commit-state-unknown' ? error : unknownOutcome(error.message, error)
}

/** One send, or two when the catalog wants another token. */
async function exchangeOnce(
  root: string,
  request: RestRequest,
  settings: RestTransportSettings,
  components: RestTransportComponents,
): Promise<Exchange> {
  const url = new URL(`${root}${request.path}${queryString(request.query)}`)
  const body = request.body === undefined ? undefined : stringifyJson(request.body)
  const headers = requestHeaders(settings.headers, body, request)
  const { auth } = components
  const outgoing = { method: request.method, url, headers, body }
  const first = await auth.authorize(outgoing)
  const response = await sendOnce(outgoing, first, root, request, settings, components)
  if (response.kind === 'failed' && isTokenRefused(response.status) && (await auth.renew(first))) {
    const second = await auth.authorize(outgoing)
    return sendOnce(outgoing, second, root, request, settings, components)
  }
  return response
}

// 419: the spec's own status for a token that has run out.
function isTokenRefused(status: number | undefined): boolean {
  return status === 401 || status === 419
}

async function sendOnce(
  { url, headers, body }: { url: URL; headers: Readonly<Record<string, string>>; body: string | undefined },
  auth: AuthHeaders,
  root: string,
  request: RestRequest,
  settings: RestTransportSettings,
  components: RestTransportComponents,
): Promise<Exchange> {
  const name = `${request.method} ${root}${request.path}`
  const { fetch: fetchResponse } = components
  let response: Response
  let text: string
  try {
    response = await fetchResponse(url.href, {
      method: request.method,
      headers: { ...headers, ...auth },
      signal: AbortSignal.timeout(settings.requestTimeoutMs),
      ...(body === undefined ? {} : { body }),
    })
    text = await response.text()
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError'
    const network = wasNeverSent(error) ? 'never-sent' : isTimeout ? 'timed-out' : 'broken'
    return { kind: 'failed', error: networkError(error, name, request.effect), network }
  }
  const { status } = response
  if (response.ok || status === 304) {
    const etag = response.headers.get('etag') ?? undefined
    return { kind: 'answer', answer: { status, etag, body: readAnswer(text, name, request.effect) } }
  }
  const errorBody = readErrorBody(text)
  const retryAfterMs = readRetryAfterMs(response.headers.get('retry-after'))
  return {
    kind: 'failed',
    error: responseError(status, errorBody, name, request),
    status,
    isFromCatalog: hasErrorModel(errorBody),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** Names in lower case, so that one that comes from several sides is sent once. */
function requestHeaders(
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  request: RestRequest,
): Readonly<Record<string, string>> {
  const all = {
    ...headers,
    ...request.headers,
    ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Spaces as `%20`: a plus would be signed as one thing and read as another. */
function queryString(query: RestRequest['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([key, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(key)}=${encodeURIComponent(value)}`],
  )
  return given.length === 0 ? '' : `?${given.join('&')}`
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

/** RFC 9110, 10.2.3, in seconds; a date is left to the client's own delay. */
function readRetryAfterMs(text: string | null): number | undefined {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined
}
