import type { Context } from 'hono'
import { z } from 'zod'
import { isManaged, placesOf } from '@floe/catalog'
import type { Namespace, Privilege, Protectable, Securable, TableIdentifier } from '@floe/catalog'
import { queryProtectable } from '../management/management-query.ts'
import { protectBody, undropBody } from '../management/management-routes.ts'
import { pathIdentifier, pathNamespace, queryNamespace, queryParent } from '../path-names.ts'
import { namespaceLevels, readBody, tableIdentifier } from '../request-body.ts'
import { securableSchema } from './access-json.ts'
import { foldersOfTable, foldersOfView, locationNeeds, updateNeeds } from './location-needs.ts'
import type { AccessWarehouse, LocatingUpdate } from './location-needs.ts'
import type { Need } from './request-access.ts'

/** `public`: without a token. `anybody`: with any valid token. Else what the principal needs. */
export type RouteRule = 'public' | 'anybody' | NeedsOf

/** What a request needs. Names come from the same functions as those that the routes themselves use. */
type NeedsOf = (context: Context, warehouse: AccessWarehouse) => readonly Need[] | Promise<readonly Need[]>

const seeNamespace: NeedsOf = (context) => onNamespace('see', pathNamespace(context))
const seeParent: NeedsOf = (context) => onNamespace('see', queryParent(context) ?? [])
const namespaceRule =
  (privilege: Privilege): NeedsOf =>
  (context) =>
    onNamespace(privilege, pathNamespace(context))
const tableRule =
  (privilege: Privilege): NeedsOf =>
  (context) =>
    onTable(privilege, pathIdentifier(context))
const warehouseRule =
  (privilege: Need['privilege']): NeedsOf =>
  () => [{ privilege, on: { kind: 'warehouse' } }]
const serverRule: NeedsOf = () => [{ privilege: 'manage', on: { kind: 'server' } }]

/** Files that a client names can be anybody's, and so can the files that those name. */
const registerRule: NeedsOf = (context) => [
  ...onNamespace('write', pathNamespace(context)),
  { privilege: 'manage', on: { kind: 'warehouse' } },
]

/**
 * Every route of the server and what it needs; a route that is not here is refused. Below the prefix of a warehouse
 * paths are as the routes register them. What changes which names there are needs more than what changes a table:
 * to make one is a write to its namespace, to take one away is to manage it.
 */
const routeRules: Readonly<Record<string, RouteRule>> = {
  'GET /health': 'public',
  'GET /ready': 'public',
  // They name warehouses and count what is asked for: for those who are known, whatever they may do.
  'GET /metrics': 'anybody',
  'GET /openapi.json': 'anybody',
  'POST /sql': warehouseRule('see'),
  'POST /ask': warehouseRule('see'),

  'GET /v1/config': warehouseRule('see'),
  'POST /v1/oauth/tokens': 'public',

  'GET /namespaces': seeParent,
  'POST /namespaces': createNamespaceNeeds,
  'GET /namespaces/:namespace': seeNamespace,
  'DELETE /namespaces/:namespace': namespaceRule('manage'),
  'POST /namespaces/:namespace/properties': namespacePropertiesNeeds,

  'GET /namespaces/:namespace/tables': seeNamespace,
  'POST /namespaces/:namespace/tables': createTableNeeds,
  'GET /namespaces/:namespace/tables/:table': tableRule('read'),
  'POST /namespaces/:namespace/tables/:table': commitTableNeeds,
  'DELETE /namespaces/:namespace/tables/:table': tableRule('manage'),
  'POST /namespaces/:namespace/tables/:table/unregister': tableRule('manage'),
  'GET /namespaces/:namespace/tables/:table/credentials': tableRule('read'),
  'POST /namespaces/:namespace/tables/:table/sign': signNeeds,
  'POST /namespaces/:namespace/tables/:table/plan': tableRule('read'),
  'GET /namespaces/:namespace/tables/:table/plan/:plan-id': tableRule('read'),
  'DELETE /namespaces/:namespace/tables/:table/plan/:plan-id': tableRule('read'),
  'POST /namespaces/:namespace/tables/:table/tasks': tableRule('read'),
  'POST /namespaces/:namespace/tables/:table/metrics': tableRule('read'),
  // Reports hold the filters of others, with their values.
  'GET /namespaces/:namespace/tables/:table/metrics': tableRule('manage'),
  'POST /namespaces/:namespace/register': registerRule,
  'POST /tables/rename': renameNeeds,

  'GET /namespaces/:namespace/views': seeNamespace,
  'POST /namespaces/:namespace/views': createViewNeeds,
  'GET /namespaces/:namespace/views/:view': tableRule('read'),
  'POST /namespaces/:namespace/views/:view': commitViewNeeds,
  'DELETE /namespaces/:namespace/views/:view': tableRule('manage'),
  'POST /namespaces/:namespace/register-view': registerRule,
  'POST /views/rename': renameNeeds,

  'POST /transactions/commit': transactionNeeds,
  'GET /namespaces/:namespace/functions': seeNamespace,
  'GET /namespaces/:namespace/functions/:function': seeNamespace,

  'GET /management/v1/tokens': serverRule,
  'POST /management/v1/tokens': serverRule,
  'DELETE /management/v1/tokens/:id': serverRule,
  'GET /management/v1/:warehouse/grants': warehouseRule('manage'),
  'POST /management/v1/:warehouse/grants': grantNeeds,
  'POST /management/v1/:warehouse/grants/remove': grantNeeds,
  'GET /management/v1/:warehouse/restrictions': warehouseRule('manage'),
  'POST /management/v1/:warehouse/restrictions': restrictionNeeds,
  'POST /management/v1/:warehouse/restrictions/remove': restrictionNeeds,
  'GET /management/v1/:warehouse/dropped': droppedNeeds,
  'POST /management/v1/:warehouse/dropped/undrop': undropNeeds,
  'POST /management/v1/:warehouse/dropped/expire': warehouseRule('manage'),
  'GET /management/v1/:warehouse/protection': (context) => onProtectable('read', queryProtectable(context)),
  'POST /management/v1/:warehouse/protection': protectNeeds,
  // They tell of all names, those of others and of what is gone by now.
  'GET /management/v1/:warehouse/audit': warehouseRule('manage'),
  'GET /management/v1/:warehouse/events': warehouseRule('manage'),
}

