import type { JsonValue } from '@floe/iceberg'
import type { Namespace, TableIdentifier } from '../catalog.ts'
import { checkIdentifier, checkNamespace } from '../identifier.ts'
import { newIdempotencyKey } from './idempotency-key.ts'
import { protocolError, readJsonObject } from './rest-config.ts'
import type { RestConfig } from './rest-config.ts'
import { checkOffered, keyedOperations } from './rest-endpoint.ts'
import type { Operation } from './rest-endpoint.ts'
import type { RestAnswer, RestRequest, RestTransport } from './rest-transport.ts'

/** Pages of one list that are read before the catalog is taken to be broken. */
const listPagesMax = 100_000

export type SessionComponents = {
  readonly transport: RestTransport
  readonly config: RestConfig
  readonly clock: { now(): number }
  /** A random uuid in its text form, another one at each call. */
  readonly uuid: () => string
}

/** Requests to one configured catalog: only what it offers, below its prefix, with a key where it answers for keys. */
export class RestSession {
  readonly #components: SessionComponents
  /** Of a request that takes effect once: sent with each change. */
  readonly #key: string | undefined

  constructor(components: SessionComponents, key?: string) {
    this.#components = components
    this.#key = key
  }

  withKey(key: string): RestSession {
    return new RestSession(this.#components, key)
  }

  get separator(): string {
    return this.#components.config.separator
  }

  get keyLifetimeMs(): number | undefined {
    return this.#components.config.keyLifetimeMs
  }

  offers(operation: Operation): boolean {
    return this.#components.config.offered.has(operation)
  }

  /** @throws FloeError unsupported when the catalog does not offer the operation */
  async send(operation: Operation, request: RestRequest): Promise<RestAnswer> {
    const { transport, config } = this.#components
    checkOffered(config.offered, operation, config.uri)
    return transport({ ...request, ...this.#keyFor(operation), path: `${config.pathPrefix}${request.path}` })
  }

  async body(operation: Operation, request: RestRequest): Promise<JsonValue | undefined> {
    return (await this.send(operation, request)).body
  }

  /** Every page of a list. A catalog that does not page has no token in its answer. */
  async list(
    operation: Operation,
    path: string,
    member: string,
    query: RestRequest['query'] = {},
  ): Promise<readonly JsonValue[]> {
    const items: JsonValue[] = []
    let pageToken: string | undefined
    for (let page = 0; page < listPagesMax; page++) {
      const request: RestRequest = { method: 'GET', path, query: { ...query, pageToken }, effect: 'read' }
      const answer = readJsonObject(await this.body(operation, request), member)
      const found = answer[member]
      if (!Array.isArray(found)) throw protocolError(`${member} is not an array`)
      items.push(...(found as readonly JsonValue[]))
      const next = answer['next-page-token']
      if (typeof next !== 'string' || next === '') return items
      if (next === pageToken) throw protocolError(`${member}: a page names itself as the next`)
      pageToken = next
    }
    throw protocolError(`a list of more than ${listPagesMax} pages`)
  }

  namespacePath(namespace: Namespace): string {
    checkNamespace(namespace)
    const separator = encodeURIComponent(this.separator)
    return `/namespaces/${namespace.map((level) => encodeURIComponent(level)).join(separator)}`
  }

  relationPath(collection: 'tables' | 'views', identifier: TableIdentifier): string {
    checkIdentifier(identifier)
    return `${this.namespacePath(identifier.namespace)}/${collection}/${encodeURIComponent(identifier.name)}`
  }

  #keyFor(operation: Operation): Pick<RestRequest, 'key' | 'isKeyHonoured'> {
    const { clock, uuid } = this.#components
    if (!keyedOperations.has(operation)) return {}
    const isKeyHonoured = this.keyLifetimeMs !== undefined
    const key = this.#key ?? (isKeyHonoured ? newIdempotencyKey(clock.now(), uuid()) : undefined)
    return { key, isKeyHonoured }
  }
}
