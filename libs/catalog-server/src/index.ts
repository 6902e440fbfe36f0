export { createCatalogRoutes } from './catalog-routes.ts'
export type { CatalogRoutes, CatalogRoutesSettings } from './catalog-routes.ts'
export { errorResponse as catalogErrorResponse } from './error-response.ts'
export { requestText } from './request-text.ts'
export type { ServedWarehouse } from './warehouses.ts'
export { catalogOperations, catalogSchemas } from './openapi/operations.ts'
export type { Operation } from './openapi/operations.ts'
export { createAccessAdmin } from './access/access-admin.ts'
export type { AccessAdmin, IssuedToken, NamedRestriction, TokenRequest } from './access/access-admin.ts'
export { createAccessControl } from './access/access-control.ts'
export type { AccessControl, AccessControlSettings } from './access/access-control.ts'
export { grantSchema, grantToJson, securableToJson } from './access/access-json.ts'
export type { TokenInfo } from './access/access-json.ts'
export type { TokenComponents } from './access/access-token.ts'
export type { AccessWarehouse } from './access/location-needs.ts'
export type { OidcIssuer, OidcSettings } from './access/oidc-authenticator.ts'
export { requireBearer } from './access/require-bearer.ts'
export { asVisible } from './access/request-access.ts'
export type { WarehouseAccess } from './access/request-access.ts'
export { visibleCatalog } from './access/visible-catalog.ts'
export type { ReadableCatalog } from './access/visible-catalog.ts'
export type { PlanningSettings } from './scan-planning.ts'
export type {
  CredentialVendor,
  DelegationSettings,
  RequestSigner,
  SignableRequest,
  StorageGrant,
  VendedCredentials,
} from './storage-delegation.ts'
export {
  auditEntrySchema,
  auditObjectToJson,
  droppedSchema,
  protectableSchema,
} from './management/management-json.ts'
