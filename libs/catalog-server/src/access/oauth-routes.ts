import { Hono } from 'hono'
import type { Context } from 'hono'
import type { AccessStore, StoredToken } from '@floe/catalog'
import { isValid, makeToken, parseToken } from './access-token.ts'
import type { TokenComponents } from './access-token.ts'
import type { Authenticated, Authenticator } from './authenticator.ts'

export type OAuthSettings = {
  readonly store: AccessStore
  readonly authenticate: Authenticator
  /** How long a token is good that is issued for a client (default one hour). */
  readonly sessionLifetimeMs?: number
}

const sessionLifetimeMsDefault = 60 * 60_000

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
/** Types of subject tokens that are bearer tokens of ours or of an issuer. */
const subjectTypes: ReadonlySet<string> = new Set([
  accessTokenType,
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
])

/** RFC 6749 section 5.2, RFC 8693 section 2.2.2. */
type OAuthFault = 'invalid_client' | 'invalid_grant' | 'invalid_request' | 'unsupported_grant_type'
type Fault = { readonly kind: 'fault'; readonly error: OAuthFault; readonly description: string }
type Session = Pick<StoredToken, 'principal' | 'issuedFor'> & {
  readonly kind: 'session'
  readonly lifetimeMs: number
}

/**
 * Spec `getToken`, for clients that still ask the catalog for a token: client credentials, in a Basic header or in the
 * form, and the exchange with which clients renew a token. Scopes are not used: grants are looked up at each request.
 */
export function oauthRoutes(settings: OAuthSettings, components: TokenComponents): Hono {
  return new Hono().post('/v1/oauth/tokens', async (context) => {
    const form = new URLSearchParams(await context.req.text())
    const outcome = await sessionOf(context, form, settings, components)
    if (outcome.kind === 'fault') return answerFault(context, outcome)
    const { text, stored } = makeToken(outcome, components)
    await settings.store.deleteTokensExpiredBefore(components.clock.now())
    await settings.store.insertToken(stored)
    const body = {
      access_token: text,
      token_type: 'bearer',
      issued_token_type: accessTokenType,
      expires_in: Math.floor(outcome.lifetimeMs / 1000),
      ...(form.has('scope') ? { scope: form.get('scope') } : {}),
    }
    return context.json(body, 200, { 'cache-control': 'no-store', pragma: 'no-cache' })
  })
}

async function sessionOf(
  context: Context,
  form: URLSearchParams,
  settings: OAuthSettings,
  { clock }: TokenComponents,
): Promise<Session | Fault> {
  const { store, sessionLifetimeMs: lifetimeMs = sessionLifetimeMsDefault } = settings
  const grantType = form.get('grant_type')
  if (grantType !== 'client_credentials' && grantType !== exchangeGrant)
    return fault('unsupported_grant_type', 'grant_type is client_credentials or token-exchange')
  const credentials = credentialsOf(context, form)
  if (credentials !== undefined) {
    const client = await findClient(credentials, store, clock.now())
    if (client === undefined) return fault('invalid_client', 'no such client, or not its secret')
    // A client that renews a token which is over may do so: it could have asked for a new one as well.
    return session(client, client.id, lifetimeMs, clock.now())
  }
  if (grantType === 'client_credentials')
    return fault('invalid_client', 'send client_id and client_secret, or a Basic header')
  return exchange(form, settings, lifetimeMs, clock.now())
}

async function exchange(
  form: URLSearchParams,
  { authenticate, store }: OAuthSettings,
  lifetimeMs: number,
  nowMs: number,
): Promise<Session | Fault> {
  const [subject, type] = [form.get('subject_token'), form.get('subject_token_type')]
  if (subject === null || type === null || !subjectTypes.has(type))
    return fault('invalid_request', 'subject_token and a known subject_token_type are needed')
  if (form.has('actor_token')) return fault('invalid_request', 'nobody can act for somebody else')
  const authenticated = await authenticate(subject)
  // What a token may do beside the grants of its principal would be lost, or last too long.
  if (authenticated === undefined || authenticated.grants !== undefined)
    return fault('invalid_grant', 'the subject token is not valid, or cannot be exchanged')
  const { tokenId } = authenticated
  const root = tokenId === undefined ? undefined : await store.findToken(tokenId)
  return session(root ?? authenticated, tokenId, lifetimeMs, nowMs)
}

/** It ends no later than what it stands for: a client, a token of the store, or one of an issuer. */
function session(
  { principal, expiresAtMs }: Pick<Authenticated, 'principal' | 'expiresAtMs'>,
  issuedFor: string | undefined,
  lifetimeMs: number,
  nowMs: number,
): Session {
  const rest = expiresAtMs === undefined ? lifetimeMs : Math.min(lifetimeMs, expiresAtMs - nowMs)
  return { kind: 'session', principal, lifetimeMs: rest, ...(issuedFor === undefined ? {} : { issuedFor }) }
}

type Credentials = { readonly id: string | undefined; readonly secret: string }

/** RFC 6749 section 2.3.1: parts of the header are encoded as in a form. The secret alone names its client as well. */
function credentialsOf(context: Context, form: URLSearchParams): Credentials | undefined {
  const basic = /^basic +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
  if (basic === undefined) {
    const secret = form.get('client_secret')
    return secret === null ? undefined : { id: form.get('client_id') ?? undefined, secret }
  }
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
  if (id === undefined || secret === undefined) return { id: undefined, secret: '' }
  return { id: id === '' ? undefined : formText(id), secret: formText(secret) }
}

/** Java's client sends the parts as they are: what is no form encoding is meant so. */
function formText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

async function findClient(
  { id, secret: text }: Credentials,
  store: AccessStore,
  nowMs: number,
): Promise<StoredToken | undefined> {
  const parsed = parseToken(text)
  if (parsed === undefined || (id !== undefined && id !== parsed.id)) return undefined
  const client = await store.findToken(parsed.id)
  return client?.kind === 'client' && isValid(client, parsed.secret, nowMs) ? client : undefined
}

function fault(error: OAuthFault, description: string): Fault {
  return { kind: 'fault', error, description }
}

/** Spec `OAuthError`. */
function answerFault(context: Context, { error, description }: Fault): Response {
  const body = { error, error_description: description }
  const headers = { 'cache-control': 'no-store' }
  if (error !== 'invalid_client') return context.json(body, 400, headers)
  return context.json(body, 401, { ...headers, 'www-authenticate': 'Basic realm="floe"' })
}
