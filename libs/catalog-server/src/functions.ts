import { Hono } from 'hono'
import { formatIdentifier } from '@floe/catalog'
import type { Catalog } from '@floe/catalog'
import { namingTheMissing, ProtocolError } from './error-response.ts'
import { pathIdentifier, pathNamespace } from './path-names.ts'

export const functionEndpoints: readonly string[] = [
  'GET /v1/{prefix}/namespaces/{namespace}/functions',
  'GET /v1/{prefix}/namespaces/{namespace}/functions/{function}',
]

/** The catalog keeps no SQL functions, and says so in the spec's words: empty lists, and nothing to load. */
export function functionRoutes(catalog: Catalog): Hono {
  const missing = 'NoSuchNamespaceException'
  return new Hono()
    .get('/namespaces/:namespace/functions', async (context) => {
      await namingTheMissing(missing, () => catalog.loadNamespace(pathNamespace(context)))
      return context.json({ identifiers: [], 'next-page-token': null })
    })
    .get('/namespaces/:namespace/functions/:function', async (context) => {
      const identifier = pathIdentifier(context)
      await namingTheMissing(missing, () => catalog.loadNamespace(identifier.namespace))
      const message = `Function does not exist: ${formatIdentifier(identifier)}`
      throw new ProtocolError(404, 'NoSuchFunctionException', message)
    })
}
