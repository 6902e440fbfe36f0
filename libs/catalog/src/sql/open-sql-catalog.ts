import type { ManagedCatalog } from '../managed-catalog.ts'
import { createCatalog, openSharedParts } from './open-catalog-database.ts'
import type { CatalogDatabaseSettings, SqlCatalogComponents } from './open-catalog-database.ts'

export type SqlCatalogSettings = CatalogDatabaseSettings & {
  /** Location under which tables go that name none. */
  readonly warehouse: string
}

/** What a store has one of when nobody names it, and what the stores of the first releases become. */
const warehouseName = 'default'

/** The catalog of a database's one warehouse; closing it closes the database. Errors as of `openCatalogDatabase`. */
export async function openSqlCatalog(
  settings: SqlCatalogSettings,
  components: SqlCatalogComponents,
): Promise<ManagedCatalog> {
  const shared = await openSharedParts(settings, components)
  return createCatalog(shared, { name: warehouseName, location: settings.warehouse }, () =>
    shared.sql.close(),
  )
}
