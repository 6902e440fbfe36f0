import type { JsonObject } from '@floe/iceberg'
import type { Catalog, CatalogRequest, Namespace, TableIdentifier } from './catalog.ts'
import type { RelationKind } from './catalog-error.ts'

/** A table or view whose name is free again, while the catalog keeps what it takes to bring it back. */
export type DroppedRelation = {
  /** Its own, by which it is brought back: several of one name may have been dropped. */
  readonly uuid: string
  readonly kind: RelationKind
  readonly identifier: TableIdentifier
  readonly metadataLocation: string
  /** Whether its files go when it expires. */
  readonly isPurge: boolean
  readonly droppedBy: string
  readonly droppedAtMs: number
  readonly expiresAtMs: number
}

/** What came of those that were to expire. One that fails stays, and is tried again the next time. */
export type ExpiryReport = {
  readonly expired: readonly DroppedRelation[]
  readonly failures: readonly { readonly relation: DroppedRelation; readonly error: Error }[]
}

/** What can be protected from being dropped. */
export type Protectable =
  | { readonly kind: 'namespace'; readonly namespace: Namespace }
  | { readonly kind: RelationKind; readonly identifier: TableIdentifier }

export const auditActions = [
  'create',
  'update',
  'commit',
  'drop',
  'undrop',
  'expire',
  'rename',
  'register',
  'unregister',
  'protect',
  'unprotect',
  'grant',
  'revoke',
  'restrict',
  'unrestrict',
] as const
export type AuditAction = (typeof auditActions)[number]

/** What was changed, by the name that it had before the change, or got by it. */
export type AuditObject = { readonly kind: 'server' | 'warehouse' | 'token' } | Protectable

/** One change of a catalog; there is one for each table of a transaction. */
export type AuditEntry = {
  /** Counts the changes of one warehouse from 1 without gaps; those to one object are in the order they happened. */
  readonly sequence: number
  readonly timestampMs: number
  /** `anonymous` when nobody had to say who asks. */
  readonly principal: string
  readonly action: AuditAction
  readonly on: AuditObject
  /** Of the table or view. */
  readonly uuid?: string
  /** Where the metadata was before, for what had any, and where it is after. */
  readonly metadataBefore?: string
  readonly metadataAfter?: string
  /** The `Idempotency-Key` of the request. */
  readonly requestKey?: string
  /** The same for all tables of one transaction. */
  readonly transactionId?: string
  /** What else belongs to the action: the new name, the keys of properties, the grantee. */
  readonly details: JsonObject
}

/** What is absent does not matter. */
export type AuditFilter = {
  /** Entries under the name, and those under other names of the table that has it. */
  readonly table?: TableIdentifier
  /** Entries on the namespace and everything in it. */
  readonly namespace?: Namespace
  readonly principal?: string
  readonly action?: AuditAction
  /** From this time on, and before that one. */
  readonly sinceMs?: number
  readonly untilMs?: number
}

/** Changes in their order, and where the next page begins. */
export type EventPage = { readonly events: readonly AuditEntry[]; readonly next: number }

/** What a catalog does beside names and metadata: bring back, protect, and tell who did what. */
export interface CatalogManagement {
  /** Newest first; those that were directly in the namespace, or all. */
  listDropped(namespace?: Namespace): Promise<readonly DroppedRelation[]>
  /**
   * Gives a dropped table or view its name again, or another one.
   * @throws FloeError not-found for the uuid or the namespace, already-exists when the name is taken
   */
  undrop(
    uuid: string,
    as?: TableIdentifier,
  ): Promise<{ readonly kind: RelationKind; readonly identifier: TableIdentifier }>
  /** Ends the retention of those whose time is over, or of one whose time may not be. @throws FloeError not-found */
  expireDropped(uuid?: string): Promise<ExpiryReport>
  /** @throws FloeError not-found */
  isProtected(on: Protectable): Promise<boolean>
  /** @throws FloeError not-found */
  setProtection(on: Protectable, isProtected: boolean): Promise<void>
  /** Newest first, `limit` at most; with `before` only entries of smaller sequence numbers. */
  readAudit(
    filter: AuditFilter,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditEntry[]>
  /**
   * Entries with greater sequence numbers than `after`, in their order. Whoever goes on at `next` sees each change once
   * and misses none.
   */
  readEvents(after: number, limit: number, filter?: AuditFilter): Promise<EventPage>
}

/** Floe's own catalogs. */
export interface ManagedCatalog extends Catalog, CatalogManagement {
  forRequest(request: CatalogRequest): ManagedCatalog
}

export function isManaged(catalog: Catalog): catalog is ManagedCatalog {
  return 'readEvents' in catalog
}
