import type { JsonObject, JsonValue } from '@floe/iceberg'
import type {
  Catalog,
  CatalogRequest,
  LoadedTable,
  LoadedView,
  LoadOptions,
  Namespace,
  NamespaceChange,
  StorageCredential,
  TableChange,
  TableCommit,
  TableDefinition,
  TableIdentifier,
  ViewCommit,
  ViewDefinition,
} from '../catalog.ts'
import { checkIdentifier, checkNamespace } from '../identifier.ts'
import { parseLoadTableResult, parseLoadViewResult } from './load-table-result.ts'
import { identifierToJson, tableChangeToJson, tableDefinitionToJson } from './rest-body.ts'
import { viewCommitToJson, viewDefinitionToJson } from './rest-body.ts'
import { protocolError, readJsonObject, readStringMap, readStrings } from './rest-config.ts'
import type { Operation } from './rest-endpoint.ts'
import type { RestSession } from './rest-session.ts'
import type { RestRequest } from './rest-transport.ts'
import { parseStorageCredentials } from './storage-credentials.ts'
import type { TableCache } from './table-cache.ts'

export type RestCatalogComponents = {
  readonly session: RestSession
  readonly cache: TableCache
  /** Sent where the answer may hold access to storage. */
  readonly delegation: Readonly<Record<string, string>>
  /** Takes each table with the settings that came with it. */
  readonly onLoaded: (table: LoadedTable) => void
}

export class RestCatalog implements Catalog {
  readonly requestLifetimeMs?: number
  readonly #components: RestCatalogComponents
  readonly #session: RestSession

  constructor(components: RestCatalogComponents) {
    this.#components = components
    this.#session = components.session
    const lifetimeMs = components.session.keyLifetimeMs
    if (lifetimeMs !== undefined) this.requestLifetimeMs = lifetimeMs
  }

