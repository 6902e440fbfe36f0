export { createCatalogRoutes } from './catalog-routes.ts'
export type { CatalogRoutesSettings } from './catalog-routes.ts'
export { isWarehouseName } from './warehouses.ts'
export type { ServedWarehouse } from './warehouses.ts'
