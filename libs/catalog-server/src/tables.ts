import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Catalog, TableDefinition } from '@floe/catalog'
import { FloeError, parsePartitionSpec, parseSchema, parseSortOrder } from '@floe/iceberg'
import { parseTableRequirement, parseTableUpdate } from '@floe/iceberg'
import { identifierList } from './identifier-list.ts'
import { onlyVisible } from './access/request-access.ts'
import { isHead, namingLostMetadata, namingTheMissing } from './error-response.ts'
import { paginate } from './pagination.ts'
import { pathIdentifier, pathNamespace } from './path-names.ts'
import { answerRename } from './rename.ts'
import { jsonOf, readBody, stringMap } from './request-body.ts'
import { catalogFor } from './request-key.ts'
import type { TableAnswers } from './table-answers.ts'
import type { SnapshotMode } from './table-body.ts'

export const tableEndpoints: readonly string[] = [
  'GET /v1/{prefix}/namespaces/{namespace}/tables',
  'POST /v1/{prefix}/namespaces/{namespace}/tables',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials',
  'POST /v1/{prefix}/namespaces/{namespace}/register',
  'POST /v1/{prefix}/tables/rename',
]

const createRequest = z.object({
  name: z.string(),
  schema: jsonOf('Schema'),
  location: z.string().nullish(),
  'partition-spec': jsonOf('PartitionSpec').nullish(),
  'write-order': jsonOf('SortOrder').nullish(),
  'stage-create': z.boolean().nullish(),
  properties: stringMap.nullish(),
})
const commitRequest = z.object({
  requirements: z.array(jsonOf('TableRequirement')),
  updates: z.array(jsonOf('TableUpdate')),
})
const registerRequest = z.object({
  name: z.string(),
  'metadata-location': z.string(),
  overwrite: z.boolean().nullish(),
})
/** For the OpenAPI document. */
export const tableRequests: Readonly<Record<'create' | 'commit' | 'register', z.ZodType>> = {
  create: createRequest,
  commit: commitRequest,
  register: registerRequest,
}

const missing = 'NoSuchTableException'

type Handled = Promise<Response>

export function tableRoutes(catalog: Catalog, answers: TableAnswers): Hono {
  return new Hono()
    .get('/namespaces/:namespace/tables', (context) => listTables(context, catalog))
    .post('/namespaces/:namespace/tables', (context) => createTable(context, catalog, answers))
    .get('/namespaces/:namespace/tables/:table', (context) => loadTable(context, catalog, answers))
    .post('/namespaces/:namespace/tables/:table', (context) => commitTable(context, catalog, answers))
    .delete('/namespaces/:namespace/tables/:table', (context) => dropTable(context, catalog))
    .post('/namespaces/:namespace/register', (context) => registerTable(context, catalog, answers))
    .post('/namespaces/:namespace/tables/:table/unregister', (context) =>
      unregisterTable(context, catalog, answers),
    )
    .get('/namespaces/:namespace/tables/:table/credentials', (context) =>
      loadCredentials(context, catalog, answers),
    )
    .post('/tables/rename', async (context) => {
      const once = await catalogFor(context, catalog)
      return answerRename(context, catalog, missing, (from, to) => once.renameTable(from, to))
    })
}

async function listTables(context: Context, catalog: Catalog): Handled {
  const namespace = pathNamespace(context)
  const tables = await namingTheMissing('NoSuchNamespaceException', () => catalog.listTables(namespace))
  const { items, nextPageToken } = paginate(context, onlyVisible(context, tables), ({ name }) => name)
  return identifierList(items, nextPageToken)
}

async function createTable(context: Context, catalog: Catalog, answers: TableAnswers): Handled {
  const namespace = pathNamespace(context)
  const request = await readBody(context, createRequest)
  const identifier = { namespace, name: request.name }
  const definition = tableDefinition(request)
  const once = await catalogFor(context, catalog)
  return namingTheMissing('NoSuchNamespaceException', async () =>
    request['stage-create'] === true
      ? answers.staged(context, await catalog.stageTable(identifier, definition))
      : answers.loaded(context, await once.createTable(identifier, definition), 'all'),
  )
}