  async listNamespaces(parent?: Namespace): Promise<readonly Namespace[]> {
    const query = { parent: parent === undefined ? undefined : parent.join(this.#session.separator) }
    const items = await this.#session.list('listNamespaces', '/namespaces', 'namespaces', query)
    return items.map((item) => readStrings(item, 'a namespace'))
  }

  async createNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    checkNamespace(namespace)
    const body = { namespace, properties }
    await this.#session.send('createNamespace', {
      method: 'POST',
      path: '/namespaces',
      body,
      effect: 'write',
    })
  }

  async loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>> {
    const path = this.#session.namespacePath(namespace)
    const answer = await this.#session.body('loadNamespace', { method: 'GET', path, effect: 'read' })
    return readStringMap(readJsonObject(answer, 'namespace')['properties'], 'namespace properties')
  }

  async updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<NamespaceChange> {
    const path = `${this.#session.namespacePath(namespace)}/properties`
    const request: RestRequest = { method: 'POST', path, body: changes, effect: 'write' }
    const answer = readJsonObject(await this.#session.body('updateNamespace', request), 'namespace change')
    return {
      updated: readStrings(answer['updated'] ?? [], 'updated'),
      removed: readStrings(answer['removed'] ?? [], 'removed'),
      // Spec: may be left out.
      missing: readStrings(answer['missing'] ?? [], 'missing'),
    }
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    const path = this.#session.namespacePath(namespace)
    const request: RestRequest = { method: 'DELETE', path, effect: 'write', conflict: 'invalid-input' }
    await this.#session.send('dropNamespace', request)
  }

  async listTables(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    return this.#listNames('listTables', namespace, 'tables')
  }

  async loadTable(identifier: TableIdentifier, options: LoadOptions = {}): Promise<LoadedTable> {
    const { cache, delegation } = this.#components
    const mode = options.snapshots ?? 'all'
    const known = cache.find(identifier, mode)
    const answer = await this.#session.send('loadTable', {
      method: 'GET',
      path: this.#session.relationPath('tables', identifier),
      // `all` is what a catalog does unasked: an older one knows no other.
      query: { snapshots: mode === 'refs' ? 'refs' : undefined },
      headers: { ...delegation, ...(known === undefined ? {} : { 'if-none-match': known.etag }) },
      effect: 'read',
    })
    if (answer.status === 304) {
      if (known === undefined) throw protocolError('a table that was never loaded is said to be unchanged')
      return known.table
    }
    const table = this.#loaded(identifier, answer.body)
    cache.keep(table, mode, answer.etag)
    return table
  }

  async loadCredentials(identifier: TableIdentifier): Promise<readonly StorageCredential[]> {
    // Those that came with the table are no fresher than the table.
    if (!this.#session.offers('loadCredentials')) {
      const { storageCredentials, config, metadata } = await this.#reload(identifier)
      return storageCredentials ?? [{ prefix: metadata.location, config }]
    }
    const path = `${this.#session.relationPath('tables', identifier)}/credentials`
    const answer = await this.#session.body('loadCredentials', { method: 'GET', path, effect: 'read' })
    return parseStorageCredentials(readJsonObject(answer, 'credentials')['storage-credentials'])
  }

  async createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    return this.#create(identifier, definition, false)
  }

  async stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    // Some catalogs answer with the place that the metadata will take; nothing is there yet.
    return { ...(await this.#create(identifier, definition, true)), metadataLocation: undefined }
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    const answer = await this.#session.body('commitTable', {
      method: 'POST',
      path: this.#session.relationPath('tables', identifier),
      body: tableChangeToJson({ ...commit, identifier }),
      effect: 'commit',
      conflict: 'commit-conflict',
    })
    return this.#loaded(identifier, answer)
  }

  async commitTransaction(changes: readonly TableChange[]): Promise<void> {
    for (const { identifier } of changes) checkIdentifier(identifier)
    await this.#session.send('commitTransaction', {
      method: 'POST',
      path: '/transactions/commit',
      body: { 'table-changes': changes.map(tableChangeToJson) },
      effect: 'commit',
      conflict: 'commit-conflict',
    })
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const path = this.#session.relationPath('tables', identifier)
    const query = { purgeRequested: String(options.purge ?? false) }
    await this.#session.send('dropTable', { method: 'DELETE', path, query, effect: 'write' })
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    return this.#rename('renameTable', '/tables/rename', from, to)
  }

  async registerTable(
    identifier: TableIdentifier,
    metadataLocation: string,
    options: { readonly overwrite?: boolean } = {},
  ): Promise<LoadedTable> {
    const { overwrite } = options
    const more = overwrite === undefined ? {} : { overwrite }
    return this.#loaded(identifier, await this.#register('register', identifier, metadataLocation, more))
  }

  async unregisterTable(identifier: TableIdentifier): Promise<LoadedTable> {
    const path = `${this.#session.relationPath('tables', identifier)}/unregister`
    const answer = await this.#session.body('unregisterTable', { method: 'POST', path, effect: 'commit' })
    return parseLoadTableResult(identifier, answer)
  }

  async listViews(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    return this.#listNames('listViews', namespace, 'views')
  }

  async loadView(identifier: TableIdentifier): Promise<LoadedView> {
    const path = this.#session.relationPath('views', identifier)
    const answer = await this.#session.body('loadView', { method: 'GET', path, effect: 'read' })
    return parseLoadViewResult(identifier, answer)
  }

  async createView(identifier: TableIdentifier, definition: ViewDefinition): Promise<LoadedView> {
    checkIdentifier(identifier)
    const answer = await this.#session.body('createView', {
      method: 'POST',
      path: `${this.#session.namespacePath(identifier.namespace)}/views`,
      body: viewDefinitionToJson(identifier.name, definition),
      effect: 'commit',
      conflict: 'already-exists',
    })
    return parseLoadViewResult(identifier, answer)
  }

  async commitView(identifier: TableIdentifier, commit: ViewCommit): Promise<LoadedView> {
    const answer = await this.#session.body('commitView', {
      method: 'POST',
      path: this.#session.relationPath('views', identifier),
      body: viewCommitToJson(identifier, commit),
      effect: 'commit',
      conflict: 'commit-conflict',
    })
    return parseLoadViewResult(identifier, answer)
  }

  async dropView(identifier: TableIdentifier): Promise<void> {
    const path = this.#session.relationPath('views', identifier)
    await this.#session.send('dropView', { method: 'DELETE', path, effect: 'write' })
  }

  async renameView(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    return this.#rename('renameView', '/views/rename', from, to)
  }

  async registerView(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedView> {
    const answer = await this.#register('register-view', identifier, metadataLocation, {})
    return parseLoadViewResult(identifier, answer)
  }

  /** The server knows the principal by its own means. */
  forRequest({ key }: CatalogRequest): Catalog {
    if (key === undefined) return this
    return new RestCatalog({ ...this.#components, session: this.#session.withKey(key.key) })
  }

  async close(): Promise<void> {}

  #loaded(identifier: TableIdentifier, answer: JsonValue | undefined): LoadedTable {
    const table = parseLoadTableResult(identifier, answer)
    this.#components.onLoaded(table)
    return table
  }

  /** Past the cache: a 304 would bring no new credentials. */
  async #reload(identifier: TableIdentifier): Promise<LoadedTable> {
    const answer = await this.#session.body('loadTable', {
      method: 'GET',
      path: this.#session.relationPath('tables', identifier),
      query: { snapshots: 'refs' },
      headers: this.#components.delegation,
      effect: 'read',
    })
    return parseLoadTableResult(identifier, answer)
  }

  async #create(
    identifier: TableIdentifier,
    definition: TableDefinition,
    staged: boolean,
  ): Promise<LoadedTable> {
    checkIdentifier(identifier)
    const answer = await this.#session.body('createTable', {
      method: 'POST',
      path: `${this.#session.namespacePath(identifier.namespace)}/tables`,
      headers: this.#components.delegation,
      body: tableDefinitionToJson(identifier.name, definition, staged),
      effect: staged ? 'read' : 'commit',
      conflict: 'already-exists',
    })
    return this.#loaded(identifier, answer)
  }

  async #register(
    action: 'register' | 'register-view',
    identifier: TableIdentifier,
    metadataLocation: string,
    more: JsonObject,
  ): Promise<JsonValue | undefined> {
    checkIdentifier(identifier)
    return this.#session.body(action === 'register' ? 'registerTable' : 'registerView', {
      method: 'POST',
      path: `${this.#session.namespacePath(identifier.namespace)}/${action}`,
      headers: action === 'register' ? this.#components.delegation : {},
      body: { name: identifier.name, 'metadata-location': metadataLocation, ...more },
      effect: 'commit',
      conflict: 'already-exists',
    })
  }

  async #rename(
    operation: Operation,
    path: string,
    from: TableIdentifier,
    to: TableIdentifier,
  ): Promise<void> {
    checkIdentifier(from)
    checkIdentifier(to)
    const body = { source: identifierToJson(from), destination: identifierToJson(to) }
    await this.#session.send(operation, { method: 'POST', path, body, effect: 'write' })
  }

  async #listNames(
    operation: Operation,
    namespace: Namespace,
    kind: 'tables' | 'views',
  ): Promise<readonly TableIdentifier[]> {
    const path = `${this.#session.namespacePath(namespace)}/${kind}`
    const items = await this.#session.list(operation, path, 'identifiers')
    return items.map((item) => {
      const identifier = readJsonObject(item, 'identifier')
      const { name } = identifier
      if (typeof name !== 'string') throw protocolError('an identifier has no name')
      return { namespace: readStrings(identifier['namespace'], 'a namespace'), name }
    })
  }
}
