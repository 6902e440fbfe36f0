import { FloeError } from '@floe/iceberg'
import type { JsonObject, JsonValue } from '@floe/iceberg'
import { namespaceSeparator } from '../identifier.ts'
import type { RestTransport } from './rest-transport.ts'

/** What `/v1/config` and the client's own settings make of a catalog: overrides win over settings, settings over defaults. */
export type RestConfig = {
  /** In front of every path but `/config`: empty or `/prefix`. */
  readonly pathPrefix: string
  /** Between the levels of a namespace in paths and queries, not encoded. */
  readonly separator: string
  readonly uri: string | undefined
}

export async function loadRestConfig(
  transport: RestTransport,
  settings: { readonly warehouse?: string; readonly prefix?: string },
): Promise<RestConfig> {
  const { warehouse, prefix } = settings
  const query = { warehouse }
  const answer = readJsonObject(
    await transport({ method: 'GET', path: '/config', query, effect: 'read' }),
    'config',
  )
  const merged: Readonly<Record<string, string>> = {
    ...readStringMap(answer['defaults'], 'config defaults'),
    ...(prefix === undefined ? {} : { prefix }),
    ...readStringMap(answer['overrides'], 'config overrides'),
  }
  const pathPrefix = (merged['prefix'] ?? '').replaceAll(/^\/+|\/+$/g, '')
  const separator = merged['namespace-separator']
  return {
    // Not encoded: catalogs hand out prefixes that are ready for the path, such as `main%7Cwarehouse`.
    pathPrefix: pathPrefix === '' ? '' : `/${pathPrefix}`,
    separator: separator === undefined ? namespaceSeparator : decodeURIComponent(separator),
    uri: merged['uri'],
  }
}

/** @throws FloeError corrupt-data: the catalog broke the protocol */
export function readJsonObject(value: JsonValue | undefined, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw protocolError(`${where} is not a JSON object`)
}

export function readStringMap(value: JsonValue | undefined, where: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  const entries = Object.entries(readJsonObject(value, where)).map(([key, item]): [string, string] => {
    if (typeof item === 'string') return [key, item]
    // Some catalogs write numbers and booleans as they are.
    if (typeof item === 'object') throw protocolError(`${where}: "${key}" is not a string`)
    return [key, String(item)]
  })
  return Object.fromEntries(entries)
}

export function protocolError(message: string): FloeError {
  return new FloeError('corrupt-data', `the catalog's answer breaks the REST protocol: ${message}`, {
    hint: 'check that the uri is that of an Iceberg REST catalog',
  })
}
