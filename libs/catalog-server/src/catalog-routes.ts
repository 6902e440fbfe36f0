import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import type { Context, Next } from 'hono'
import { isManaged } from '@floe/catalog'
import type { Catalog, LoadedTable, ManagedCatalog, TableIdentifier } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import type { AccessControl } from './access/access-control.ts'
import { configRoutes } from './config.ts'
import { errorResponse, protocolErrorResponse } from './error-response.ts'
import { functionRoutes } from './functions.ts'
import { managementRoutes } from './management/management-routes.ts'
import { namespaceRoutes } from './namespaces.ts'
import { metricsRoutes } from './metrics.ts'
import { limitBody } from './request-limit.ts'
import { planCredentials, planningMode, planningRoutes } from './scan-planning.ts'
import type { PlanningSettings } from './scan-planning.ts'
import { signRoutes } from './sign.ts'
import type { DelegationSettings } from './storage-delegation.ts'
import { TableAnswers } from './table-answers.ts'
import type { TableConfig } from './table-answers.ts'
import { TableBodies } from './table-body.ts'
import { tableRoutes } from './tables.ts'
import { transactionRoutes } from './transactions.ts'
import { viewRoutes } from './views.ts'
import { noSuchWarehouse, pathPrefix } from './warehouses.ts'
import type { ServedWarehouse } from './warehouses.ts'

export type CatalogRoutesSettings = {
  /** Of the default warehouse, which answers without a prefix too. */
  readonly catalog: Catalog
  readonly clock: { now(): number }
  /** Location of the default warehouse, told to clients as the `warehouse` default. */
  readonly warehouse?: string
  /** Name of the default warehouse: path segment after `/v1` (spec `{prefix}`), told to clients as an override. */
  readonly prefix?: string
  /** Further ones, each below its own prefix. */
  readonly warehouses?: readonly (ServedWarehouse & { readonly name: string })[]
  /** Further members of `/v1/config`. */
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
  /** Settings that clients of a table get with it, such as `s3.endpoint`; they win over the catalog's own. */
  readonly tableConfig?: TableConfig
  /** Who may do what; without it everybody may do everything. */
  readonly access?: AccessControl
  /** Takes the scan and commit reports of clients as they come. */
  readonly reportMetrics?: (identifier: TableIdentifier, report: JsonObject, receivedAtMs: number) => void
  /** Reports of clients that are kept in memory, of all tables together (default 1000). */
  readonly metricsReportsMax?: number
  /** Plans scans for clients; not served without it. */
  readonly planning?: PlanningSettings
  /** Access of clients to the files of tables; they bring their own without it. */
  readonly delegation?: DelegationSettings
  /** Ids of plans (default random). */
  readonly uuid?: () => string
  /** Largest request body (default 32 MiB; a commit carries schemas and snapshots, never data). */
  readonly requestBytesMax?: number
  /** Memory for table answers that are kept ready to be sent (default 64 MiB). */
  readonly tableBodyBytesMax?: number
}

const requestBytesMaxDefault = 32 * 1024 * 1024
const tableBodyBytesMaxDefault = 64 * 1024 * 1024

export type CatalogRoutes = Hono

/** The Iceberg REST protocol below `/v1`, and with access control `/management/v1`, as routes to mount or serve. */
export function createCatalogRoutes(settings: CatalogRoutesSettings): CatalogRoutes {
  const routes = new Hono()
  routes.onError(errorResponse)
  const limit = limitBody(settings.requestBytesMax ?? requestBytesMaxDefault)
  for (const below of ['/v1/*', '/management/*']) {
    routes.use(below, limit, refuseAmbiguity)
    // Some rules look into the body: its length is checked first.
    if (settings.access !== undefined)
      routes.use(below, settings.access.authenticate, settings.access.authorize)
  }
  if (settings.access !== undefined) routes.route('/', settings.access.routes)
  const bodies = new TableBodies(settings.tableBodyBytesMax ?? tableBodyBytesMaxDefault)
  const [first, ...others] = servedWarehouses(settings)
  routes.route('/v1', configRoutes([first, ...others], settings))
  for (const warehouse of [first, ...others]) {
    const own = warehouseRoutes(warehouse, bodies, settings)
    if (warehouse === first) routes.route('/v1', own)
    if (warehouse.name !== undefined) routes.route(`/v1/${warehouse.name}`, own)
  }
  const warehouses = [first, ...others]
  if (warehouses.some(({ catalog }) => isManaged(catalog)))
    routes.route(
      '/',
      managementRoutes((context) => managedCatalog(context, [first, ...others])),
    )
  for (const below of ['/v1/*', '/management/*'])
    routes.all(below, (context) => answerUnknown(context, [first, ...others]))
  return routes
}

