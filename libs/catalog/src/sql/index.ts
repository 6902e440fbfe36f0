export { openSqlCatalog } from './sql-catalog.ts'
export type { SqlCatalogComponents, SqlCatalogSettings } from './sql-catalog.ts'
