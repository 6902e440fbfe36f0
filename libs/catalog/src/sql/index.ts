export type { CatalogSignal } from '../catalog-signal.ts'
export { createSqlAccessStore } from './sql-access-store.ts'
export { openCatalogDatabase } from './open-catalog-database.ts'
export type {
  CatalogDatabase,
  CatalogDatabaseSettings,
  SqlCatalogComponents,
  Warehouse,
} from './open-catalog-database.ts'
export { openSqlCatalog } from './open-sql-catalog.ts'
export type { SqlCatalogSettings } from './open-sql-catalog.ts'
export type { SqlDatabase, SqlRow, SqlSession, SqlValue } from './sql-database.ts'
