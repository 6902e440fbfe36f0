import { FloeError } from '@floe/iceberg'
import type { CallObserver, ObjectStore } from '@floe/storage'
import type { CatalogSignal } from '../catalog-signal.ts'
import type { ManagedCatalog } from '../managed-catalog.ts'
import { MetadataFiles, tableFormat, viewFormat } from '../metadata-files.ts'
import type { CatalogContext } from './catalog-context.ts'
import { observeDatabase } from './observe-database.ts'
import { openPostgresDatabase } from './postgres-database.ts'
import { SqlCatalog } from './sql-catalog.ts'
import type { SqlDatabase } from './sql-database.ts'
import { createSqlStore } from './sql-store.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { TableTurns } from './table-turns.ts'

export type CatalogDatabaseSettings = {
  readonly database:
    | {
        readonly kind: 'sqlite'
        /** A local file, which is made when absent. Several processes of one machine may share it. */
        readonly path: string
      }
    | {
        readonly kind: 'postgres'
        /** `postgres://user:password@host:port/database`; `?schema=` names the schema (default `floe_catalog`). */
        readonly url: string
        /** Connections that are open at once (default 10). */
        readonly connectionsMax?: number
      }
  /** Commits of others that one commit may lose to before it gives up (default 20). */
  readonly commitAttemptsMax?: number
  /** How long a statement waits for others that hold the database, the rows or all connections (default 10,000). */
  readonly busyTimeoutMs?: number
  /** Parsed metadata files of tables, and of views, that are kept in memory (default 256 of each). */
  readonly metadataCacheEntriesMax?: number
  /** How long the outcome of a request with a key is kept at least (default 30 minutes). */
  readonly requestLifetimeMs?: number
  /** How long dropped tables and views can be brought back (default 0: they are gone at once). */
  readonly dropRetentionMs?: number
  readonly clock: { now(): number }
  /** A random uuid in its text form, another one at each call. */
  readonly uuid: () => string
}

export type SqlCatalogComponents = {
  readonly store: ObjectStore
  /** Watches the calls to the database. */
  readonly observe?: CallObserver
  readonly onSignal?: (signal: CatalogSignal) => void
}

export type Warehouse = {
  readonly name: string
  /** Location under which tables go that name none. */
  readonly location: string
}

/** A database that holds the catalogs of any number of warehouses. */
export type CatalogDatabase = {
  readonly sql: SqlDatabase
  /** The catalog of one warehouse, the same at each call for the same name; closing it closes nothing else. */
  catalog(warehouse: Warehouse): ManagedCatalog
  close(): Promise<void>
}

const commitAttemptsMaxDefault = 20
const busyTimeoutMsDefault = 10_000
const metadataCacheEntriesMaxDefault = 256
const requestLifetimeMsDefault = 30 * 60_000

/** What the catalogs of all warehouses of a database work with. */
type SharedParts = Omit<CatalogContext, 'rows' | 'warehouse'> & {
  readonly sql: SqlDatabase
  readonly requestLifetimeMs: number
}

/**
 * Catalogs whose truth is one row per table in a SQL database, and whose metadata files are in an object store.
 * @throws FloeError unavailable when the database cannot be opened, unsupported when a newer Floe has written it
 */
export async function openCatalogDatabase(
  settings: CatalogDatabaseSettings,
  components: SqlCatalogComponents,
): Promise<CatalogDatabase> {
  const shared = await openSharedParts(settings, components)
  const opened = new Map<string, { readonly location: string; readonly catalog: ManagedCatalog }>()
  return {
    sql: shared.sql,
    catalog: ({ name, location }) => {
      const known = opened.get(name)
      if (known !== undefined && known.location !== location) {
        const message = `warehouse ${name} is at ${known.location} and at ${location}`
        throw new FloeError('invalid-input', message, {
          hint: 'give each warehouse one name and one location',
        })
      }
      const catalog = known?.catalog ?? createCatalog(shared, { name, location }, async () => {})
      opened.set(name, { location, catalog })
      return catalog
    },
    close: () => shared.sql.close(),
  }
}

export async function openSharedParts(
  settings: CatalogDatabaseSettings,
  { store, observe, onSignal }: SqlCatalogComponents,
): Promise<SharedParts> {
  const sql = await openDatabase(settings)
  const cacheEntriesMax = settings.metadataCacheEntriesMax ?? metadataCacheEntriesMaxDefault
  return {
    sql: observe === undefined ? sql : observeDatabase(sql, observe),
    tables: new MetadataFiles(store, tableFormat, cacheEntriesMax, onSignal),
    views: new MetadataFiles(store, viewFormat, cacheEntriesMax, onSignal),
    store,
    clock: settings.clock,
    uuid: settings.uuid,
    commitAttemptsMax: settings.commitAttemptsMax ?? commitAttemptsMaxDefault,
    dropRetentionMs: settings.dropRetentionMs ?? 0,
    requestLifetimeMs: settings.requestLifetimeMs ?? requestLifetimeMsDefault,
    ...(onSignal === undefined ? {} : { onSignal }),
  }
}

export function createCatalog(
  { sql, requestLifetimeMs, ...context }: SharedParts,
  { name, location }: Warehouse,
  close: () => Promise<void>,
): ManagedCatalog {
  return new SqlCatalog({
    context: { ...context, rows: createSqlStore(sql, name, context), warehouse: location },
    requestLifetimeMs,
    turns: new TableTurns(),
    close,
  })
}

function openDatabase(settings: CatalogDatabaseSettings): Promise<SqlDatabase> {
  const { database, busyTimeoutMs = busyTimeoutMsDefault } = settings
  return database.kind === 'sqlite'
    ? openSqliteDatabase(database.path, busyTimeoutMs)
    : openPostgresDatabase({ ...database, busyTimeoutMs })
}
