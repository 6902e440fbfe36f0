import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Catalog, LoadedView } from '@floe/catalog'
import { parseSchema, parseViewRequirement, parseViewUpdate, parseViewVersion } from '@floe/iceberg'
import { stringifyJson, toFloeError, viewMetadataToJson } from '@floe/iceberg'
import { onlyVisible } from './access/request-access.ts'
import { isHead, namingLostMetadata, namingTheMissing, ProtocolError } from './error-response.ts'
import { identifierList } from './identifier-list.ts'
import { paginate } from './pagination.ts'
import { pathIdentifier, pathNamespace } from './path-names.ts'
import { answerRename } from './rename.ts'
import { jsonOf, readBody, stringMap } from './request-body.ts'
import { catalogFor } from './request-key.ts'

export const viewEndpoints: readonly string[] = [
  'GET /v1/{prefix}/namespaces/{namespace}/views',
  'POST /v1/{prefix}/namespaces/{namespace}/views',
  'GET /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'POST /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}',
  'POST /v1/{prefix}/namespaces/{namespace}/register-view',
  'POST /v1/{prefix}/views/rename',
]

const createRequest = z.object({
  name: z.string(),
  schema: jsonOf('Schema'),
  'view-version': jsonOf('ViewVersion'),
  location: z.string().nullish(),
  properties: stringMap.nullish(),
})
const commitRequest = z.object({
  requirements: z.array(jsonOf('ViewRequirement')).nullish(),
  updates: z.array(jsonOf('ViewUpdate')),
})
const registerRequest = z.object({ name: z.string(), 'metadata-location': z.string() })
/** For the OpenAPI document. */
export const viewRequests: Readonly<Record<'create' | 'commit' | 'register', z.ZodType>> = {
  create: createRequest,
  commit: commitRequest,
  register: registerRequest,
}

const missing = 'NoSuchViewException'

type Handled = Promise<Response>

export function viewRoutes(catalog: Catalog): Hono {
  return new Hono()
    .get('/namespaces/:namespace/views', (context) => listViews(context, catalog))
    .post('/namespaces/:namespace/views', (context) => createView(context, catalog))
    .get('/namespaces/:namespace/views/:view', (context) => loadView(context, catalog))
    .post('/namespaces/:namespace/views/:view', (context) => commitView(context, catalog))
    .delete('/namespaces/:namespace/views/:view', (context) => dropView(context, catalog))
    .post('/namespaces/:namespace/register-view', (context) => registerView(context, catalog))
    .post('/views/rename', async (context) => {
      const once = await catalogFor(context, catalog)
      return answerRename(context, catalog, missing, (from, to) => once.renameView(from, to))
    })
}

async function listViews(context: Context, catalog: Catalog): Handled {
  const namespace = pathNamespace(context)
  const views = await namingTheMissing('NoSuchNamespaceException', () => catalog.listViews(namespace))
  const { items, nextPageToken } = paginate(context, onlyVisible(context, views), ({ name }) => name)
  return identifierList(items, nextPageToken)
}

async function createView(context: Context, catalog: Catalog): Handled {
  const namespace = pathNamespace(context)
  const { name, schema, location, properties, ...request } = await readBody(context, createRequest)
  const definition = {
    schema: parseSchema(schema),
    version: parseViewVersion(request['view-version']),
    ...(typeof location === 'string' ? { location } : {}),
    ...(properties ? { properties } : {}),
  }
  const once = await catalogFor(context, catalog)
  return namingTheMissing('NoSuchNamespaceException', async () =>
    loadedView(await namingTheArgument(() => once.createView({ namespace, name }, definition))),
  )
}

async function loadView(context: Context, catalog: Catalog): Handled {
  const identifier = pathIdentifier(context)
  const view = await namingTheMissing(missing, () => namingLostMetadata(() => catalog.loadView(identifier)))
  return isHead(context) ? context.body(null, 204) : loadedView(view)
}

async function commitView(context: Context, catalog: Catalog): Handled {
  const identifier = pathIdentifier(context)
  const request = await readBody(context, commitRequest)
  const requirements = (request.requirements ?? []).map((item) => parseViewRequirement(item))
  const updates = request.updates.map((item) => parseViewUpdate(item))
  const once = await catalogFor(context, catalog)
  return namingTheMissing(missing, async () =>
    loadedView(await namingTheArgument(() => once.commitView(identifier, { requirements, updates }))),
  )
}

/** A view that is well-formed but makes no sense: Java's client tells that from a malformed request by the type. */
async function namingTheArgument<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message } = toFloeError(error)
    if (code !== 'invalid-input') throw error
    throw new ProtocolError(400, 'IllegalArgumentException', message, error)
  }
}

async function dropView(context: Context, catalog: Catalog): Handled {
  const identifier = pathIdentifier(context)
  const once = await catalogFor(context, catalog)
  await namingTheMissing(missing, () => once.dropView(identifier))
  return context.body(null, 204)
}

async function registerView(context: Context, catalog: Catalog): Handled {
  const namespace = pathNamespace(context)
  const { name, 'metadata-location': location } = await readBody(context, registerRequest)
  const once = await catalogFor(context, catalog)
  return namingTheMissing('NoSuchNamespaceException', async () =>
    loadedView(await once.registerView({ namespace, name }, location)),
  )
}

/** Spec `LoadViewResult`. */
function loadedView({ metadata, metadataLocation, config }: LoadedView): Response {
  const body = { 'metadata-location': metadataLocation, metadata: viewMetadataToJson(metadata), config }
  return new Response(stringifyJson(body), { headers: { 'content-type': 'application/json' } })
}
