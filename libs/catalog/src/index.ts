export type { Catalog, LoadedTable, Namespace, TableDefinition, TableIdentifier } from './catalog.ts'
export {
  checkIdentifier,
  checkNamespace,
  formatIdentifier,
  formatNamespace,
  namespaceSeparator,
} from './identifier.ts'
