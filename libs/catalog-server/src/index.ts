export { createCatalogRoutes } from './catalog-routes.ts'
export type { CatalogRoutesSettings } from './catalog-routes.ts'
