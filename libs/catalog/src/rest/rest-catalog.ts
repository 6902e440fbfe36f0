import { partitionSpecToJson, schemaToJson, sortOrderToJson } from '@floe/iceberg'
import { tableRequirementToJson, tableUpdateToJson } from '@floe/iceberg'
import { viewRequirementToJson, viewUpdateToJson, viewVersionToJson } from '@floe/iceberg'
import type { JsonObject, JsonValue } from '@floe/iceberg'
import type {
  Catalog,
  CatalogRequest,
  LoadedTable,
  LoadedView,
  Namespace,
  NamespaceChange,
  TableChange,
  TableCommit,
  TableDefinition,
  TableIdentifier,
  ViewCommit,
  ViewDefinition,
} from '../catalog.ts'
import { checkIdentifier, checkNamespace } from '../identifier.ts'
import { parseLoadTableResult, parseLoadViewResult } from './load-table-result.ts'
import { loadRestConfig, protocolError, readJsonObject, readStringMap } from './rest-config.ts'
import type { RestConfig } from './rest-config.ts'
import { restTransport } from './rest-transport.ts'
import type { RestRequest, RestTransport } from './rest-transport.ts'

export type RestCatalogSettings = {
  /** Of the catalog, without `/v1`. */
  readonly uri: string
  readonly warehouse?: string
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string
  /** Path segment after `/v1`; the catalog's own override wins. */
  readonly prefix?: string
  readonly headers?: Readonly<Record<string, string>>
  /** How long one request may take, answer included (default 60,000). */
  readonly requestTimeoutMs?: number
}

const requestTimeoutMsDefault = 60_000

/** Pages of one list that are read before the catalog is taken to be broken. */
const listPagesMax = 100_000

/**
 * Any Iceberg REST catalog. Reads its configuration first.
 * @throws FloeError unavailable when it cannot be reached, permission-denied, not-found for an unknown warehouse
 */
export async function openRestCatalog(
  settings: RestCatalogSettings,
  components: { readonly fetch?: typeof fetch } = {},
): Promise<Catalog> {
  const fetchResponse = components.fetch ?? fetch
  const headers = {
    ...settings.headers,
    ...(settings.token === undefined ? {} : { authorization: `Bearer ${settings.token}` }),
  }
  const requestTimeoutMs = settings.requestTimeoutMs ?? requestTimeoutMsDefault
  const transportTo = (uri: string): RestTransport =>
    restTransport({ uri, headers, requestTimeoutMs }, fetchResponse)
  const config = await loadRestConfig(transportTo(settings.uri), settings)
  return new RestCatalog(transportTo(config.uri ?? settings.uri), config)
}

class RestCatalog implements Catalog {
  readonly #transport: RestTransport
  readonly #config: RestConfig

  /** Of a request that takes effect once: sent with each change. */
  readonly #key: string | undefined

  constructor(transport: RestTransport, config: RestConfig, key?: string) {
    this.#transport = transport
    this.#config = config
    this.#key = key
  }

