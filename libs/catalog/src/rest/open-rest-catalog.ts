import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Catalog, LoadedTable } from '../catalog.ts'
import { openRestAuth } from './rest-auth.ts'
import type { RestAuthSettings } from './rest-auth.ts'
import { RestCatalog } from './rest-catalog.ts'
import { loadRestConfig } from './rest-config.ts'
import { RestSession } from './rest-session.ts'
import { restTransport } from './rest-transport.ts'
import type { RestTransport } from './rest-transport.ts'
import { TableCache } from './table-cache.ts'

export type RestCatalogSettings = {
  /** Of the catalog, without `/v1`. */
  readonly uri: string
  readonly warehouse?: string
  /** Default `none`. */
  readonly auth?: RestAuthSettings
  /** Path segment after `/v1`; the catalog's own override wins. */
  readonly prefix?: string
  readonly headers?: Readonly<Record<string, string>>
  /** How the catalog shall give access to a table's storage, by preference (default `['vended-credentials']`). */
  readonly accessDelegation?: readonly ('vended-credentials' | 'remote-signing')[]
  /** How long one request may take, answer included (default 60,000). */
  readonly requestTimeoutMs?: number
  /** Times that a request which may be sent again is sent, the first one included (default 4). */
  readonly attemptsMax?: number
  /** Loaded tables that are kept, and only asked about, until they change (default 64; 0 keeps none). */
  readonly tableCacheEntriesMax?: number
}

/** What is absent is the real one. */
export type RestCatalogParts = {
  readonly clock?: { now(): number }
  /** A random uuid in its text form, another one at each call. */
  readonly uuid?: () => string
  readonly sleep?: (ms: number) => Promise<unknown>
  /** A number from 0 to 1, another one at each call. */
  readonly random?: () => number
  readonly fetch?: typeof fetch
  /** Takes each table with the settings and credentials that came with it. */
  readonly onLoaded?: (table: LoadedTable) => void
}

const requestTimeoutMsDefault = 60_000
const attemptsMaxDefault = 4
const tableCacheEntriesMaxDefault = 64

/**
 * Any Iceberg REST catalog. Reads its configuration first.
 * @throws FloeError unavailable when it cannot be reached, permission-denied, not-found for an unknown warehouse
 */
export async function openRestCatalog(
  settings: RestCatalogSettings,
  parts: RestCatalogParts = {},
): Promise<Catalog> {
  const { clock = realClock, uuid = randomUUID, onLoaded = () => undefined } = parts
  const { sleep = delay, random = realRandom, fetch: fetchResponse = fetch } = parts
  const requestTimeoutMs = settings.requestTimeoutMs ?? requestTimeoutMsDefault
  const attemptsMax = settings.attemptsMax ?? attemptsMaxDefault
  const authParts = { clock, fetch: fetchResponse, requestTimeoutMs }
  const auth = openRestAuth(settings.uri, settings.auth ?? { kind: 'none' }, authParts)
  const transportTo = (uri: string, headers: Readonly<Record<string, string>>): RestTransport =>
    restTransport(
      { uri, headers, requestTimeoutMs, attemptsMax },
      { auth, fetch: fetchResponse, sleep, random },
    )
  const headers = lowerCased(settings.headers ?? {})
  const config = await loadRestConfig(transportTo(settings.uri, headers), settings)
  const transport = transportTo(config.uri, { ...headers, ...lowerCased(config.headers) })
  const delegation = (settings.accessDelegation ?? ['vended-credentials']).join(',')
  return new RestCatalog({
    session: new RestSession({ transport, config, clock, uuid }),
    cache: new TableCache(settings.tableCacheEntriesMax ?? tableCacheEntriesMaxDefault, clock),
    delegation: delegation === '' ? {} : { 'x-iceberg-access-delegation': delegation },
    onLoaded,
  })
}

const realClock = { now: (): number => performance.timeOrigin + performance.now() }

function realRandom(): number {
  return randomInt(2 ** 32) / 2 ** 32
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
