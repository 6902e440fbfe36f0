import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Catalog, LoadedTable, TableIdentifier } from '@floe/catalog'
import type { JsonObject } from '@floe/iceberg'
import { configRoutes } from './config.ts'
import { errorResponse, protocolErrorResponse } from './error-response.ts'
import { functionRoutes } from './functions.ts'
import { namespaceRoutes } from './namespaces.ts'
import { metricsRoutes } from './metrics.ts'
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

export type CatalogRoutesSettings = {
  readonly catalog: Catalog
  readonly clock: { now(): number }
  /** Told to clients as the `warehouse` default. */
  readonly warehouse?: string
  /** Path segment after `/v1` (spec `{prefix}`), told to clients as an override; without it there is none. */
  readonly prefix?: string
  /** Further members of `/v1/config`. */
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
  /** Settings that clients of a table get with it, such as `s3.endpoint`; they win over the catalog's own. */
  readonly tableConfig?: TableConfig
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

/** The Iceberg REST protocol below `/v1`, as routes to mount or serve. Authentication is the mounter's. */
export function createCatalogRoutes(settings: CatalogRoutesSettings): Hono {
  const { catalog } = settings
  const routes = new Hono()
  routes.onError(errorResponse)
  routes.notFound((context) =>
    protocolErrorResponse(
      context,
      404,
      'NotFoundException',
      `no route ${context.req.method} ${context.req.path}`,
    ),
  )
  const maxSize = settings.requestBytesMax ?? requestBytesMaxDefault
  const tooLarge = `the request body is larger than ${maxSize} bytes`
  routes.use(
    bodyLimit({
      maxSize,
      onError: (context) => protocolErrorResponse(context, 413, 'BadRequestException', tooLarge),
    }),
  )
  const bodies = new TableBodies(settings.tableBodyBytesMax ?? tableBodyBytesMaxDefault)
  const tableConfig: TableConfig = (metadata) => ({
    ...planningMode(settings),
    ...settings.tableConfig?.(metadata),
  })
  const answers = new TableAnswers(bodies, tableConfig, settings.delegation)
  const root = settings.prefix === undefined ? '/v1' : `/v1/${settings.prefix}`
  routes.route('/v1', configRoutes(settings))
  routes.route(root, namespaceRoutes(catalog))
  routes.route(root, tableRoutes(catalog, answers))
  routes.route(root, viewRoutes(catalog))
  routes.route(root, transactionRoutes(catalog))
  routes.route(root, functionRoutes(catalog))
  routes.route(root, metricsRoutes(settings))
  routes.route(root, storageRoutes(settings, answers))
  return routes
}

/** What reads storage for clients, or lets them: planning and signing, where they are set up. */
function storageRoutes(settings: CatalogRoutesSettings, answers: TableAnswers): Hono {
  const { catalog, clock, planning, delegation, uuid = randomUUID } = settings
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
