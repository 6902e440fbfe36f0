import type { AccessStore, Grant, Principal } from '@floe/catalog'
import { isSameText, isValid, parseToken } from './access-token.ts'

/** Who a token speaks for. */
export type Authenticated = {
  readonly principal: Principal
  /** What the token itself allows, beside the grants that the store has for the principal. */
  readonly grants?: readonly Grant[]
  /** When the token ends. */
  readonly expiresAtMs?: number
  /** Id of the stored token, or of the client that it was issued for. */
  readonly tokenId?: string
}

/**
 * Tells who a bearer token speaks for; `undefined` when it is none that this authenticator knows, or not valid.
 * @throws FloeError unavailable when that cannot be found out now
 */
export type Authenticator = (token: string) => Promise<Authenticated | undefined>

/** The first answer of several authenticators. */
export function anyOf(authenticators: readonly Authenticator[]): Authenticator {
  return async (token) => {
    for (const authenticate of authenticators) {
      const authenticated = await authenticate(token)
      if (authenticated !== undefined) return authenticated
    }
    return undefined
  }
}

/** Tokens of the store. The secret of a client is none: it is exchanged for one. */
export function storedTokens(store: AccessStore, clock: { now(): number }): Authenticator {
  return async (text) => {
    const parsed = parseToken(text)
    const token = parsed === undefined ? undefined : await store.findToken(parsed.id)
    if (parsed === undefined || token === undefined || token.kind === 'client') return undefined
    if (!isValid(token, parsed.secret, clock.now())) return undefined
    const { principal, expiresAtMs, issuedFor, id } = token
    return { principal, tokenId: issuedFor ?? id, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) }
  }
}

/** One token of the settings for the first steps: it may do everything, whatever the store says of its name. */
export function bootstrapToken(secret: string): Authenticator {
  const principal: Principal = { name: 'bootstrap', roles: [] }
  const grants: readonly Grant[] = [
    { to: { kind: 'principal', name: principal.name }, privilege: 'manage', on: { kind: 'server' } },
  ]
  return async (text) => (isSameText(text, secret) ? { principal, grants } : undefined)
}