/** Of a parameter that comes twice, proxies and servers take different ones. */
function refuseAmbiguity(context: Context, next: Next): Promise<void> {
  for (const [name, values] of Object.entries(context.req.queries())) {
    if (values.length === 1) continue
    throw new FloeError('invalid-input', `the query parameter ${name} comes ${values.length} times`)
  }
  return next()
}

/** The default warehouse first. */
function servedWarehouses(settings: CatalogRoutesSettings): readonly [ServedWarehouse, ...ServedWarehouse[]] {
  const { catalog, prefix: name, warehouse: location, tableConfig, delegation, warehouses = [] } = settings
  return [
    {
      catalog,
      ...(name === undefined ? {} : { name }),
      ...(location === undefined ? {} : { location }),
      ...(tableConfig === undefined ? {} : { tableConfig }),
      ...(delegation === undefined ? {} : { delegation }),
    },
    ...warehouses,
  ]
}

/** What stands below the prefix of one warehouse. */
function warehouseRoutes(
  warehouse: ServedWarehouse,
  bodies: TableBodies,
  settings: CatalogRoutesSettings,
): Hono {
  const { catalog, tableConfig, delegation } = warehouse
  const configOf: TableConfig = (metadata) => ({ ...planningMode(settings), ...tableConfig?.(metadata) })
  const answers = new TableAnswers(bodies, configOf, delegation)
  return new Hono()
    .route('/', namespaceRoutes(catalog))
    .route('/', tableRoutes(catalog, answers))
    .route('/', viewRoutes(catalog))
    .route('/', transactionRoutes(catalog))
    .route('/', functionRoutes(catalog))
    .route('/', metricsRoutes(settings))
    .route('/', storageRoutes(warehouse, answers, settings))
}

/** Of the warehouse that the path names; a default one without a name answers to any that no other has. */
function managedCatalog(
  context: Context,
  [first, ...others]: readonly [ServedWarehouse, ...ServedWarehouse[]],
): ManagedCatalog {
  const asked = context.req.param('warehouse') ?? ''
  const named = [first, ...others].find(({ name }) => name === asked)
  const { catalog } = named ?? (first.name === undefined ? first : {})
  if (catalog === undefined) throw noSuchWarehouse(asked)
  if (isManaged(catalog)) return catalog
  throw new FloeError('unsupported', 'the catalog of this warehouse keeps no log and no dropped tables')
}

/** What reads storage for clients, or lets them: planning and signing, where they are set up. */
function storageRoutes(
  { catalog, delegation }: ServedWarehouse,
  answers: TableAnswers,
  { clock, planning, uuid = randomUUID }: CatalogRoutesSettings,
): Hono {
  const routes = new Hono()
  if (planning !== undefined) {
    const credentials = (context: Context, table: LoadedTable): Promise<JsonObject> =>
      planCredentials(context, table, answers.delegation)
    routes.route('/', planningRoutes(planning, { catalog, clock, uuid, credentials }))
  }
  if (delegation?.signer !== undefined)
    routes.route('/', signRoutes(catalog, delegation.signer, answers.delegation))
  return routes
}

/** Last of the routes, and no `notFound`: that one would be lost where these routes are mounted. */
function answerUnknown(context: Context, warehouses: readonly ServedWarehouse[]): Response {
  const { path } = context.req
  const prefix = path.startsWith('/v1/') ? pathPrefix(path) : undefined
  if (prefix !== undefined && !warehouses.some(({ name }) => name === prefix)) throw noSuchWarehouse(prefix)
  const message = `no route ${context.req.method} ${context.req.path}`
  return protocolErrorResponse(context, 404, 'NotFoundException', message)
}
