export { openSqlCatalog } from './open-sql-catalog.ts'
export type { SqlCatalogComponents, SqlCatalogSettings } from './open-sql-catalog.ts'
