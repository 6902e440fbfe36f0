import type { Catalog } from '@floe/catalog'
import { openGlueCatalog } from '@floe/catalog/glue'
import { openRestCatalog } from '@floe/catalog/rest'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { OpenObjectStore } from '@floe/storage'
import type { RemoteCatalogSettings } from './remote-catalog-settings.ts'
import type { LakehouseSettings } from './settings.ts'
import { system } from './system.ts'
import { VendedStorage } from './vended-storage.ts'

export type OpenedCatalog = { readonly catalog: Catalog; readonly close: () => Promise<void> }

/** The catalog that the settings name. A REST catalog teaches the store how the tables' files are reached. */
export async function openCatalog(
  settings: LakehouseSettings,
  store: OpenObjectStore,
): Promise<OpenedCatalog> {
  const { catalog, warehouse } = settings
  const { clock, uuid } = system
  switch (catalog.kind) {
    case 'rest':
      return openRest(catalog, settings, store)
    case 'glue':
      return closable(openGlueCatalog({ ...catalog, warehouse, clock, uuid }, { store }))
    case 'sqlite':
    case 'postgres':
      return closable(await openSqlCatalog({ database: catalog, warehouse, clock, uuid }, { store }))
  }
}

async function openRest(
  catalog: Extract<RemoteCatalogSettings, { kind: 'rest' }>,
  settings: LakehouseSettings,
  store: OpenObjectStore,
): Promise<OpenedCatalog> {
  const { kind: _, vendedCredentials, ...rest } = catalog
  const vended = new VendedStorage(store, settings.store.s3)
  const opened = await openRestCatalog(
    { ...rest, accessDelegation: vendedCredentials ? ['vended-credentials'] : [] },
    { ...system, onLoaded: (table) => vended.learn(table) },
  ).catch((error: unknown) => {
    vended.close()
    throw error
  })
  vended.attach(opened)
  const close = async (): Promise<void> => {
    vended.close()
    await opened.close()
  }
  return { catalog: opened, close }
}

function closable(catalog: Catalog): OpenedCatalog {
  return { catalog, close: () => catalog.close() }
}