/** Routes that hand out files, or their names, bounds and values, which tell more than a restricted principal may see. */
export const unrestrictedRoutes: ReadonlySet<string> = new Set([
  'GET /namespaces/:namespace/tables/:table/credentials',
  'POST /namespaces/:namespace/tables/:table/sign',
  'POST /namespaces/:namespace/tables/:table/plan',
  'GET /namespaces/:namespace/tables/:table/plan/:plan-id',
  'POST /namespaces/:namespace/tables/:table/tasks',
])

/** Names of path parameters do not matter, nor does a prefix: `GET /v1/lake/namespaces/:ns` has one rule with others. */
function ruleKey(method: string, path: string): string {
  const below = path.replace(
    /^\/v1\/(?:[^/]+\/(?=namespaces|tables\/|views\/|transactions\/))?(?!config|oauth\/)/,
    '/',
  )
  return `${method} ${below.replaceAll(/:([\w-]+)(?:\{[^}]*\})?\??/g, ':')}`
}

const rulesByKey: ReadonlyMap<string, readonly [string, RouteRule]> = new Map(
  Object.entries(routeRules).map(([route, rule]) => {
    const [method = '', path = ''] = route.split(' ')
    return [ruleKey(method, path), [route, rule]]
  }),
)

/** The rule of a registered route, with its name in the table; `undefined` when there is none. */
export function findRule(method: string, path: string): readonly [string, RouteRule] | undefined {
  return rulesByKey.get(ruleKey(method, path))
}

/** No level of a namespace stands for the warehouse. */
function onNamespace(privilege: Need['privilege'], namespace: Namespace): readonly Need[] {
  const on: Securable = namespace.length === 0 ? { kind: 'warehouse' } : { kind: 'namespace', namespace }
  return [{ privilege, on }]
}

function onTable(privilege: Privilege, identifier: TableIdentifier): readonly Need[] {
  return [{ privilege, on: { kind: 'table', identifier } }]
}

async function createNamespaceNeeds(context: Context, warehouse: AccessWarehouse): Promise<readonly Need[]> {
  const { namespace, properties } = await readBody(context, createNamespaceBody)
  return [
    ...onNamespace('write', namespace.slice(0, -1)),
    ...(await locationNeeds(warehouse, namespace, [properties?.['location']], 'namespace')),
  ]
}

/** The `location` of a namespace is where its tables go. */
async function namespacePropertiesNeeds(
  context: Context,
  warehouse: AccessWarehouse,
): Promise<readonly Need[]> {
  const namespace = pathNamespace(context)
  const { updates } = await readBody(context, namespacePropertiesBody)
  const places = await locationNeeds(warehouse, namespace, [updates?.['location']], 'namespace')
  return [...onNamespace('write', namespace), ...places]
}

async function createTableNeeds(context: Context, warehouse: AccessWarehouse): Promise<readonly Need[]> {
  const namespace = pathNamespace(context)
  const { location, properties } = await readBody(context, createTableBody)
  const places = [location, ...placesOf(properties ?? {})]
  return [...onNamespace('write', namespace), ...(await locationNeeds(warehouse, namespace, places))]
}

