import type { Namespace, TableIdentifier } from '../catalog.ts'

/** What the catalog keeps of a table: where its current metadata is. */
export type TableRow = {
  readonly uuid: string
  readonly metadataLocation: string
  readonly previousMetadataLocation: string | undefined
  /** Counts the commits of the row, from 1. */
  readonly version: number
}

export type InsertOutcome = 'inserted' | 'name-taken' | 'uuid-taken' | 'no-namespace'
export type RenameOutcome = 'renamed' | 'no-table' | 'name-taken' | 'no-namespace'
export type DropNamespaceOutcome = 'dropped' | 'no-namespace' | 'not-empty'

/**
 * The rows of a SQL catalog. Each call is one transaction: it happens whole or not at all, and is durable when it
 * resolves. One implementation per SQL dialect. Errors are `FloeError`s: `unavailable` when the store is locked or
 * unreachable and nothing was written, `commit-state-unknown` when a write may have happened.
 */
export interface CatalogStore {
  listNamespaces(parent: Namespace | undefined): Promise<readonly Namespace[]>
  findNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>> | undefined>
  /** `no-namespace` when the parent is missing. */
  insertNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>>,
  ): Promise<'inserted' | 'name-taken' | 'no-namespace'>
  /** False when the namespace does not exist. */
  updateNamespace(
    namespace: Namespace,
    change: (properties: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): Promise<boolean>
  deleteNamespace(namespace: Namespace): Promise<DropNamespaceOutcome>

  listTables(namespace: Namespace): Promise<readonly string[]>
  findTable(identifier: TableIdentifier): Promise<TableRow | undefined>
  insertTable(
    identifier: TableIdentifier,
    row: Pick<TableRow, 'uuid' | 'metadataLocation'>,
  ): Promise<InsertOutcome>
  /** Compare-and-swap: true when the row was at `from.metadataLocation`, and is at `metadataLocation` now. */
  swapTable(identifier: TableIdentifier, from: TableRow, metadataLocation: string): Promise<boolean>
  /** With `at`, only while the table's metadata is there. */
  deleteTable(identifier: TableIdentifier, at?: string): Promise<boolean>
  renameTable(from: TableIdentifier, to: TableIdentifier): Promise<RenameOutcome>
  close(): Promise<void>
}
