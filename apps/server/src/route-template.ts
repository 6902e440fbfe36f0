import { matchedRoutes } from 'hono/route'
import type { ServerContext } from './server-context.ts'

/** Path below `/v1` whose first segment is a resource, so that there is no prefix. */
const unprefixed = /^\/v1\/(?:config|oauth|namespaces|tables|views|transactions)(?:\/|$)/

/**
 * The pattern of the route that answers, as the catalog protocol writes it: `/v1/{prefix}/namespaces/{namespace}`.
 * There are only so many, whatever clients ask for. `undefined` when no route fits.
 */
export function routeTemplate(context: ServerContext): string | undefined {
  const path = matchedRoutes(context).findLast(({ path }) => !path.endsWith('*'))?.path
  return path === undefined ? undefined : templateOf(path)
}

/** The same of a path as it was registered. */
export function templateOf(path: string): string {
  const template = path.replaceAll(/:([\w-]+)(?:\{[^}]*\})?/g, '{$1}')
  if (!template.startsWith('/v1/') || /^\/v1\/(?:config|oauth)(?:\/|$)/.test(template)) return template
  return unprefixed.test(template)
    ? template.replace('/v1/', '/v1/{prefix}/')
    : template.replace(/^\/v1\/[^/]+/, '/v1/{prefix}')
}
