export type {
  Catalog,
  CatalogRequest,
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
export { auditActions, isManaged } from './managed-catalog.ts'
export type {
  AuditAction,
  AuditEntry,
  AuditFilter,
  AuditObject,
  CatalogManagement,
  DroppedRelation,
  EventPage,
  ExpiryReport,
  ManagedCatalog,
  Protectable,
} from './managed-catalog.ts'
export { isResourceSegment, isWarehouseName } from './warehouse-name.ts'
export {
  checkIdentifier,
  checkNamespace,
  formatIdentifier,
  formatNamespace,
  namespaceSeparator,
} from './identifier.ts'
export { hasPrivilege, isVisible, privilegeOn, privileges } from './access-store.ts'
export type {
  AccessRequest,
  AccessStore,
  Grant,
  Grantee,
  Principal,
  Privilege,
  Securable,
  StoredToken,
  TokenKind,
} from './access-store.ts'
export {
  checkMask,
  combineRules,
  fieldsOf,
  keepRowFilter,
  maskActions,
  parseReadRestrictions,
  readRestrictionsToJson,
} from './read-restrictions.ts'
export type { ColumnMask, MaskAction, ReadRestrictions, ReadRule } from './read-restrictions.ts'
export { findReachableFiles } from './reachable-files.ts'
export { isWithin, placesOf, tableFolders } from './table-folders.ts'
