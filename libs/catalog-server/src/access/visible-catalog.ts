import type { Catalog } from '@floe/catalog'
import type { WarehouseAccess } from './request-access.ts'

/** What reads of a catalog need of it. */
export type ReadableCatalog = Pick<
  Catalog,
  'listNamespaces' | 'listTables' | 'listViews' | 'loadTable' | 'loadView'
>

/** A catalog as one principal sees it: lists without what is hidden, tables with what may be seen of them. */
export function visibleCatalog(catalog: ReadableCatalog, access: WarehouseAccess): ReadableCatalog {
  return {
    async listNamespaces(parent) {
      return (await catalog.listNamespaces(parent)).filter((namespace) => access.sees(namespace))
    },
    async listTables(namespace) {
      return (await catalog.listTables(namespace)).filter((identifier) => access.seesTable(identifier))
    },
    async listViews(namespace) {
      return (await catalog.listViews(namespace)).filter((identifier) => access.seesTable(identifier))
    },
    async loadTable(identifier, options) {
      access.require({ privilege: 'read', on: { kind: 'table', identifier } })
      return access.restrict(await catalog.loadTable(identifier, options))
    },
    async loadView(identifier) {
      access.require({ privilege: 'read', on: { kind: 'table', identifier } })
      return catalog.loadView(identifier)
    },
  }
}
