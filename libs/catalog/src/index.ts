export type {
  Catalog,
  LoadedTable,
  LoadedView,
  LoadOptions,
  Namespace,
  NamespaceChange,
  RemoteSigning,
  RequestKey,
  StorageCredential,
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
