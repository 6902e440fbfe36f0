export { openRestCatalog } from './open-rest-catalog.ts'
export type { RestCatalogParts, RestCatalogSettings } from './open-rest-catalog.ts'
export type { RestAuthSettings } from './rest-auth.ts'
