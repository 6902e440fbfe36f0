import { createHash, timingSafeEqual } from 'node:crypto'
import type { Principal, StoredToken, TokenKind } from '@floe/catalog'

/** Where ids, secrets and the time come from. */
export type TokenComponents = {
  readonly clock: { now(): number }
  /** Random bytes that nobody can foresee. */
  readonly randomBytes: (count: number) => Uint8Array
}

export type NewToken = {
  readonly principal: Principal
  readonly kind: TokenKind
  /** For ever when absent. */
  readonly lifetimeMs?: number
  readonly issuedFor?: string
}

const idBytes = 8
const secretBytes = 32
const tokenForm = /^floe_([0-9a-f]{16})_([\w-]{43})$/

/** A token as its bearer gets it, once, and as the store keeps it. */
export function makeToken(
  { lifetimeMs, issuedFor, ...token }: NewToken,
  { clock, randomBytes }: TokenComponents,
): { readonly text: string; readonly stored: StoredToken } {
  const id = Buffer.from(randomBytes(idBytes)).toString('hex')
  const secret = Buffer.from(randomBytes(secretBytes)).toString('base64url')
  const createdAtMs = clock.now()
  return {
    text: `floe_${id}_${secret}`,
    stored: {
      ...token,
      id,
      secretHash: hashOf(secret),
      createdAtMs,
      ...(lifetimeMs === undefined ? {} : { expiresAtMs: createdAtMs + lifetimeMs }),
      ...(issuedFor === undefined ? {} : { issuedFor }),
    },
  }
}

/** The parts of a token of ours; `undefined` for anything else. */
export function parseToken(text: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = tokenForm.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Whether the secret is the token's, and it is not over yet. */
export function isValid({ secretHash, expiresAtMs }: StoredToken, secret: string, nowMs: number): boolean {
  const isCurrent = expiresAtMs === undefined || nowMs < expiresAtMs
  return isSameText(hashOf(secret), secretHash) && isCurrent
}

/** Takes as long whatever differs. */
export function isSameText(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(left)), Buffer.from(hashOf(right)))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
