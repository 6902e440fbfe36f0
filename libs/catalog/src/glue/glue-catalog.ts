import { FloeError, toFloeError } from '@floe/iceberg'
import type {
  Catalog,
  LoadedTable,
  LoadedView,
  Namespace,
  NamespaceChange,
  TableChange,
  TableCommit,
  TableDefinition,
  TableIdentifier,
} from '../catalog.ts'
import { nameTaken, namespaceExists, namespaceNotEmpty } from '../catalog-error.ts'
import { noSuchNamespace, noSuchRelation, overtaken, renameTaken } from '../catalog-error.ts'
import { checkIdentifier, checkNamespace, formatIdentifier } from '../identifier.ts'
import { changeProperties } from '../namespace-properties.ts'
import { newTable } from '../new-table.ts'
import { findReachableFiles } from '../reachable-files.ts'
import { commitGlueTable, findRow, insertRow, insertTable, loaded, swapRow } from './commit-glue-table.ts'
import type { GlueContext } from './commit-glue-table.ts'
import { checkNewDatabase, checkNewName, databaseName } from './glue-database.ts'
import { isIcebergTable, renamedInput } from './glue-table.ts'

export class GlueCatalog implements Catalog {
  readonly #context: GlueContext

  constructor(context: GlueContext) {
    this.#context = context
  }

  async listNamespaces(parent?: Namespace): Promise<readonly Namespace[]> {
    if (parent === undefined || parent.length === 0) return this.#context.rows.listNamespaces()
    await this.loadNamespace(parent)
    return []
  }

