import { partitionSpecToJson, schemaToJson, sortOrderToJson } from '@floe/iceberg'
import { tableRequirementToJson, tableUpdateToJson } from '@floe/iceberg'
import type { JsonObject, JsonValue, TableRequirement, TableUpdate } from '@floe/iceberg'
import type { Catalog, LoadedTable, Namespace, TableDefinition, TableIdentifier } from '../catalog.ts'
import { checkIdentifier, checkNamespace } from '../identifier.ts'
import { parseLoadTableResult } from './load-table-result.ts'
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

  constructor(transport: RestTransport, config: RestConfig) {
    this.#transport = transport
    this.#config = config
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
  ): Promise<void> {
    const path = `${this.#namespacePath(namespace)}/properties`
    await this.#send({ method: 'POST', path, body: changes, effect: 'write' })
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    const path = this.#namespacePath(namespace)
    await this.#send({ method: 'DELETE', path, effect: 'write', conflict: 'invalid-input' })
  }

  async listTables(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    const items = await this.#list(`${this.#namespacePath(namespace)}/tables`, 'identifiers', {})
    return items.map((item) => {
      const identifier = readJsonObject(item, 'table identifier')
      const { name } = identifier
      if (typeof name !== 'string') throw protocolError('a table identifier has no name')
      return { namespace: readLevels(identifier['namespace']), name }
    })
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

  async commitTable(
    identifier: TableIdentifier,
    commit: { readonly requirements: readonly TableRequirement[]; readonly updates: readonly TableUpdate[] },
  ): Promise<LoadedTable> {
    const answer = await this.#send({
      method: 'POST',
      path: this.#tablePath(identifier),
      body: {
        identifier: { namespace: identifier.namespace, name: identifier.name },
        requirements: commit.requirements.map(tableRequirementToJson),
        updates: commit.updates.map(tableUpdateToJson),
      },
      effect: 'commit',
      conflict: 'commit-conflict',
    })
    return parseLoadTableResult(identifier, answer)
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const query = { purgeRequested: String(options.purge ?? false) }
    await this.#send({ method: 'DELETE', path: this.#tablePath(identifier), query, effect: 'write' })
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(from)
    checkIdentifier(to)
    const body = {
      source: { namespace: from.namespace, name: from.name },
      destination: { namespace: to.namespace, name: to.name },
    }
    await this.#send({ method: 'POST', path: '/tables/rename', body, effect: 'write' })
  }

  async registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable> {
    checkIdentifier(identifier)
    const answer = await this.#send({
      method: 'POST',
      path: `${this.#namespacePath(identifier.namespace)}/register`,
      body: { name: identifier.name, 'metadata-location': metadataLocation },
      effect: 'commit',
      conflict: 'already-exists',
    })
    return parseLoadTableResult(identifier, answer)
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
    return this.#transport({ ...request, path: `${this.#config.pathPrefix}${request.path}` })
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
}

function readLevels(value: JsonValue | undefined): Namespace {
  if (!Array.isArray(value) || !value.every((level) => typeof level === 'string')) {
    throw protocolError('a namespace is not an array of strings')
  }
  return value as Namespace
}
