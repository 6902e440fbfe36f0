import type {
  TableMetadata,
  TableRequirement,
  TableUpdate,
  PartitionSpec,
  Schema,
  SortOrder,
} from '@floe/iceberg'

/** Levels of a namespace, outermost first: `['a', 'b']` is printed `a.b`. */
export type Namespace = readonly string[]
export type TableIdentifier = { readonly namespace: Namespace; readonly name: string }

export type LoadedTable = {
  readonly identifier: TableIdentifier
  readonly metadata: TableMetadata
  /** Absent for a staged create, whose metadata is nowhere yet. */
  readonly metadataLocation: string | undefined
  /** Settings the catalog hands to clients of this table (spec: `config`). */
  readonly config: Readonly<Record<string, string>>
}

export type TableDefinition = {
  /** Ids may be arbitrary but unique: the catalog assigns fresh ones (spec: "assign fresh ids on create"). */
  readonly schema: Schema
  readonly partitionSpec?: PartitionSpec
  readonly sortOrder?: SortOrder
  readonly location?: string
  readonly properties?: Readonly<Record<string, string>>
}

/**
 * Names to table metadata, with compare-and-swap commits. Errors are `FloeError`s: `not-found`, `already-exists`,
 * `commit-conflict` (a requirement failed or the swap was lost), `commit-state-unknown` (it may have happened).
 */
export interface Catalog {
  /** Children of `parent` (top level when absent), one level. */
  listNamespaces(parent?: Namespace): Promise<readonly Namespace[]>
  createNamespace(namespace: Namespace, properties?: Readonly<Record<string, string>>): Promise<void>
  loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>>
  updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<void>
  /** `invalid-input` when it still holds tables or namespaces. */
  dropNamespace(namespace: Namespace): Promise<void>
  listTables(namespace: Namespace): Promise<readonly TableIdentifier[]>
  loadTable(identifier: TableIdentifier): Promise<LoadedTable>
  createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable>
  /** Assigns uuid, ids and location but makes nothing visible: commit with `assert-create` and all updates. */
  stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable>
  commitTable(
    identifier: TableIdentifier,
    commit: { readonly requirements: readonly TableRequirement[]; readonly updates: readonly TableUpdate[] },
  ): Promise<LoadedTable>
  /** With `purge` the table's files are removed too. */
  dropTable(identifier: TableIdentifier, options?: { readonly purge?: boolean }): Promise<void>
  renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void>
  registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable>
  close(): Promise<void>
}
