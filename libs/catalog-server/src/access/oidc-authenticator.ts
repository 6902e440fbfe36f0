import type { Principal } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import type { Authenticator } from './authenticator.ts'

export type OidcSettings = {
  /** Exactly as in the claim `iss` of its tokens. */
  readonly issuers: readonly OidcIssuer[]
  /** One of them must be in the claim `aud`. */
  readonly audiences: readonly string[]
  /** How far clocks may be apart (default 30,000). */
  readonly clockSkewMs?: number
  /** Claim that names the principal (default `sub`). */
  readonly principalClaim?: string
  /** Claim with the names of roles, as a list or as text with spaces; dots lead into objects (default `roles`). */
  readonly rolesClaim?: string
}

export type OidcIssuer = {
  readonly issuer: string
  /** Where its keys are; found by discovery (OpenID Connect Discovery 1.0) when absent. */
  readonly jwksUri?: string
}

const clockSkewMsDefault = 30_000
/** How long a request for keys, or for where they are, may take. */
const keyRequestMsMax = 5000
/** Keys are asked for again after this time, and not more often than that for keys that are not there. */
const keyLifetimeMs = 10 * 60_000
const keyCooldownMs = 30_000
/** Roles of one token: each is part of every query for grants. */
const rolesMax = 256

/** Public keys only: with a shared secret among them, a public key could be taken for the secret. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

/**
 * JSON Web Tokens of OpenID Connect issuers, signed with a key of the issuer's own set. With several issuers principals
 * are named `<issuer>#<name>`, so that none can speak for another's.
 */
export function oidcTokens(settings: OidcSettings, clock: { now(): number }): Authenticator {
  const keys = new Map(settings.issuers.map((issuer) => [issuer.issuer, keysOf(issuer)]))
  return async (token) => {
    const issuer = issuerOf(token)
    const key = issuer === undefined ? undefined : keys.get(issuer)
    if (issuer === undefined || key === undefined) return undefined
    const payload = await verify(token, issuer, key, settings, clock)
    const principal = payload === undefined ? undefined : principalOf(payload, issuer, settings)
    if (payload?.exp === undefined || principal === undefined) return undefined
    return { principal, expiresAtMs: payload.exp * 1000 }
  }
}

/** Only chooses whose keys to try: it is verified with them. */
function issuerOf(token: string): string | undefined {
  const [, payload, signature, ...rest] = token.split('.')
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined
  try {
    const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as {
      readonly iss?: unknown
    }
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

async function verify(
  token: string,
  issuer: string,
  key: JWTVerifyGetKey,
  { audiences, clockSkewMs = clockSkewMsDefault }: OidcSettings,
  clock: { now(): number },
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer,
      audience: [...audiences],
      algorithms,
      clockTolerance: clockSkewMs / 1000,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp'],
    })
    return payload
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw new FloeError('unavailable', `the keys of the issuer ${issuer} cannot be had`, {
      hint: 'check that the issuer answers, and the address of its keys',
      cause: error,
    })
  }
}

/** Faults of the token itself; everything else is one of the issuer or of the way to it. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  )
}

function principalOf(
  payload: JWTPayload,
  issuer: string,
  { issuers, principalClaim = 'sub', rolesClaim = 'roles' }: OidcSettings,
): Principal | undefined {
  const name = claimAt(payload, principalClaim)
  if (typeof name !== 'string' || name === '') return undefined
  const roles = rolesOf(claimAt(payload, rolesClaim))
  return { name: issuers.length === 1 ? name : `${issuer}#${name}`, roles: roles.slice(0, rolesMax) }
}

/** A claim by its own name, which may hold dots (`https://example.org/roles`), or else by a path into objects. */
function claimAt(payload: JWTPayload, claim: string): unknown {
  if (Object.hasOwn(payload, claim)) return payload[claim]
  let value: unknown = payload
  for (const key of claim.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value
}

function rolesOf(claim: unknown): readonly string[] {
  const names: readonly unknown[] =
    typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return names.filter((name) => typeof name === 'string').filter((name) => name !== '')
}

function keysOf({ issuer, jwksUri }: OidcIssuer): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined
  return async (header, token) => {
    found ??= (jwksUri === undefined ? discover(issuer) : Promise.resolve(jwksUri)).then((uri) =>
      createRemoteJWKSet(new URL(uri), {
        timeoutDuration: keyRequestMsMax,
        cacheMaxAge: keyLifetimeMs,
        cooldownDuration: keyCooldownMs,
      }),
    )
    // A failure is not kept: the issuer may be back at the next request.
    const keys = await found.catch((error: unknown) => {
      found = undefined
      throw error
    })
    return keys(header, token)
  }
}

async function discover(issuer: string): Promise<string> {
  const uri = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
  const response = await fetch(uri, { signal: AbortSignal.timeout(keyRequestMsMax), redirect: 'error' })
  const body = (await response.json()) as { readonly issuer?: unknown; readonly jwks_uri?: unknown }
  if (!response.ok || body.issuer !== issuer || typeof body.jwks_uri !== 'string')
    throw new FloeError('unavailable', `${uri} does not describe the issuer ${issuer}`)
  return body.jwks_uri
}
