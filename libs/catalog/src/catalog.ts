import type {
  PartitionSpec,
  Schema,
  SortOrder,
  TableMetadata,
  TableRequirement,
  TableUpdate,
  ViewMetadata,
  ViewRequirement,
  ViewUpdate,
  ViewVersion,
} from '@floe/iceberg'
import type { ReadRestrictions } from './read-restrictions.ts'

/** Levels of a namespace, outermost first: `['a', 'b']` is printed `a.b`. */
export type Namespace = readonly string[]
/** Names a table or a view: both kinds share one name space. */
export type TableIdentifier = { readonly namespace: Namespace; readonly name: string }

export type LoadedTable = {
  readonly identifier: TableIdentifier
  readonly metadata: TableMetadata
  /** Absent for a staged create, whose metadata is nowhere yet. */
  readonly metadataLocation: string | undefined
  /** Settings the catalog hands to clients of this table (spec: `config`). */
  readonly config: Readonly<Record<string, string>>
  /** Credentials for places in storage; of those that fit a location, the one with the longest prefix counts. */
  readonly storageCredentials?: readonly StorageCredential[]
  /** What goes with each request that the catalog is to sign for this table's storage (spec `remote-signing-config`). */
  readonly remoteSigning?: RemoteSigning
  /** What whoever loaded the table may see of it (spec: `read-restrictions`); everything when absent. */
  readonly readRestrictions?: ReadRestrictions
}

/** Settings such as `s3.access-key-id`, for every location that starts with `prefix`. */
export type StorageCredential = {
  readonly prefix: string
  readonly config: Readonly<Record<string, string>>
}

export type RemoteSigning = {
  readonly properties: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, readonly string[]>>
}

export type LoadOptions = {
  /**
   * `refs` leaves out snapshots that no branch or tag points at, where the catalog can: enough to read what is
   * current, and to commit on top of it. `all` (default) is for what looks into the past.
   */
  readonly snapshots?: 'all' | 'refs'
}

export type TableDefinition = {
  /** Ids may be arbitrary but unique: the catalog assigns fresh ones (spec: "assign fresh ids on create"). */
  readonly schema: Schema
  readonly partitionSpec?: PartitionSpec
  readonly sortOrder?: SortOrder
  readonly location?: string
  readonly properties?: Readonly<Record<string, string>>
}

export type TableCommit = {
  readonly requirements: readonly TableRequirement[]
  readonly updates: readonly TableUpdate[]
}

/** One table's part of a transaction. */
export type TableChange = TableCommit & { readonly identifier: TableIdentifier }

export type LoadedView = {
  readonly identifier: TableIdentifier
  readonly metadata: ViewMetadata
  readonly metadataLocation: string
  readonly config: Readonly<Record<string, string>>
}

export type ViewDefinition = {
  readonly schema: Schema
  /** Its version id and schema id are assigned by the catalog. */
  readonly version: ViewVersion
  readonly location?: string
  readonly properties?: Readonly<Record<string, string>>
}

export type ViewCommit = {
  readonly requirements: readonly ViewRequirement[]
  readonly updates: readonly ViewUpdate[]
}

/** Keys of namespace properties: those that were set, that were removed, and that were to be removed but absent. */
export type NamespaceChange = {
  readonly updated: readonly string[]
  readonly removed: readonly string[]
  readonly missing: readonly string[]
}

/** A request that takes effect once, however often it comes (REST spec `Idempotency-Key`). */
export type RequestKey = {
  readonly key: string
  /** What was asked for: the same key with another fingerprint is refused. */
  readonly fingerprint: string
}

/** What a catalog is told of the request that it works for. */
export type CatalogRequest = {
  readonly key?: RequestKey
  /** Who asks; absent when nobody had to say. */
  readonly principal?: string
}

/**
 * Names to table and view metadata, with compare-and-swap commits. Errors are `FloeError`s: `not-found`,
 * `already-exists`, `commit-conflict` (a requirement failed or the swap was lost), `commit-state-unknown` (it may have
 * happened).
 */
export interface Catalog {
  /** Children of `parent` (top level when absent), one level. */
  listNamespaces(parent?: Namespace): Promise<readonly Namespace[]>
  createNamespace(namespace: Namespace, properties?: Readonly<Record<string, string>>): Promise<void>
  /** Its properties. Floe's own catalogs name the `location` of its tables also where nobody has set one. */
  loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>>
  updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<NamespaceChange>
  /** `invalid-input` when it still holds tables, views or namespaces. */
  dropNamespace(namespace: Namespace): Promise<void>
  listTables(namespace: Namespace): Promise<readonly TableIdentifier[]>
  loadTable(identifier: TableIdentifier, options?: LoadOptions): Promise<LoadedTable>
  /** Fresh credentials for a table's storage; absent when the catalog hands out none. */
  loadCredentials?(identifier: TableIdentifier): Promise<readonly StorageCredential[]>
  createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable>
  /** Assigns uuid, ids and location but makes nothing visible: commit with `assert-create` and all updates. */
  stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable>
  commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable>
  /** Commits to several tables, of which some may be new: all become visible at once, or none does. */
  commitTransaction(changes: readonly TableChange[]): Promise<void>
  /** With `purge` the table's files are removed too. */
  dropTable(identifier: TableIdentifier, options?: { readonly purge?: boolean }): Promise<void>
  renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void>
  /** With `overwrite` a table of the name, if there is one, becomes the registered one; no file is removed. */
  registerTable(
    identifier: TableIdentifier,
    metadataLocation: string,
    options?: { readonly overwrite?: boolean },
  ): Promise<LoadedTable>
  /** Removes the name, keeps the files, and gives the table as its last commit left it. */
  unregisterTable(identifier: TableIdentifier): Promise<LoadedTable>
  listViews(namespace: Namespace): Promise<readonly TableIdentifier[]>
  loadView(identifier: TableIdentifier): Promise<LoadedView>
  createView(identifier: TableIdentifier, definition: ViewDefinition): Promise<LoadedView>
  commitView(identifier: TableIdentifier, commit: ViewCommit): Promise<LoadedView>
  /** Removes the name; the metadata files stay. */
  dropView(identifier: TableIdentifier): Promise<void>
  renameView(from: TableIdentifier, to: TableIdentifier): Promise<void>
  registerView(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedView>
  /**
   * The same catalog for one request. With a key, what its one change came to, success or lasting failure, is kept
   * with the change itself, and given again when the request comes again.
   */
  forRequest(request: CatalogRequest): Catalog
  /** How long the outcome of a request is kept at least; absent when the catalog cannot say. */
  readonly requestLifetimeMs?: number
  close(): Promise<void>
}
