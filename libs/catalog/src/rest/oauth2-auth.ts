import { FloeError, parseJson } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'
import type { AuthComponents, AuthHeaders, RestAuth, RestAuthSettings } from './rest-auth.ts'
import { networkError } from './rest-error.ts'

type OAuth2Settings = Extract<RestAuthSettings, { kind: 'oauth2' }>
type Token = { readonly headers: AuthHeaders; readonly renewAtMs: number }

const scopeDefault = 'catalog'
/** A token is renewed before it ends: by a tenth of its life, and by a minute at most. */
const renewalShare = 0.1
const renewalMarginMsMax = 60_000

/** OAuth 2.0 client credentials (RFC 6749, 4.4). However many requests wait for a token, one is asked for. */
export function oauth2Auth(uri: string, settings: OAuth2Settings, components: AuthComponents): RestAuth {
  return new OAuth2Auth(tokenUrl(uri, settings.serverUri), settings, components)
}

class OAuth2Auth implements RestAuth {
  readonly #url: URL
  readonly #settings: OAuth2Settings
  readonly #components: AuthComponents
  #token: Token | undefined
  #asking: Promise<Token> | undefined

  constructor(url: URL, settings: OAuth2Settings, components: AuthComponents) {
    this.#url = url
    this.#settings = settings
    this.#components = components
  }

  async authorize(): Promise<AuthHeaders> {
    const token = this.#token
    if (token !== undefined && this.#components.clock.now() < token.renewAtMs) return token.headers
    return (await this.#ask()).headers
  }

  async renew(refused: AuthHeaders): Promise<boolean> {
    // Another request may have brought a new token since this one was sent.
    if (this.#token?.headers['authorization'] === refused['authorization']) this.#token = undefined
    return (await this.authorize())['authorization'] !== refused['authorization']
  }

  #ask(): Promise<Token> {
    this.#asking ??= requestToken(this.#url, this.#settings, this.#components)
      .then((token) => (this.#token = token))
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }
}

function tokenUrl(uri: string, serverUri: string | undefined): URL {
  const root = uri.replace(/\/+$/, '')
  if (serverUri === undefined) return new URL(`${root}/v1/oauth/tokens`)
  return URL.canParse(serverUri) ? new URL(serverUri) : new URL(`${root}/${serverUri.replace(/^\/+/, '')}`)
}

async function requestToken(
  url: URL,
  { credential, scope, parameters }: OAuth2Settings,
  { clock, fetch: fetchResponse, requestTimeoutMs }: AuthComponents,
): Promise<Token> {
  const [id, secret] = splitCredential(credential)
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(id === undefined ? {} : { client_id: id }),
    client_secret: secret,
    scope: scope ?? scopeDefault,
    ...parameters,
  })
  const askedAtMs = clock.now()
  const name = `POST ${url.origin}${url.pathname}`
  let response: Response
  let text: string
  try {
    response = await fetchResponse(url.href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    text = await response.text()
  } catch (error) {
    throw networkError(error, name, 'read')
  }
  const answer = readMembers(text)
  if (!response.ok) throw refusal(name, response.status, answer)
  const token = answer['access_token']
  if (typeof token !== 'string' || token === '') {
    throw new FloeError('corrupt-data', `${name} answered without an access_token`, {
      hint: 'check the uri of the OAuth2 server',
    })
  }
  return {
    headers: { authorization: `Bearer ${token}` },
    renewAtMs: renewalTime(askedAtMs, answer['expires_in']),
  }
}

/** Without `expires_in` a token is good until the catalog refuses it. */
function renewalTime(askedAtMs: number, expiresIn: JsonValue | undefined): number {
  const lifeMs = Number(expiresIn) * 1000
  if (!(lifeMs > 0)) return Number.POSITIVE_INFINITY
  return askedAtMs + lifeMs - Math.min(lifeMs * renewalShare, renewalMarginMsMax)
}

function splitCredential(credential: string): readonly [string | undefined, string] {
  const colon = credential.indexOf(':')
  return colon === -1 ? [undefined, credential] : [credential.slice(0, colon), credential.slice(colon + 1)]
}

/** RFC 6749, 5.2: `error` is one of a few words; `error_description` may repeat what was sent, and stays away. */
function refusal(name: string, status: number, answer: Readonly<Record<string, JsonValue>>): FloeError {
  const reason = typeof answer['error'] === 'string' ? `: ${answer['error']}` : ''
  const message = `${name} answered ${status}${reason}`
  if (status >= 500 || status === 429) {
    return new FloeError('unavailable', message, {
      retryable: true,
      hint: 'the OAuth2 server is busy; try again',
    })
  }
  return new FloeError('permission-denied', message, {
    hint: 'check the credential (client-id:client-secret), the scope and the uri of the OAuth2 server',
  })
}

function readMembers(text: string): Readonly<Record<string, JsonValue>> {
  try {
    const value = parseJson(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, JsonValue>>) : {}
  } catch {
    return {}
  }
}
