import { Hono } from 'hono'
import { z } from 'zod'
import { namespaceSeparator } from '@floe/catalog'
import type { Catalog } from '@floe/catalog'
import { toFloeError } from '@floe/iceberg'
import { isHead, namingTheMissing, ProtocolError } from './error-response.ts'
import { paginate } from './pagination.ts'
import { pathNamespace, queryParent } from './path-names.ts'
import { namespaceLevels, readBody, stringMap } from './request-body.ts'
import { catalogFor } from './request-key.ts'

export const namespaceEndpoints: readonly string[] = [
  'GET /v1/{prefix}/namespaces',
  'POST /v1/{prefix}/namespaces',
  'GET /v1/{prefix}/namespaces/{namespace}',
  'HEAD /v1/{prefix}/namespaces/{namespace}',
  'DELETE /v1/{prefix}/namespaces/{namespace}',
  'POST /v1/{prefix}/namespaces/{namespace}/properties',
]

const createRequest = z.object({ namespace: namespaceLevels, properties: stringMap.nullish() })
const propertiesRequest = z.object({ updates: stringMap.nullish(), removals: z.array(z.string()).nullish() })
/** For the OpenAPI document. */
export const namespaceRequests: Readonly<Record<'create' | 'properties', z.ZodType>> = {
  create: createRequest,
  properties: propertiesRequest,
}

const missing = 'NoSuchNamespaceException'

export function namespaceRoutes(catalog: Catalog): Hono {
  const routes = new Hono()
  routes.get('/namespaces', async (context) => {
    const namespaces = await namingTheMissing(missing, () => catalog.listNamespaces(queryParent(context)))
    const access = context.get('access')
    const visible = namespaces.filter((namespace) => access?.sees(namespace) ?? true)
    const { items, nextPageToken } = paginate(context, visible, (levels) => levels.join(namespaceSeparator))
    return context.json({ namespaces: items, 'next-page-token': nextPageToken })
  })
  routes.post('/namespaces', async (context) => {
    const { namespace, properties } = await readBody(context, createRequest)
    const once = await catalogFor(context, catalog)
    await namingTheMissing(missing, () => once.createNamespace(namespace, properties ?? {}))
    return context.json({ namespace, properties: properties ?? {} })
  })
  routes.get('/namespaces/:namespace', async (context) => {
    const namespace = pathNamespace(context)
    const properties = await namingTheMissing(missing, () => catalog.loadNamespace(namespace))
    return isHead(context) ? context.body(null, 204) : context.json({ namespace, properties })
  })
  routes.delete('/namespaces/:namespace', async (context) => {
    const namespace = pathNamespace(context)
    const once = await catalogFor(context, catalog)
    await namingTheMissing(missing, () => dropNamespace(once, namespace))
    return context.body(null, 204)
  })
  routes.post('/namespaces/:namespace/properties', async (context) => {
    const namespace = pathNamespace(context)
    const request = await readBody(context, propertiesRequest)
    const [updates, removals] = [request.updates ?? {}, request.removals ?? []]
    checkOnlyOnce(updates, removals)
    const once = await catalogFor(context, catalog)
    return context.json(
      await namingTheMissing(missing, () => once.updateNamespace(namespace, { updates, removals })),
    )
  })
  return routes
}

/** The name is valid here, so that `invalid-input` can only mean: it is not empty. */
async function dropNamespace(catalog: Catalog, namespace: readonly string[]): Promise<void> {
  try {
    await catalog.dropNamespace(namespace)
  } catch (error) {
    const floe = toFloeError(error)
    if (floe.code !== 'invalid-input') throw error
    throw new ProtocolError(409, 'NamespaceNotEmptyException', floe.message, error)
  }
}

function checkOnlyOnce(updates: Readonly<Record<string, string>>, removals: readonly string[]): void {
  const both = removals.filter((key) => Object.hasOwn(updates, key))
  if (both.length === 0) return
  const message = `properties are both set and removed: ${both.join(', ')}`
  throw new ProtocolError(422, 'UnprocessableEntityException', message)
}
