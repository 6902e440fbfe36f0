export { openGlueCatalog } from './open-glue-catalog.ts'
export type { GlueCatalogSettings } from './open-glue-catalog.ts'