  async createNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    checkNamespace(namespace)
    const name = checkNewDatabase(namespace)
    if (!(await this.#context.rows.insertNamespace(name, properties))) throw namespaceExists(namespace)
  }

  async loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>> {
    checkNamespace(namespace)
    const properties = await this.#context.rows.findNamespace(namespace)
    if (properties === undefined) throw noSuchNamespace(namespace)
    return properties
  }

  /** Glue compares no versions of databases: of two changes at one time, one may be lost. */
  async updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<NamespaceChange> {
    const { properties, change } = changeProperties(await this.loadNamespace(namespace), changes)
    await this.#context.rows.updateNamespace(databaseName(namespace) ?? '', properties)
    return change
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    const name = databaseName(namespace)
    await this.loadNamespace(namespace)
    // Glue would drop the tables with it, those of other formats included.
    const tables = await this.#context.rows.listTables(namespace)
    if (tables.length > 0) throw namespaceNotEmpty(namespace)
    if (!(await this.#context.rows.deleteNamespace(name ?? ''))) throw noSuchNamespace(namespace)
  }

  async listTables(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    checkNamespace(namespace)
    if (databaseName(namespace) === undefined) throw noSuchNamespace(namespace)
    const tables = await this.#context.rows.listTables(namespace)
    return tables
      .filter(isIcebergTable)
      .flatMap(({ Name }) => (Name === undefined ? [] : [{ namespace, name: Name }]))
  }

  async loadTable(identifier: TableIdentifier): Promise<LoadedTable> {
    checkIdentifier(identifier)
    const row = await findRow(this.#context, identifier)
    if (row === undefined) throw noSuchRelation('table', identifier)
    const metadata = await this.#context.tables.load(row.metadataLocation)
    return loaded(identifier, metadata, row.metadataLocation)
  }

  async createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    await this.#checkNewTable(identifier)
    const metadata = await newTable(this.#context, identifier, definition)
    const location = await insertTable(this.#context, identifier, metadata)
    if (location === undefined) throw nameTaken('table', 'table', identifier)
    return loaded(identifier, metadata, location)
  }

  async stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    await this.#checkNewTable(identifier)
    const metadata = await newTable(this.#context, identifier, definition)
    return { identifier, metadata, metadataLocation: undefined, config: {} }
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    checkIdentifier(identifier)
    return commitGlueTable(this.#context, { ...commit, identifier })
  }

  async commitTransaction(changes: readonly TableChange[]): Promise<void> {
    const [only, ...others] = changes
    if (others.length > 0) throw unsupported('transactions over several tables')
    if (only !== undefined) await this.commitTable(only.identifier, only)
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    checkIdentifier(identifier)
    const { store, rows, tables } = this.#context
    const row = await findRow(this.#context, identifier)
    if (row === undefined) throw noSuchRelation('table', identifier)
    const files =
      options.purge === true
        ? await findReachableFiles(store, await tables.load(row.metadataLocation), row.metadataLocation)
        : undefined
    if (!(await rows.deleteTable(identifier))) throw noSuchRelation('table', identifier)
    // The name goes first: a crash leaves files, never a table without them.
    if (files !== undefined) await tables.remove([...files])
  }

  /** Glue has no rename: the table is made under the new name, then dropped under the old one, as Java does it. */
  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(from)
    checkIdentifier(to)
    const { rows, commitAttemptsMax } = this.#context
    checkNewName(to.name)
    for (let attempt = 1; attempt <= commitAttemptsMax; attempt++) {
      const row = await findRow(this.#context, from)
      if (row === undefined) throw noSuchRelation('table', from)
      if (!(await rows.insertTable(to, renamedInput(to.name, row.table))))
        throw renameTaken('table', from, to)
      // A commit to the old name in between would be lost with it.
      const now = await findRow(this.#context, from).catch(() => undefined)
      if (now?.versionId === row.versionId && (await this.#dropOld(from, to))) return
      await rows.deleteTable(to)
    }
    throw overtaken(formatIdentifier(from), commitAttemptsMax)
  }

  async registerTable(
    identifier: TableIdentifier,
    metadataLocation: string,
    options: { readonly overwrite?: boolean } = {},
  ): Promise<LoadedTable> {
    checkIdentifier(identifier)
    const context = this.#context
    const existing = options.overwrite === true ? await findRow(context, identifier) : undefined
    if (existing === undefined) await this.#checkNewTable(identifier)
    const metadata = await context.tables.loadForeign(metadataLocation)
    const isDone =
      existing === undefined
        ? await insertRow(context, identifier, metadata, metadataLocation)
        : await swapRow(context, identifier, existing, metadata, metadataLocation)
    if (isDone) return loaded(identifier, metadata, metadataLocation)
    throw existing === undefined
      ? nameTaken('table', 'table', identifier)
      : overtaken(formatIdentifier(identifier), 1)
  }

  async unregisterTable(identifier: TableIdentifier): Promise<LoadedTable> {
    const table = await this.loadTable(identifier)
    await this.dropTable(identifier)
    return table
  }

  async listViews(): Promise<readonly TableIdentifier[]> {
    throw unsupported('views')
  }

  async loadView(): Promise<LoadedView> {
    throw unsupported('views')
  }

  async createView(): Promise<LoadedView> {
    throw unsupported('views')
  }

  async commitView(): Promise<LoadedView> {
    throw unsupported('views')
  }

  async dropView(): Promise<void> {
    throw unsupported('views')
  }

  async renameView(): Promise<void> {
    throw unsupported('views')
  }

  async registerView(): Promise<LoadedView> {
    throw unsupported('views')
  }

  /** Glue keeps no outcomes of requests: one that comes again is made again. */
  forRequest(): Catalog {
    return this
  }

  async close(): Promise<void> {
    this.#context.rows.close()
  }

  /** Fails early, before anything is written; the insert decides. */
  async #checkNewTable(identifier: TableIdentifier): Promise<void> {
    checkIdentifier(identifier)
    await this.loadNamespace(identifier.namespace)
    checkNewName(identifier.name)
    // A table of another format has the name as well.
    const holder = await this.#context.rows.findTable(identifier)
    if (holder !== undefined) throw nameTaken('table', 'table', identifier)
  }

  async #dropOld(from: TableIdentifier, to: TableIdentifier): Promise<boolean> {
    const { rows } = this.#context
    return rows.deleteTable(from).catch(async (error: unknown) => {
      // In doubt both names stay: without the old one, the new one is all there is.
      if (toFloeError(error).code !== 'commit-state-unknown') await rows.deleteTable(to)
      throw error
    })
  }
}

function unsupported(what: string): FloeError {
  return new FloeError('unsupported', `Glue's catalog has no ${what} for Iceberg`, {
    hint: 'use a REST catalog, or one table at a time',
  })
}
