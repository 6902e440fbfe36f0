import type { ObjectStore } from '@floe/storage'
import type { Catalog } from '../catalog.ts'
import { MetadataFiles, tableFormat, viewFormat } from '../metadata-files.ts'
import { SqlCatalog } from './sql-catalog.ts'
import { openSqliteStore } from './sqlite-store.ts'

export type SqlCatalogSettings = {
  /** `path` of a local file, which is made when absent. Several processes of one machine may share it. */
  readonly database: { readonly kind: 'sqlite'; readonly path: string }
  /** Location under which tables go that name none. */
  readonly warehouse: string
  /** Commits of others that one commit may lose to before it gives up (default 20). */
  readonly commitAttemptsMax?: number
  /** How long a statement waits for another process that holds the database (default 10,000). */
  readonly busyTimeoutMs?: number
  /** Parsed metadata files of tables, and of views, that are kept in memory (default 256 of each). */
  readonly metadataCacheEntriesMax?: number
  /** How long the outcome of a request with a key is kept at least (default 30 minutes). */
  readonly requestLifetimeMs?: number
  readonly clock: { now(): number }
  /** A random uuid in its text form, another one at each call. */
  readonly uuid: () => string
}

export type SqlCatalogComponents = { readonly store: ObjectStore }

const commitAttemptsMaxDefault = 20
const busyTimeoutMsDefault = 10_000
const metadataCacheEntriesMaxDefault = 256
const requestLifetimeMsDefault = 30 * 60_000

/**
 * A catalog whose truth is one row per table in a SQL database, and whose metadata files are in an object store.
 * @throws FloeError unavailable when the database cannot be opened, unsupported when a newer Floe has written it
 */
export async function openSqlCatalog(
  settings: SqlCatalogSettings,
  { store }: SqlCatalogComponents,
): Promise<Catalog> {
  const cacheEntriesMax = settings.metadataCacheEntriesMax ?? metadataCacheEntriesMaxDefault
  const context = {
    rows: openSqliteStore(settings.database.path, settings.busyTimeoutMs ?? busyTimeoutMsDefault),
    tables: new MetadataFiles(store, tableFormat, cacheEntriesMax),
    views: new MetadataFiles(store, viewFormat, cacheEntriesMax),
    store,
    warehouse: settings.warehouse,
    clock: settings.clock,
    uuid: settings.uuid,
    commitAttemptsMax: settings.commitAttemptsMax ?? commitAttemptsMaxDefault,
  }
  return new SqlCatalog(context, settings.requestLifetimeMs ?? requestLifetimeMsDefault)
}