  async listNamespaces(parent?: Namespace): Promise<readonly Namespace[]> {
    const query = { parent: parent === undefined ? undefined : parent.join(this.#config.separator) }
    const items = await this.#list('/namespaces', 'namespaces', query)
    return items.map((item) => readLevels(item))
  }

  async createNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    checkNamespace(namespace)
    await this.#send({
      method: 'POST',
      path: '/namespaces',
      body: { namespace, properties },
      effect: 'write',
    })
  }

  async loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>> {
    const answer = await this.#send({ method: 'GET', path: this.#namespacePath(namespace), effect: 'read' })
    return readStringMap(readJsonObject(answer, 'namespace')['properties'], 'namespace properties')
  }

  async updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<NamespaceChange> {
    const path = `${this.#namespacePath(namespace)}/properties`
    const answer = readJsonObject(
      await this.#send({ method: 'POST', path, body: changes, effect: 'write' }),
      'namespace change',
    )
    return {
      updated: readStrings(answer['updated'] ?? [], 'updated'),
      removed: readStrings(answer['removed'] ?? [], 'removed'),
      // Spec: may be left out.
      missing: readStrings(answer['missing'] ?? [], 'missing'),
    }
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    const path = this.#namespacePath(namespace)
    await this.#send({ method: 'DELETE', path, effect: 'write', conflict: 'invalid-input' })
  }

  async listTables(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    return this.#listNames(namespace, 'tables')
  }

  async loadTable(identifier: TableIdentifier): Promise<LoadedTable> {
    const request: RestRequest = { method: 'GET', path: this.#tablePath(identifier), effect: 'read' }
    return parseLoadTableResult(identifier, await this.#send(request))
  }

  async createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    return this.#create(identifier, definition, false)
  }

  async stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    const { metadata, config } = await this.#create(identifier, definition, true)
    // Some catalogs answer with the place that the metadata will take; nothing is there yet.
    return { identifier, metadata, config, metadataLocation: undefined }
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    const answer = await this.#send({
      method: 'POST',
      path: this.#tablePath(identifier),
      body: tableChangeToJson({ ...commit, identifier }),
      effect: 'commit',
      conflict: 'commit-conflict',
    })
    return parseLoadTableResult(identifier, answer)
  }

  async commitTransaction(changes: readonly TableChange[]): Promise<void> {
    for (const { identifier } of changes) checkIdentifier(identifier)
    await this.#send({
      method: 'POST',
      path: '/transactions/commit',
      body: { 'table-changes': changes.map(tableChangeToJson) },
      effect: 'commit',
      conflict: 'commit-conflict',
    })
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const query = { purgeRequested: String(options.purge ?? false) }
    await this.#send({ method: 'DELETE', path: this.#tablePath(identifier), query, effect: 'write' })
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    return this.#rename('/tables/rename', from, to)
  }

  async registerTable(
    identifier: TableIdentifier,
    metadataLocation: string,
    options: { readonly overwrite?: boolean } = {},
  ): Promise<LoadedTable> {
    const { overwrite } = options
    const more = overwrite === undefined ? {} : { overwrite }
    const answer = await this.#register('register', identifier, metadataLocation, more)
    return parseLoadTableResult(identifier, answer)
  }

  async unregisterTable(identifier: TableIdentifier): Promise<LoadedTable> {
    const path = `${this.#tablePath(identifier)}/unregister`
    return parseLoadTableResult(identifier, await this.#send({ method: 'POST', path, effect: 'commit' }))
  }

  async listViews(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    return this.#listNames(namespace, 'views')
  }

  async loadView(identifier: TableIdentifier): Promise<LoadedView> {
    const request: RestRequest = { method: 'GET', path: this.#viewPath(identifier), effect: 'read' }
    return parseLoadViewResult(identifier, await this.#send(request))
  }

  async createView(identifier: TableIdentifier, definition: ViewDefinition): Promise<LoadedView> {
    checkIdentifier(identifier)
    const { schema, version, location, properties } = definition
    const answer = await this.#send({
      method: 'POST',
      path: `${this.#namespacePath(identifier.namespace)}/views`,
      body: {
        name: identifier.name,
        schema: schemaToJson(schema),
        'view-version': viewVersionToJson(version),
        properties: properties ?? {},
        ...(location === undefined ? {} : { location }),
      },
      effect: 'commit',
      conflict: 'already-exists',
    })
    return parseLoadViewResult(identifier, answer)
  }

  async commitView(identifier: TableIdentifier, commit: ViewCommit): Promise<LoadedView> {
    const answer = await this.#send({
      method: 'POST',
      path: this.#viewPath(identifier),
      body: {
        identifier: { namespace: identifier.namespace, name: identifier.name },
        requirements: commit.requirements.map(viewRequirementToJson),
        updates: commit.updates.map(viewUpdateToJson),
      },
      effect: 'commit',
      conflict: 'commit-conflict',
    })
    return parseLoadViewResult(identifier, answer)
  }

  async dropView(identifier: TableIdentifier): Promise<void> {
    await this.#send({ method: 'DELETE', path: this.#viewPath(identifier), effect: 'write' })
  }

  async renameView(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    return this.#rename('/views/rename', from, to)
  }

  async registerView(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedView> {
    return parseLoadViewResult(
      identifier,
      await this.#register('register-view', identifier, metadataLocation, {}),
    )
  }

  /** The server knows the principal by its own means. */
  forRequest({ key }: CatalogRequest): Catalog {
    return new RestCatalog(this.#transport, this.#config, key?.key)
  }

  async close(): Promise<void> {}

  async #create(
    identifier: TableIdentifier,
    definition: TableDefinition,
    staged: boolean,
  ): Promise<LoadedTable> {
    checkIdentifier(identifier)
    const { schema, partitionSpec, sortOrder, location, properties } = definition
    const body: JsonObject = {
      name: identifier.name,
      schema: schemaToJson(schema),
      'stage-create': staged,
      ...(partitionSpec === undefined ? {} : { 'partition-spec': partitionSpecToJson(partitionSpec) }),
      ...(sortOrder === undefined ? {} : { 'write-order': sortOrderToJson(sortOrder) }),
      ...(location === undefined ? {} : { location }),
      ...(properties === undefined ? {} : { properties }),
    }
    const answer = await this.#send({
      method: 'POST',
      path: `${this.#namespacePath(identifier.namespace)}/tables`,
      body,
      effect: staged ? 'read' : 'commit',
      conflict: 'already-exists',
    })
    return parseLoadTableResult(identifier, answer)
  }

  async #register(
    action: 'register' | 'register-view',
    identifier: TableIdentifier,
    metadataLocation: string,
    more: JsonObject,
  ): Promise<JsonValue | undefined> {
    checkIdentifier(identifier)
    return this.#send({
      method: 'POST',
      path: `${this.#namespacePath(identifier.namespace)}/${action}`,
      body: { name: identifier.name, 'metadata-location': metadataLocation, ...more },
      effect: 'commit',
      conflict: 'already-exists',
    })
  }

  async #rename(path: string, from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(from)
    checkIdentifier(to)
    const body = {
      source: { namespace: from.namespace, name: from.name },
      destination: { namespace: to.namespace, name: to.name },
    }
    await this.#send({ method: 'POST', path, body, effect: 'write' })
  }

  async #listNames(namespace: Namespace, kind: 'tables' | 'views'): Promise<readonly TableIdentifier[]> {
    const items = await this.#list(`${this.#namespacePath(namespace)}/${kind}`, 'identifiers', {})
    return items.map((item) => {
      const identifier = readJsonObject(item, 'identifier')
      const { name } = identifier
      if (typeof name !== 'string') throw protocolError('an identifier has no name')
      return { namespace: readLevels(identifier['namespace']), name }
    })
  }

  /** Every page of a list. A catalog that does not page has no token in its answer. */
  async #list(path: string, member: string, query: RestRequest['query']): Promise<readonly JsonValue[]> {
    const items: JsonValue[] = []
    let pageToken: string | undefined
    for (let page = 0; page < listPagesMax; page++) {
      const request: RestRequest = { method: 'GET', path, query: { ...query, pageToken }, effect: 'read' }
      const answer = readJsonObject(await this.#send(request), member)
      const found = answer[member]
      if (!Array.isArray(found)) throw protocolError(`${member} is not an array`)
      items.push(...found)
      const next = answer['next-page-token']
      if (typeof next !== 'string' || next === '') return items
      pageToken = next
    }
    throw protocolError(`a list of more than ${listPagesMax} pages`)
  }

  #send(request: RestRequest): Promise<JsonValue | undefined> {
    const key = request.effect === 'read' ? undefined : this.#key
    return this.#transport({ ...request, key, path: `${this.#config.pathPrefix}${request.path}` })
  }

  #namespacePath(namespace: Namespace): string {
    checkNamespace(namespace)
    const separator = encodeURIComponent(this.#config.separator)
    return `/namespaces/${namespace.map((level) => encodeURIComponent(level)).join(separator)}`
  }

  #tablePath(identifier: TableIdentifier): string {
    checkIdentifier(identifier)
    return `${this.#namespacePath(identifier.namespace)}/tables/${encodeURIComponent(identifier.name)}`
  }

  #viewPath(identifier: TableIdentifier): string {
    checkIdentifier(identifier)
    return `${this.#namespacePath(identifier.namespace)}/views/${encodeURIComponent(identifier.name)}`
  }
}

function tableChangeToJson({ identifier, requirements, updates }: TableChange): JsonObject {
  return {
    identifier: { namespace: identifier.namespace, name: identifier.name },
    requirements: requirements.map(tableRequirementToJson),
    updates: updates.map(tableUpdateToJson),
  }
}

function readLevels(value: JsonValue | undefined): Namespace {
  return readStrings(value, 'a namespace')
}

function readStrings(value: JsonValue | undefined, where: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw protocolError(`${where} is not an array of strings`)
  }
  return value as readonly string[]
}
