import type { Catalog } from '@floe/catalog'
import type { Pool } from '@floe/compute'
import type { ObjectStore, StoreSettings } from '@floe/storage'
import type { LoadProgress } from './load-report.ts'

export type LoadComponents = {
  readonly catalog: Catalog
  readonly store: ObjectStore
  /** The same store as data, for the workers to open. Asked for when the table is loaded: its keys come with it. */
  readonly storeSettings: () => StoreSettings
  readonly pool: Pool
  readonly clock: { now(): number }
  readonly uuid: () => string
  readonly newSnapshotId: () => bigint
  readonly sleep: (ms: number) => Promise<void>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LoadProgress) => void
}
