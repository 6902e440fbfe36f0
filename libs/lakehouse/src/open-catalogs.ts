import { isManaged } from '@floe/catalog'
import type { AccessStore, Catalog, ExpiryReport, ManagedCatalog } from '@floe/catalog'
import type { CatalogSignal } from '@floe/catalog/sql'
import { FloeError } from '@floe/iceberg'
import type { CallObserver, ObjectStore, OpenObjectStore } from '@floe/storage'
import type { RemoteCatalogSettings } from './remote-catalog-settings.ts'
import type { LakehouseSettings } from './settings.ts'
import { system } from './system.ts'
import { VendedStorage } from './vended-storage.ts'
import type { Warehouse } from './warehouse-settings.ts'

/** The catalogs behind one setting: a database with all warehouses, or one warehouse of a catalog elsewhere. */
export type Catalogs = {
  /** The catalog of a warehouse; of one that is elsewhere there is that of the first warehouse only. */
  catalogOf(warehouse: Warehouse): Catalog | undefined
  /** Who may do what, beside the names; a catalog elsewhere keeps that to itself. */
  readonly accessStore?: AccessStore
  /** As little as shows that the catalog answers. */
  check(): Promise<unknown>
  close(): Promise<void>
}

export type CatalogsComponents = {
  readonly store: ObjectStore
  /** Learns how the files of tables are reached, where the catalog says so. */
  readonly places: OpenObjectStore
  readonly observe?: CallObserver
  readonly onSignal?: (signal: CatalogSignal) => void
}

export async function openCatalogs(
  settings: LakehouseSettings,
  components: CatalogsComponents,
): Promise<Catalogs> {
  const { catalog, warehouse, dropRetentionMs } = settings
  const { clock, uuid } = system
  switch (catalog.kind) {
    case 'rest': {
      const remote = await openRemoteCatalog(catalog, settings, components.places)
      return only(remote.catalog, settings, remote.close)
    }
    case 'glue': {
      const { openGlueCatalog } = await import('@floe/catalog/glue')
      const remote = openGlueCatalog({ ...catalog, warehouse, clock, uuid }, components)
      return only(remote, settings, () => remote.close())
    }
    case 'sqlite':
    case 'postgres': {
      const { createSqlAccessStore, openCatalogDatabase } = await import('@floe/catalog/sql')
      const database = await openCatalogDatabase(
        { database: catalog, clock, uuid, dropRetentionMs },
        components,
      )
      return {
        catalogOf: (one) => database.catalog(one),
        accessStore: createSqlAccessStore(database.sql, { clock }),
        check: () => database.sql.all('SELECT 1 AS one'),
        close: () => database.close(),
      }
    }
  }
}

export type RemoteCatalog = { readonly catalog: Catalog; readonly close: () => Promise<void> }

/** A catalog at the other end of HTTP; `places` learns how it says that files are reached. */
export async function openRemoteCatalog(
  catalog: Extract<RemoteCatalogSettings, { kind: 'rest' }>,
  settings: LakehouseSettings,
  places: OpenObjectStore,
): Promise<RemoteCatalog> {
  const { kind: _, vendedCredentials, ...rest } = catalog
  const { openRestCatalog } = await import('@floe/catalog/rest')
  const vended = new VendedStorage(places, settings.store.s3)
  const remote = await openRestCatalog(
    { ...rest, accessDelegation: vendedCredentials ? ['vended-credentials'] : [] },
    { ...system, onLoaded: (table) => vended.learn(table) },
  ).catch((error: unknown) => {
    vended.close()
    throw error
  })
  vended.attach(remote)
  const close = async (): Promise<void> => {
    vended.close()
    await remote.close()
  }
  return { catalog: remote, close }
}

/** One catalog elsewhere, which stands for the first warehouse. */
function only(
  catalog: Catalog,
  { warehouses: [first] }: LakehouseSettings,
  close: () => Promise<void>,
): Catalogs {
  return {
    catalogOf: ({ name }) => (name === first.name ? catalog : undefined),
    check: () => catalog.listNamespaces(),
    close,
  }
}

export function requireCatalog(catalogs: Catalogs, warehouse: Warehouse): Catalog {
  const catalog = catalogs.catalogOf(warehouse)
  if (catalog !== undefined) return catalog
  throw new FloeError('internal', `there is no catalog of warehouse ${warehouse.name}`)
}

export function requireAccessStore({ accessStore }: Catalogs): AccessStore {
  if (accessStore !== undefined) return accessStore
  throw new FloeError('unsupported', 'the catalog keeps no tokens and grants of Floe', {
    hint: 'ask for tokens over a catalog in SQLite or PostgreSQL, or in front of another Floe server with --role query,agent',
  })
}

/** @throws FloeError unsupported for catalogs that are not Floe's own */
export function requireManaged(catalog: Catalog): ManagedCatalog {
  if (isManaged(catalog)) return catalog
  throw new FloeError('unsupported', 'the catalog keeps no dropped tables and no audit log of Floe', {
    hint: 'use a catalog in SQLite or PostgreSQL, or a Floe server',
  })
}

/** Whose doing it is, in the audit log, that a retention has ended by itself. */
const expiryPrincipal = 'floe expiry'

/** Of all warehouses whose catalog is kept here. */
export async function expireDropped(
  catalogs: Catalogs,
  warehouses: readonly Warehouse[],
): Promise<readonly ExpiryReport[]> {
  const reports: ExpiryReport[] = []
  for (const warehouse of warehouses) {
    const catalog = catalogs.catalogOf(warehouse)
    if (catalog !== undefined && isManaged(catalog))
      reports.push(await catalog.forRequest({ principal: expiryPrincipal }).expireDropped())
  }
  return reports
}
