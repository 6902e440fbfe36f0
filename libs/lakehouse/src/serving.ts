export { catalogErrorResponse, catalogOperations, catalogSchemas, requestText } from '@floe/catalog-server'
export type { Operation } from '@floe/catalog-server'