async function loadTable(context: Context, catalog: Catalog, answers: TableAnswers): Handled {
  const identifier = pathIdentifier(context)
  const mode = snapshotMode(context)
  const table = await namingTheMissing(missing, () => namingLostMetadata(() => catalog.loadTable(identifier)))
  return isHead(context) ? context.body(null, 204) : answers.loaded(context, table, mode)
}

async function commitTable(context: Context, catalog: Catalog, answers: TableAnswers): Handled {
  const identifier = pathIdentifier(context)
  const request = await readBody(context, commitRequest)
  const requirements = request.requirements.map((item) => parseTableRequirement(item))
  const updates = request.updates.map((item) => parseTableUpdate(item))
  // A table that is being created can only lack its namespace.
  const isCreate = requirements.some(({ type }) => type === 'assert-create')
  const once = await catalogFor(context, catalog)
  return namingTheMissing(isCreate ? 'NoSuchNamespaceException' : missing, async () =>
    answers.committed(await once.commitTable(identifier, { requirements, updates })),
  )
}

async function dropTable(context: Context, catalog: Catalog): Handled {
  const identifier = pathIdentifier(context)
  // PyIceberg writes `True`.
  const purge = context.req.query('purgeRequested')?.toLowerCase() === 'true'
  const once = await catalogFor(context, catalog)
  await namingTheMissing(missing, () => once.dropTable(identifier, { purge }))
  return context.body(null, 204)
}

async function registerTable(context: Context, catalog: Catalog, answers: TableAnswers): Handled {
  const namespace = pathNamespace(context)
  const { name, overwrite, 'metadata-location': location } = await readBody(context, registerRequest)
  const once = await catalogFor(context, catalog)
  const options = { overwrite: overwrite ?? false }
  return namingTheMissing('NoSuchNamespaceException', async () =>
    answers.loaded(context, await once.registerTable({ namespace, name }, location, options), 'all'),
  )
}

/** Spec `UnregisterTableResult`: the table as its last commit left it. */
async function unregisterTable(context: Context, catalog: Catalog, answers: TableAnswers): Handled {
  const identifier = pathIdentifier(context)
  const once = await catalogFor(context, catalog)
  return namingTheMissing(missing, async () => answers.unregistered(await once.unregisterTable(identifier)))
}

/** Spec `LoadCredentialsResponse`; for a plan they only read. The list is empty where clients bring their own. */
async function loadCredentials(context: Context, catalog: Catalog, answers: TableAnswers): Handled {
  const identifier = pathIdentifier(context)
  const table = await namingTheMissing(missing, () => catalog.loadTable(identifier))
  const mode = context.req.query('planId') === undefined ? 'widest' : 'read'
  const credentials = await answers.delegation.credentialsOf(context, table, mode)
  context.header('cache-control', 'private, no-store')
  return context.json({ 'storage-credentials': credentials })
}

function tableDefinition(request: z.output<typeof createRequest>): TableDefinition {
  const { schema, location, properties, 'partition-spec': spec, 'write-order': order } = request
  return {
    schema: parseSchema(schema),
    ...(spec ? { partitionSpec: parsePartitionSpec(spec) } : {}),
    ...(order ? { sortOrder: parseSortOrder(order) } : {}),
    ...(typeof location === 'string' ? { location } : {}),
    ...(properties ? { properties } : {}),
  }
}

function snapshotMode(context: Context): SnapshotMode {
  const mode = context.req.query('snapshots')?.toLowerCase() ?? 'all'
  if (mode === 'all' || mode === 'refs') return mode
  throw new FloeError('invalid-input', 'snapshots must be "all" or "refs"')
}
