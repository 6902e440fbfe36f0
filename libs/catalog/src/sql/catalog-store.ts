import type { ErrorData } from '@floe/iceberg'
import type { Namespace, NamespaceChange, RequestKey, TableIdentifier } from '../catalog.ts'
import type { RelationKind } from '../catalog-error.ts'
import type { AuditEntry, AuditFilter, DroppedRelation, EventPage, Protectable } from '../managed-catalog.ts'

/** What the catalog keeps of a table or view: where its current metadata is. */
export type RelationRow = {
  readonly uuid: string
  readonly metadataLocation: string
  readonly previousMetadataLocation: string | undefined
  /** Counts the commits of the row, from 1. */
  readonly version: number
}

/** A change of one row, of which several happen together. */
export type RowChange = { readonly relation: RelationKind; readonly identifier: TableIdentifier } & (
  | {
      readonly kind: 'insert'
      readonly action: 'create' | 'register'
      readonly uuid: string
      readonly metadataLocation: string
    }
  /** Compare-and-swap on `from`. `register`: another table may take the name over, unless what has it is protected. */
  | {
      readonly kind: 'swap'
      readonly action: 'commit' | 'register'
      readonly from: RelationRow
      readonly uuid: string
      readonly metadataLocation: string
    }
  /** Changes nothing; lost when the row is not at `from` any more. */
  | { readonly kind: 'check'; readonly from: RelationRow }
)

/** `lost`: the row was not where the change wanted it. Of a failed set nothing has happened; `change` is the first at fault. */
export type ChangeOutcome =
  | { readonly kind: 'applied' }
  | {
      readonly kind: 'lost' | 'name-taken' | 'uuid-taken' | 'no-namespace' | 'protected'
      readonly change: RowChange
    }
export type InsertNamespaceOutcome = 'inserted' | 'name-taken' | 'no-namespace'
export type RenameOutcome = 'renamed' | 'not-found' | 'name-taken' | 'no-namespace'
export type DropNamespaceOutcome = 'dropped' | 'no-namespace' | 'not-empty' | 'protected'
export type RemoveOutcome = 'removed' | 'not-found' | 'protected'
export type ProtectOutcome = 'changed' | 'unchanged' | 'not-found'
export type UndropOutcome =
  | { readonly kind: 'undropped'; readonly relation: RelationKind; readonly identifier: TableIdentifier }
  | { readonly kind: 'not-found' }
  /** `identifier` is where it was to go. */
  | { readonly kind: 'name-taken' | 'uuid-taken' | 'no-namespace'; readonly identifier: TableIdentifier }

/** How a name goes. With `expiresAtMs` what it takes to bring it back stays until then. */
export type Removal =
  | { readonly action: 'drop'; readonly isPurge: boolean; readonly expiresAtMs?: number }
  | { readonly action: 'unregister' }

/** What a request came to; `done` holds what its answer needs and what cannot be found out again. */
export type RequestOutcome =
  | {
      readonly kind: 'done'
      readonly metadataLocation?: string
      readonly namespace?: NamespaceChange
      readonly undropped?: { readonly kind: RelationKind; readonly identifier: TableIdentifier }
    }
  | { readonly kind: 'failed'; readonly error: ErrorData }

export type FinishedRequest = { readonly fingerprint: string; readonly outcome: RequestOutcome }

export type RequestRecord = RequestKey & {
  readonly nowMs: number
  /** Records that were finished before may be forgotten. */
  readonly forgetBeforeMs: number
}

/** What the rows need to know of the request that changes them. */
export type StoreRequest = {
  /** There when the request is to take effect once. */
  readonly record?: RequestRecord
  /** Who asks; absent when nobody had to say. */
  readonly principal?: string
}

/**
 * The rows of one warehouse. Each call is one transaction: it happens whole or not at all, and is durable when it
 * resolves. Errors are `FloeError`s: `unavailable` when the store is locked or unreachable and nothing was written,
 * `commit-state-unknown` when a write may have happened.
 */
export interface CatalogStore {
  listNamespaces(parent: Namespace | undefined): Promise<readonly Namespace[]>
  findNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>> | undefined>
  /** `no-namespace` when the parent is missing. */
  insertNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>>,
  ): Promise<InsertNamespaceOutcome>
  /** `undefined` when the namespace does not exist. */
  updateNamespace(
    namespace: Namespace,
    change: (properties: Readonly<Record<string, string>>) => {
      readonly properties: Readonly<Record<string, string>>
      readonly change: NamespaceChange
    },
  ): Promise<NamespaceChange | undefined>
  deleteNamespace(namespace: Namespace): Promise<DropNamespaceOutcome>

  listRelations(relation: RelationKind, namespace: Namespace): Promise<readonly string[]>
  findRelation(relation: RelationKind, identifier: TableIdentifier): Promise<RelationRow | undefined>
  /** What has the name, if anything. */
  findKind(identifier: TableIdentifier): Promise<RelationKind | undefined>
  /** Where the metadata is of every other table and view, those that can come back included, in all warehouses. */
  listOtherMetadata(uuid: string): Promise<readonly string[]>
  /** All of them or none, locked in the order of their names, whatever the order they come in. */
  applyChanges(changes: readonly RowChange[]): Promise<ChangeOutcome>
  /** With `at`, only while the metadata is there. */
  deleteRelation(
    relation: RelationKind,
    identifier: TableIdentifier,
    removal: Removal,
    at?: string,
  ): Promise<RemoveOutcome>
  renameRelation(relation: RelationKind, from: TableIdentifier, to: TableIdentifier): Promise<RenameOutcome>

  /** Newest first. */
  listDropped(namespace: Namespace | undefined): Promise<readonly DroppedRelation[]>
  findDropped(uuid: string): Promise<DroppedRelation | undefined>
  /** Those whose retention is over, the oldest first. */
  listExpired(nowMs: number, limit: number): Promise<readonly DroppedRelation[]>
  /** Under the name that it had, without `as`. */
  undrop(uuid: string, as: TableIdentifier | undefined): Promise<UndropOutcome>
  /** `in-use`: forgotten as well, but a name stands for the table again, so that its files are to stay. */
  forgetDropped(dropped: DroppedRelation): Promise<'forgotten' | 'in-use' | 'not-found'>

  findProtection(on: Protectable): Promise<boolean | undefined>
  setProtection(on: Protectable, isProtected: boolean): Promise<ProtectOutcome>

  readAudit(
    filter: AuditFilter,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditEntry[]>
  readEvents(after: number, limit: number, filter: AuditFilter): Promise<EventPage>

  /** The same store; each successful change of it is recorded as the request's, in one transaction with the change. */
  forRequest(request: StoreRequest): CatalogStore
  findRequest(key: string): Promise<FinishedRequest | undefined>
  /** Records the outcome of a request that changed no row; one that is recorded already stays as it is. */
  insertRequest(record: RequestRecord, outcome: RequestOutcome): Promise<void>
}
