import { FloeError } from '@floe/iceberg'

/** The operations that this client knows, as a catalog lists them in `/v1/config`. */
const endpoints = {
  listNamespaces: 'GET /v1/{prefix}/namespaces',
  createNamespace: 'POST /v1/{prefix}/namespaces',
  loadNamespace: 'GET /v1/{prefix}/namespaces/{namespace}',
  dropNamespace: 'DELETE /v1/{prefix}/namespaces/{namespace}',
  updateNamespace: 'POST /v1/{prefix}/namespaces/{namespace}/properties',
  listTables: 'GET /v1/{prefix}/namespaces/{namespace}/tables',
  createTable: 'POST /v1/{prefix}/namespaces/{namespace}/tables',
  loadTable: 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  commitTable: 'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  dropTable: 'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  loadCredentials: 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials',
  unregisterTable: 'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister',
  registerTable: 'POST /v1/{prefix}/namespaces/{namespace}/register',
  renameTable: 'POST /v1/{prefix}/tables/rename',
  commitTransaction: 'POST /v1/{prefix}/transactions/commit',
  listViews: 'GET /v1/{prefix}/namespaces/{namespace}/views',
  createView: 'POST /v1/{prefix}/namespaces/{namespace}/views',
  loadView: 'GET /v1/{prefix}/namespaces/{namespace}/views/{view}',
  commitView: 'POST /v1/{prefix}/namespaces/{namespace}/views/{view}',
  dropView: 'DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}',
  renameView: 'POST /v1/{prefix}/views/rename',
  registerView: 'POST /v1/{prefix}/namespaces/{namespace}/register-view',
} as const

export type Operation = keyof typeof endpoints

/** Spec `getConfig`: what a catalog offers that does not say so. */
const defaultOperations: readonly Operation[] = [
  'listNamespaces',
  'createNamespace',
  'loadNamespace',
  'dropNamespace',
  'updateNamespace',
  'listTables',
  'createTable',
  'loadTable',
  'commitTable',
  'dropTable',
  'registerTable',
  'renameTable',
  'commitTransaction',
]

/** What older catalogs announce by `view-endpoints-supported`. */
const viewOperations: readonly Operation[] = [
  'listViews',
  'createView',
  'loadView',
  'commitView',
  'dropView',
  'renameView',
]

/** Spec: the mutations that take an `Idempotency-Key`. */
export const keyedOperations: ReadonlySet<Operation> = new Set<Operation>([
  'createNamespace',
  'dropNamespace',
  'updateNamespace',
  'createTable',
  'commitTable',
  'dropTable',
  'unregisterTable',
  'registerTable',
  'renameTable',
  'commitTransaction',
  'commitView',
  'dropView',
  'renameView',
  'registerView',
])

/** The operations that a catalog offers by its `endpoints`, whatever it calls the parameters in them. */
export function offeredOperations(
  listed: readonly string[] | undefined,
  hasViews: boolean,
): ReadonlySet<Operation> {
  if (listed === undefined) return new Set([...defaultOperations, ...(hasViews ? viewOperations : [])])
  const shapes = new Set(listed.map(shapeOf))
  const all = Object.entries(endpoints) as [Operation, string][]
  return new Set(all.filter(([, endpoint]) => shapes.has(shapeOf(endpoint))).map(([operation]) => operation))
}

/** @throws FloeError unsupported: an empty answer would look like lost tables */
export function checkOffered(offered: ReadonlySet<Operation>, operation: Operation, uri: string): void {
  if (offered.has(operation)) return
  throw new FloeError('unsupported', `the catalog at ${uri} does not offer ${endpoints[operation]}`, {
    hint: 'it is not among the endpoints of its /v1/config',
  })
}

function shapeOf(endpoint: string): string {
  const [method = '', path = ''] = endpoint.trim().split(/\s+/)
  return `${method.toUpperCase()} ${path.replace(/^\/?/, '/').replaceAll(/\{[^}]*\}/g, '{}')}`
}
