import type { ObjectStore } from '@floe/storage'
import type { Catalog, LoadedTable, Namespace, TableDefinition, TableIdentifier } from '../catalog.ts'
import {
  namespaceExists,
  namespaceNotEmpty,
  noSuchNamespace,
  noSuchTable,
  tableExists,
} from '../catalog-error.ts'
import { checkIdentifier, checkNamespace } from '../identifier.ts'
import { loadCurrentTable } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import { commitTable } from './commit-table.ts'
import type { TableCommit } from './commit-table.ts'
import { createTable, registerTable, stageTable } from './create-table.ts'
import { dropTable } from './drop-table.ts'
import { MetadataFiles } from './metadata-files.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { TableTurns } from './table-turns.ts'

export type SqlCatalogSettings = {
  /** `path` of a local file, which is made when absent. Several processes of one machine may share it. */
  readonly database: { readonly kind: 'sqlite'; readonly path: string }
  /** Location under which tables go that name none. */
  readonly warehouse: string
  /** Commits of others that one commit may lose to before it gives up (default 20). */
  readonly commitAttemptsMax?: number
  /** How long a statement waits for another process that holds the database (default 10,000). */
  readonly busyTimeoutMs?: number
  /** Parsed metadata files that are kept in memory (default 256). */
  readonly metadataCacheEntriesMax?: number
  readonly clock: { now(): number }
  /** A random uuid in its text form, another one at each call. */
  readonly uuid: () => string
}

export type SqlCatalogComponents = { readonly store: ObjectStore }

const commitAttemptsMaxDefault = 20
const busyTimeoutMsDefault = 10_000
const metadataCacheEntriesMaxDefault = 256

/**
 * A catalog whose truth is one row per table in a SQL database, and whose metadata files are in an object store.
 * @throws FloeError unavailable when the database cannot be opened, unsupported when a newer Floe has written it
 */
export async function openSqlCatalog(
  settings: SqlCatalogSettings,
  { store }: SqlCatalogComponents,
): Promise<Catalog> {
  return new SqlCatalog({
    rows: openSqliteStore(settings.database.path, settings.busyTimeoutMs ?? busyTimeoutMsDefault),
    files: new MetadataFiles(store, settings.metadataCacheEntriesMax ?? metadataCacheEntriesMaxDefault),
    store,
    warehouse: settings.warehouse,
    clock: settings.clock,
    uuid: settings.uuid,
    commitAttemptsMax: settings.commitAttemptsMax ?? commitAttemptsMaxDefault,
  })
}

class SqlCatalog implements Catalog {
  readonly #context: CatalogContext
  // Commits of one process to one table would only lose to each other, and each loss costs a metadata file.
  readonly #turns = new TableTurns()

  constructor(context: CatalogContext) {
    this.#context = context
  }

  async listNamespaces(parent?: Namespace): Promise<readonly Namespace[]> {
    const isTop = parent === undefined || parent.length === 0
    if (!isTop) await this.loadNamespace(parent)
    return this.#context.rows.listNamespaces(isTop ? undefined : parent)
  }

  async createNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    checkNamespace(namespace)
    const outcome = await this.#context.rows.insertNamespace(namespace, properties)
    if (outcome === 'name-taken') throw namespaceExists(namespace)
    if (outcome === 'no-namespace') throw noSuchNamespace(namespace.slice(0, -1))
  }

  async loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>> {
    checkNamespace(namespace)
    const properties = await this.#context.rows.findNamespace(namespace)
    if (properties === undefined) throw noSuchNamespace(namespace)
    return properties
  }

  async updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<void> {
    checkNamespace(namespace)
    const removals = new Set(changes.removals)
    const isUpdated = await this.#context.rows.updateNamespace(namespace, (properties) => {
      const kept = Object.entries(properties).filter(([key]) => !removals.has(key))
      return Object.fromEntries([...kept, ...Object.entries(changes.updates)])
    })
    if (!isUpdated) throw noSuchNamespace(namespace)
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    checkNamespace(namespace)
    const outcome = await this.#context.rows.deleteNamespace(namespace)
    if (outcome === 'no-namespace') throw noSuchNamespace(namespace)
    if (outcome === 'not-empty') throw namespaceNotEmpty(namespace)
  }

  async listTables(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    await this.loadNamespace(namespace)
    const names = await this.#context.rows.listTables(namespace)
    return names.map((name) => ({ namespace, name }))
  }

  async loadTable(identifier: TableIdentifier): Promise<LoadedTable> {
    checkIdentifier(identifier)
    const { row, metadata } = await loadCurrentTable(this.#context, identifier)
    return { identifier, metadata, metadataLocation: row.metadataLocation, config: {} }
  }

  async createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    return createTable(this.#context, identifier, definition)
  }

  async stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    return stageTable(this.#context, identifier, definition)
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    const key = JSON.stringify([identifier.namespace, identifier.name])
    return this.#turns.take(key, () => commitTable(this.#context, identifier, commit))
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    return dropTable(this.#context, identifier, options.purge ?? false)
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(from)
    checkIdentifier(to)
    const outcome = await this.#context.rows.renameTable(from, to)
    if (outcome === 'no-table') throw noSuchTable(from)
    if (outcome === 'no-namespace') throw noSuchNamespace(to.namespace)
    if (outcome === 'name-taken') throw tableExists(to)
  }

  async registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable> {
    return registerTable(this.#context, identifier, metadataLocation)
  }

  async close(): Promise<void> {
    await this.#context.rows.close()
  }
}
