export type { Catalog, LoadedTable, Namespace, TableDefinition, TableIdentifier } from './catalog.ts'
export { checkIdentifier, checkNamespace, formatIdentifier, formatNamespace, namespaceSeparator } from './identifier.ts'
export { BoundedCache } from './bounded-cache.ts'
