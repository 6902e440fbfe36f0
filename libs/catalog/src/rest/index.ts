export { openRestCatalog } from './rest-catalog.ts'
export type { RestCatalogSettings } from './rest-catalog.ts'
