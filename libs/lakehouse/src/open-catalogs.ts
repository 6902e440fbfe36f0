import type { Catalog } from '@floe/catalog'
import { openRestCatalog } from '@floe/catalog/rest'
import { openCatalogDatabase } from '@floe/catalog/sql'
import type { CatalogSignal } from '@floe/catalog/sql'
import type { CallObserver, ObjectStore } from '@floe/storage'
import type { LakehouseSettings } from './settings.ts'
import { system } from './system.ts'
import type { Warehouse } from './warehouse-settings.ts'

/** The catalogs behind one setting: a database with all warehouses, or one warehouse of a catalog elsewhere. */
export type Catalogs = {
  /** The catalog of a warehouse; of one that is elsewhere there is that of the first warehouse only. */
  catalogOf(warehouse: Warehouse): Catalog | undefined
  /** As little as shows that the catalog answers. */
  check(): Promise<unknown>
  close(): Promise<void>
}

export type CatalogsComponents = {
  readonly store: ObjectStore
  readonly observe?: CallObserver
  readonly onSignal?: (signal: CatalogSignal) => void
}

export async function openCatalogs(
  { catalog, warehouses: [first] }: LakehouseSettings,
  components: CatalogsComponents,
): Promise<Catalogs> {
  if (catalog.kind === 'rest') {
    const remote = await openRestCatalog(catalog)
    return {
      catalogOf: ({ name }) => (name === first.name ? remote : undefined),
      check: () => remote.listNamespaces(),
      close: () => remote.close(),
    }
  }
  const database = await openCatalogDatabase(
    { database: catalog, clock: system.clock, uuid: system.uuid },
    components,
  )
  return {
    catalogOf: (warehouse) => database.catalog(warehouse),
    check: () => database.sql.all('SELECT 1 AS one'),
    close: () => database.close(),
  }
}
