import type { Namespace, TableIdentifier } from './catalog.ts'
import type { ReadRule } from './read-restrictions.ts'

/** Who asks, as an authenticator has found out. */
export type Principal = { readonly name: string; readonly roles: readonly string[] }

/** Each one includes those before it. */
export const privileges = ['read', 'write', 'manage'] as const
export type Privilege = (typeof privileges)[number]

/** What a grant is on; it holds for everything below as well. `server` is all warehouses, `table` a table or a view. */
export type Securable =
  | { readonly kind: 'server' }
  | { readonly kind: 'warehouse' }
  | { readonly kind: 'namespace'; readonly namespace: Namespace }
  | { readonly kind: 'table'; readonly identifier: TableIdentifier }

export type Grantee = { readonly kind: 'principal' | 'role'; readonly name: string }

export type Grant = { readonly to: Grantee; readonly privilege: Privilege; readonly on: Securable }

/**
 * `token` is sent as it is, `client` is exchanged for tokens of kind `session`, which end with the one that they were
 * issued for.
 */
export type TokenKind = 'token' | 'client' | 'session'

export type StoredToken = {
  readonly id: string
  readonly kind: TokenKind
  readonly principal: Principal
  /** SHA-256 of the secret in hex: a secret has 256 random bits, so that no slow hash is needed. */
  readonly secretHash: string
  readonly createdAtMs: number
  readonly expiresAtMs?: number
  /** Id of the client that a session was issued for. */
  readonly issuedFor?: string
}

/** Whose changes are made, and the warehouse whose audit log takes those that belong to none: changes of tokens. */
export type AccessRequest = { readonly warehouse: string; readonly principal?: string }

/**
 * Tokens, grants and read rules. Changes are in the audit log, but for tokens of kind `session`. Tokens belong to all warehouses, all else to one. Grants on namespaces end with the
 * namespace; what is on a table follows it by its uuid through renames and past a drop.
 */
export interface AccessStore {
  insertToken(token: StoredToken): Promise<void>
  findToken(id: string): Promise<StoredToken | undefined>
  /** All but sessions, oldest first. */
  listTokens(): Promise<readonly StoredToken[]>
  /** With the sessions that were issued for it. False when there is none of this id. */
  deleteToken(id: string): Promise<boolean>
  deleteTokensExpiredBefore(timestampMs: number): Promise<void>

  /** Those of the principal and of its roles, on this warehouse, what is in it, and the server. */
  grantsOf(warehouse: string, principal: Principal): Promise<readonly Grant[]>
  /** Every grant on this warehouse, what is in it, and the server. */
  listGrants(warehouse: string): Promise<readonly Grant[]>
  /** Takes the place of what the grantee had there. `no-object` when there is no such namespace, table or view. */
  setGrant(warehouse: string, grant: Grant): Promise<'set' | 'no-object'>
  /** False when there was none. */
  removeGrant(warehouse: string, to: Grantee, on: Securable): Promise<boolean>

  /** Rules about one table for the principal and its roles. */
  readRulesOf(warehouse: string, principal: Principal, table: TableIdentifier): Promise<readonly ReadRule[]>
  listReadRules(warehouse: string): Promise<readonly ReadRule[]>
  /** Takes the place of the grantee's rule about the table. */
  setReadRule(warehouse: string, rule: ReadRule): Promise<'set' | 'no-object'>
  /** False when there was none. */
  removeReadRule(warehouse: string, to: Grantee, table: TableIdentifier): Promise<boolean>

  /** The same store for one request. */
  forRequest(request: AccessRequest): AccessStore
}

/** The highest privilege that the grants give on something. */
export function privilegeOn(grants: readonly Grant[], on: Securable): Privilege | undefined {
  const held = new Set(grants.filter((grant) => covers(grant.on, on)).map(({ privilege }) => privilege))
  return privileges.findLast((privilege) => held.has(privilege))
}

export function hasPrivilege(grants: readonly Grant[], privilege: Privilege, on: Securable): boolean {
  const held = privilegeOn(grants, on)
  return held !== undefined && privileges.indexOf(held) >= privileges.indexOf(privilege)
}

/**
 * Whether something is worth showing: there is a grant on it, above it, or on anything inside of it, to which it is
 * the way.
 */
export function isVisible(grants: readonly Grant[], on: Securable): boolean {
  return grants.some((grant) => covers(grant.on, on) || covers(on, grant.on))
}

/** Whether `inner` is `outer` or inside of it. */
function covers(outer: Securable, inner: Securable): boolean {
  switch (outer.kind) {
    case 'server':
      return true
    case 'warehouse':
      return inner.kind !== 'server'
    case 'namespace': {
      const namespace = namespaceOf(inner)
      return namespace !== undefined && startsWith(namespace, outer.namespace)
    }
    case 'table':
      return (
        inner.kind === 'table' &&
        inner.identifier.name === outer.identifier.name &&
        isSame(inner.identifier.namespace, outer.identifier.namespace)
      )
  }
}

function namespaceOf(securable: Securable): Namespace | undefined {
  if (securable.kind === 'namespace') return securable.namespace
  return securable.kind === 'table' ? securable.identifier.namespace : undefined
}

function startsWith(namespace: Namespace, prefix: Namespace): boolean {
  return prefix.every((level, at) => namespace[at] === level)
}

function isSame(left: Namespace, right: Namespace): boolean {
  return left.length === right.length && startsWith(left, right)
}
