export type {
  Catalog,
  CatalogRequest,
  LoadedTable,
  LoadedView,
  Namespace,
  NamespaceChange,
  RequestKey,
  TableChange,
  TableCommit,
  TableDefinition,
  TableIdentifier,
  ViewCommit,
  ViewDefinition,
} from './catalog.ts'
export {
  checkIdentifier,
  checkNamespace,
  formatIdentifier,
  formatNamespace,
  namespaceSeparator,
} from './identifier.ts'
