import type { Pool } from '@floe/compute'
import type { Snapshot, TableMetadata, TableRequirement, TableUpdate } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import type { SnapshotChange } from './snapshot-change.ts'

/** The table as the catalog showed it: `metadataLocation` is absent for a staged create. */
export type TableState = { readonly metadata: TableMetadata; readonly metadataLocation: string | undefined }

/** What the writer calls of a catalog, for one table. */
export interface CommitTarget {
  load(): Promise<TableState>
  /** Throws `commit-conflict`, `already-exists` or `commit-state-unknown`. */
  commit(requirements: readonly TableRequirement[], updates: readonly TableUpdate[]): Promise<TableState>
}

export type SnapshotCommit = {
  /** Name for messages, such as `shop.orders`. */
  readonly table: string
  readonly base: TableState
  readonly change: SnapshotChange
  /** The table with the schema, spec and properties that the snapshot is written with. */
  readonly target: TableMetadata
  /** Metadata changes that become visible together with the snapshot. */
  readonly updates: readonly TableUpdate[]
  /** Properties that the change rests on: when another has set one meanwhile the commit is refused, not retried. */
  readonly restsOn?: readonly string[]
  readonly token: string
  readonly summary?: Readonly<Record<string, string>>
}

export type CommitComponents = {
  readonly catalog: CommitTarget
  readonly store: ObjectStore
  readonly clock: { now(): number }
  readonly uuid: () => string
  /** A positive 63-bit id that the table has not used. */
  readonly newSnapshotId: () => bigint
  readonly sleep: (ms: number) => Promise<void>
  readonly pool?: Pool
}

export type CommittedSnapshot = {
  readonly state: TableState
  readonly snapshot: Snapshot
  readonly attempts: number
}

/** Files name the new order by the id that it gets on this base: an order that another made meanwhile takes it. */
export function addsSortOrder({ updates }: SnapshotCommit): boolean {
  return updates.some(({ action }) => action === 'add-sort-order')
}
