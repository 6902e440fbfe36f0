import { FloeError } from '@floe/iceberg'
import type { JsonObject, JsonValue } from '@floe/iceberg'
import { namespaceSeparator } from '../identifier.ts'
import { parseDurationMs } from './idempotency-key.ts'
import { offeredOperations } from './rest-endpoint.ts'
import type { Operation } from './rest-endpoint.ts'
import type { RestTransport } from './rest-transport.ts'

/** What `/v1/config` and the client's own settings make of a catalog: overrides win over settings, settings over defaults. */
export type RestConfig = {
  /** In front of every path but `/config`: empty or `/prefix`. */
  readonly pathPrefix: string
  /** Between the levels of a namespace in paths and queries, not encoded. */
  readonly separator: string
  readonly uri: string
  /** Those that the catalog wants with each request. */
  readonly headers: Readonly<Record<string, string>>
  readonly offered: ReadonlySet<Operation>
  /** How long a key may be used again; absent when the catalog knows no `Idempotency-Key`. */
  readonly keyLifetimeMs: number | undefined
}

const headerPrefix = 'header.'

export async function loadRestConfig(
  transport: RestTransport,
  settings: { readonly uri: string; readonly warehouse?: string; readonly prefix?: string },
): Promise<RestConfig> {
  const { warehouse, prefix } = settings
  const query = { warehouse }
  const answer = readJsonObject(
    (await transport({ method: 'GET', path: '/config', query, effect: 'read' })).body,
    'config',
  )
  const merged: Readonly<Record<string, string>> = {
    ...readStringMap(answer['defaults'], 'config defaults'),
    ...(prefix === undefined ? {} : { prefix }),
    ...readStringMap(answer['overrides'], 'config overrides'),
  }
  const pathPrefix = (merged['prefix'] ?? '').replaceAll(/^\/+|\/+$/g, '')
  const separator = merged['namespace-separator']
  const listed = answer['endpoints']
  const lifetime = answer['idempotency-key-lifetime']
  return {
    // Not encoded: catalogs hand out prefixes that are ready for the path, such as `main%7Cwarehouse`.
    pathPrefix: pathPrefix === '' ? '' : `/${pathPrefix}`,
    separator: separator === undefined ? namespaceSeparator : decodeURIComponent(separator),
    uri: merged['uri'] ?? settings.uri,
    headers: headersIn(merged),
    offered: offeredOperations(
      listed === undefined || listed === null ? undefined : readStrings(listed, 'endpoints'),
      merged['view-endpoints-supported'] === 'true',
    ),
    keyLifetimeMs: typeof lifetime === 'string' ? parseDurationMs(lifetime) : undefined,
  }
}

function headersIn(merged: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const found = Object.entries(merged).filter(([key]) => key.startsWith(headerPrefix))
  return Object.fromEntries(found.map(([key, value]) => [key.slice(headerPrefix.length), value]))
}

/** @throws FloeError corrupt-data: the catalog broke the protocol */
export function readJsonObject(value: JsonValue | undefined, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw protocolError(`${where} is not a JSON object`)
}

export function readStrings(value: JsonValue | undefined, where: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw protocolError(`${where} is not an array of strings`)
  }
  return value as readonly string[]
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
