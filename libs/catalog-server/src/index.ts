export { createCatalogRoutes } from './catalog-routes.ts'
export type { CatalogRoutesSettings } from './catalog-routes.ts'
export type { PlanningSettings } from './scan-planning.ts'
export type {
  CredentialVendor,
  DelegationSettings,
  RequestSigner,
  SignableRequest,
  StorageGrant,
  VendedCredentials,
} from './storage-delegation.ts'