async function commitTableNeeds(context: Context, warehouse: AccessWarehouse): Promise<readonly Need[]> {
  const identifier = pathIdentifier(context)
  const { updates } = await readBody(context, commitBody)
  return changeNeeds(warehouse, identifier, updates)
}

/** All of them at once: a forbidden table keeps the whole transaction from starting. */
async function transactionNeeds(context: Context, warehouse: AccessWarehouse): Promise<readonly Need[]> {
  const { 'table-changes': changes } = await readBody(context, transactionBody)
  // An empty transaction asks for nothing, and is no way to ask who one is.
  if (changes.length === 0) return [{ privilege: 'see', on: { kind: 'warehouse' } }]
  const needs: Need[] = []
  for (const { identifier, updates } of changes)
    needs.push(...(await changeNeeds(warehouse, identifier, updates)))
  return needs
}

async function changeNeeds(
  warehouse: AccessWarehouse,
  identifier: TableIdentifier,
  updates: readonly LocatingUpdate[],
): Promise<readonly Need[]> {
  const places = await updateNeeds(warehouse, identifier, updates, () =>
    foldersOfTable(warehouse, identifier),
  )
  return [...onTable('write', identifier), ...places]
}

async function createViewNeeds(context: Context, warehouse: AccessWarehouse): Promise<readonly Need[]> {
  const namespace = pathNamespace(context)
  const { location } = await readBody(context, createTableBody)
  return [...onNamespace('write', namespace), ...(await locationNeeds(warehouse, namespace, [location]))]
}

async function commitViewNeeds(context: Context, warehouse: AccessWarehouse): Promise<readonly Need[]> {
  const identifier = pathIdentifier(context)
  const { updates } = await readBody(context, commitBody)
  const places = await updateNeeds(warehouse, identifier, updates, () => foldersOfView(warehouse, identifier))
  return [...onTable('write', identifier), ...places]
}

async function renameNeeds(context: Context): Promise<readonly Need[]> {
  const { source, destination } = await readBody(context, renameBody)
  return [...onTable('manage', source), ...onNamespace('write', destination.namespace)]
}

async function signNeeds(context: Context): Promise<readonly Need[]> {
  const { method } = await readBody(context, signBody)
  return onTable(/^(?:GET|HEAD)$/i.test(method) ? 'read' : 'write', pathIdentifier(context))
}

async function grantNeeds(context: Context): Promise<readonly Need[]> {
  const { on } = await readBody(context, grantBody)
  return [{ privilege: 'manage', on }]
}

async function restrictionNeeds(context: Context): Promise<readonly Need[]> {
  const { table } = await readBody(context, restrictionBody)
  return onTable('manage', table)
}

function droppedNeeds(context: Context): readonly Need[] {
  return onNamespace('manage', queryNamespace(context, 'namespace') ?? [])
}

/** As a drop needs it of the namespace that the table was in; of one that is not there as much as can be. */
async function undropNeeds(context: Context, { catalog }: AccessWarehouse): Promise<readonly Need[]> {
  const { uuid, as } = await readBody(context, undropBody)
  const dropped = isManaged(catalog) ? await catalog.listDropped() : []
  const from = dropped.find((one) => one.uuid === uuid)?.identifier.namespace ?? []
  return [...onNamespace('manage', from), ...(as === undefined ? [] : onNamespace('write', as.namespace))]
}

async function protectNeeds(context: Context): Promise<readonly Need[]> {
  const { on } = await readBody(context, protectBody)
  return onProtectable('manage', on)
}

function onProtectable(privilege: Privilege, on: Protectable): readonly Need[] {
  return on.kind === 'namespace' ? onNamespace(privilege, on.namespace) : onTable(privilege, on.identifier)
}

const properties = z.record(z.string(), z.unknown())
const update = z.looseObject({
  location: z.unknown().optional(),
  updates: properties.nullish(),
  snapshot: z.unknown().optional(),
  statistics: z.unknown().optional(),
  'partition-statistics': z.unknown().optional(),
})
const createNamespaceBody = z.looseObject({ namespace: namespaceLevels, properties: properties.nullish() })
const namespacePropertiesBody = z.looseObject({ updates: properties.nullish() })
const createTableBody = z.looseObject({ location: z.unknown().optional(), properties: properties.nullish() })
const commitBody = z.looseObject({ updates: z.array(update) })
const transactionBody = z.looseObject({
  'table-changes': z.array(z.looseObject({ identifier: tableIdentifier, updates: z.array(update) })),
})
const renameBody = z.looseObject({ source: tableIdentifier, destination: tableIdentifier })
const signBody = z.looseObject({ method: z.string() })
const grantBody = z.looseObject({ on: securableSchema })
const restrictionBody = z.looseObject({ table: tableIdentifier })
