import type { FloeError, TableMetadata, ViewMetadata } from '@floe/iceberg'
import type {
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
import {
  isProtected,
  namespaceExists,
  namespaceNotEmpty,
  noSuchDropped,
  noSuchNamespace,
  noSuchRelation,
  renameTaken,
} from '../catalog-error.ts'
import type { RelationKind } from '../catalog-error.ts'
import { checkIdentifier, checkNamespace, formatNamespace } from '../identifier.ts'
import type {
  AuditEntry,
  AuditFilter,
  DroppedRelation,
  EventPage,
  ExpiryReport,
  ManagedCatalog,
  Protectable,
} from '../managed-catalog.ts'
import { changeProperties } from '../namespace-properties.ts'
import { loadCurrent } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { RequestRecord, StoreRequest } from './catalog-store.ts'
import { commitTables } from './commit-tables.ts'
import { commitView, createView } from './commit-view.ts'
import { createTable, stageTable } from './create-table.ts'
import { dropTable, dropView, unregisterTable } from './drop-table.ts'
import { expireDropped, expireNow, undrop } from './manage-dropped.ts'
import type { MetadataFiles } from '../metadata-files.ts'
import { registerTable, registerView } from './register-relation.ts'
import { runOnce } from './run-once.ts'
import type { DoneOutcome } from './run-once.ts'
import { namespaceLocation } from '../table-location.ts'
import type { TableTurns } from './table-turns.ts'

/** A loaded table or view, but for the settings that the catalog adds. */
type Loaded<M> = {
  readonly identifier: TableIdentifier
  readonly metadata: M
  readonly metadataLocation: string
  readonly config: Readonly<Record<string, string>>
}

export type SqlCatalogParts = {
  readonly context: CatalogContext
  readonly requestLifetimeMs: number
  // Commits of one process to one table would only lose to each other, and each loss costs a metadata file.
  readonly turns: TableTurns
  readonly close: () => Promise<void>
}

export class SqlCatalog implements ManagedCatalog {
  readonly requestLifetimeMs: number
  readonly #parts: SqlCatalogParts
  readonly #context: CatalogContext
  readonly #turns: TableTurns
  readonly #record: RequestRecord | undefined

  constructor(parts: SqlCatalogParts, request: StoreRequest = {}) {
    const { context } = parts
    this.requestLifetimeMs = parts.requestLifetimeMs
    this.#parts = parts
    this.#turns = parts.turns
    this.#record = request.record
    this.#context = { ...context, rows: context.rows.forRequest(request) }
  }

  async listNamespaces(parent?: Namespace): Promise<readonly Namespace[]> {
    if (parent === undefined || parent.length === 0) return this.#context.rows.listNamespaces(undefined)
    checkNamespace(parent)
    const children = await this.#context.rows.listNamespaces(parent)
    // What has children exists.
    if (children.length === 0) await this.#findNamespace(parent)
    return children
  }

  async createNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    checkNamespace(namespace)
    return this.#change(async ({ rows }) => {
      const outcome = await rows.insertNamespace(namespace, properties)
      if (outcome === 'name-taken') throw namespaceExists(namespace)
      if (outcome === 'no-namespace') throw noSuchNamespace(namespace.slice(0, -1))
    })
  }

  async loadNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>> {
    const properties = await this.#findNamespace(namespace)
    const { rows, warehouse } = this.#context
    // Trino makes a table in two steps, the first of which it then stumbles over, where a namespace names no location.
    return { location: await namespaceLocation(rows, warehouse, namespace), ...properties }
  }

  async updateNamespace(
    namespace: Namespace,
    changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
  ): Promise<NamespaceChange> {
    checkNamespace(namespace)
    const work = async ({ rows }: CatalogContext): Promise<NamespaceChange> => {
      const changed = await rows.updateNamespace(namespace, (properties) =>
        changeProperties(properties, changes),
      )
      if (changed === undefined) throw noSuchNamespace(namespace)
      return changed
    }
    return this.#once(work, async ({ namespace: change }) => change ?? noChange)
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    checkNamespace(namespace)
    return this.#change(async ({ rows }) => {
      const outcome = await rows.deleteNamespace(namespace)
      if (outcome === 'no-namespace') throw noSuchNamespace(namespace)
      if (outcome === 'not-empty') throw namespaceNotEmpty(namespace)
      if (outcome === 'protected') throw isProtected('namespace', formatNamespace(namespace))
    })
  }

  async listTables(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    return this.#list('table', namespace)
  }

  async loadTable(identifier: TableIdentifier): Promise<LoadedTable> {
    return this.#load(this.#context.tables, identifier)
  }

  async createTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    return this.#changeTable(identifier, (context) => createTable(context, identifier, definition))
  }

  async stageTable(identifier: TableIdentifier, definition: TableDefinition): Promise<LoadedTable> {
    return stageTable(this.#context, identifier, definition)
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    return this.#changeTable(identifier, async (context) => {
      const [table] = await this.#commit(context, [{ ...commit, identifier }])
      if (table === undefined) throw noSuchRelation('table', identifier)
      return table
    })
  }

  async commitTransaction(changes: readonly TableChange[]): Promise<void> {
    return this.#change(async (context) => void (await this.#commit(context, changes)))
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    return this.#change((context) => dropTable(context, identifier, options.purge ?? false))
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    return this.#rename('table', from, to)
  }

  async registerTable(
    identifier: TableIdentifier,
    metadataLocation: string,
    options: { readonly overwrite?: boolean } = {},
  ): Promise<LoadedTable> {
    return this.#changeTable(identifier, (context) =>
      registerTable(context, identifier, metadataLocation, options.overwrite ?? false),
    )
  }

  async unregisterTable(identifier: TableIdentifier): Promise<LoadedTable> {
    return this.#changeTable(identifier, (context) => unregisterTable(context, identifier))
  }

  async listViews(namespace: Namespace): Promise<readonly TableIdentifier[]> {
    return this.#list('view', namespace)
  }

  async loadView(identifier: TableIdentifier): Promise<LoadedView> {
    return this.#load(this.#context.views, identifier)
  }

  async createView(identifier: TableIdentifier, definition: ViewDefinition): Promise<LoadedView> {
    return this.#changeView(identifier, (context) => createView(context, identifier, definition))
  }

  async commitView(identifier: TableIdentifier, commit: ViewCommit): Promise<LoadedView> {
    return this.#changeView(identifier, (context) =>
      this.#turns.take(turnOf(identifier), () => commitView(context, identifier, commit)),
    )
  }

  async dropView(identifier: TableIdentifier): Promise<void> {
    return this.#change((context) => dropView(context, identifier))
  }

  async renameView(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    return this.#rename('view', from, to)
  }

  async registerView(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedView> {
    return this.#changeView(identifier, (context) => registerView(context, identifier, metadataLocation))
  }

  async listDropped(namespace?: Namespace): Promise<readonly DroppedRelation[]> {
    if (namespace !== undefined) checkNamespace(namespace)
    return this.#context.rows.listDropped(namespace)
  }

  async undrop(uuid: string, as?: TableIdentifier): ReturnType<ManagedCatalog['undrop']> {
    const work = (context: CatalogContext): ReturnType<ManagedCatalog['undrop']> => undrop(context, uuid, as)
    return this.#once(work, async ({ undropped }) => {
      if (undropped === undefined) throw noSuchDropped(uuid)
      return undropped
    })
  }

  async expireDropped(uuid?: string): Promise<ExpiryReport> {
    return uuid === undefined ? expireDropped(this.#context) : expireNow(this.#context, uuid)
  }

  async isProtected(on: Protectable): Promise<boolean> {
    checkProtectable(on)
    const found = await this.#context.rows.findProtection(on)
    if (found === undefined) throw noSuchProtectable(on)
    return found
  }

  async setProtection(on: Protectable, isProtected: boolean): Promise<void> {
    checkProtectable(on)
    return this.#change(async ({ rows }) => {
      if ((await rows.setProtection(on, isProtected)) === 'not-found') throw noSuchProtectable(on)
    })
  }

  async readAudit(
    filter: AuditFilter,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly AuditEntry[]> {
    return this.#context.rows.readAudit(filter, page)
  }

  async readEvents(after: number, limit: number, filter: AuditFilter = {}): Promise<EventPage> {
    return this.#context.rows.readEvents(after, limit, filter)
  }

  forRequest({ key, principal }: CatalogRequest): ManagedCatalog {
    const nowMs = this.#context.clock.now()
    const forgetBeforeMs = nowMs - this.requestLifetimeMs
    return new SqlCatalog(this.#parts, {
      ...(key === undefined ? {} : { record: { ...key, nowMs, forgetBeforeMs } }),
      ...(principal === undefined ? {} : { principal }),
    })
  }

  async close(): Promise<void> {
    await this.#parts.close()
  }

  async #findNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>>> {
    checkNamespace(namespace)
    const properties = await this.#context.rows.findNamespace(namespace)
    if (properties === undefined) throw noSuchNamespace(namespace)
    return properties
  }

  async #list(kind: RelationKind, namespace: Namespace): Promise<readonly TableIdentifier[]> {
    checkNamespace(namespace)
    const names = await this.#context.rows.listRelations(kind, namespace)
    if (names.length === 0) await this.#findNamespace(namespace)
    return names.map((name) => ({ namespace, name }))
  }

  async #load<M>(files: MetadataFiles<M>, identifier: TableIdentifier): Promise<Loaded<M>> {
    checkIdentifier(identifier)
    const { rows } = this.#context
    const current = await loadCurrent(rows, files, identifier, (location) => files.loadPresent(location))
    const { metadataLocation } = current.row
    return { identifier, metadata: current.metadata, metadataLocation, config: {} }
  }

  /** In turns of all tables at once, which are taken in the order of their names so that nobody waits in a circle. */
  #commit(context: CatalogContext, changes: readonly TableChange[]): Promise<readonly LoadedTable[]> {
    const turns = [...new Set(changes.map(({ identifier }) => turnOf(identifier)))].sort()
    const commit = turns.reduceRight<() => Promise<readonly LoadedTable[]>>(
      (next, turn) => () => this.#turns.take(turn, next),
      () => commitTables(context, changes),
    )
    return commit()
  }

  #rename(kind: RelationKind, from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(from)
    checkIdentifier(to)
    return this.#change(async ({ rows }) => {
      const outcome = await rows.renameRelation(kind, from, to)
      if (outcome === 'not-found') throw noSuchRelation(kind, from)
      if (outcome === 'no-namespace') throw noSuchNamespace(to.namespace)
      if (outcome === 'name-taken') throw renameTaken((await rows.findKind(to)) ?? kind, from, to)
    })
  }

  #change(work: (context: CatalogContext) => Promise<void>): Promise<void> {
    return this.#once(work, async () => {})
  }

  #changeTable(
    identifier: TableIdentifier,
    work: (context: CatalogContext) => Promise<LoadedTable>,
  ): Promise<LoadedTable> {
    return this.#once(work, (outcome) =>
      this.#replay<TableMetadata>(this.#context.tables, identifier, outcome),
    )
  }

  #changeView(
    identifier: TableIdentifier,
    work: (context: CatalogContext) => Promise<LoadedView>,
  ): Promise<LoadedView> {
    return this.#once(work, (outcome) => this.#replay<ViewMetadata>(this.#context.views, identifier, outcome))
  }

  /** What the change came to then; when that file is cleaned up already, what has become of it since. */
  async #replay<M>(
    files: MetadataFiles<M>,
    identifier: TableIdentifier,
    { metadataLocation }: DoneOutcome,
  ): Promise<Loaded<M>> {
    const metadata =
      metadataLocation === undefined ? undefined : await files.load(metadataLocation).catch(() => undefined)
    if (metadata === undefined || metadataLocation === undefined) return this.#load(files, identifier)
    return { identifier, metadata, metadataLocation, config: {} }
  }

  #once<T>(
    work: (context: CatalogContext) => Promise<T>,
    replay: (outcome: DoneOutcome) => Promise<T>,
  ): Promise<T> {
    if (this.#record === undefined) return work(this.#context)
    return runOnce(this.#context.rows, this.#record, () => work(this.#context), replay)
  }
}

const noChange: NamespaceChange = { updated: [], removed: [], missing: [] }

function checkProtectable(on: Protectable): void {
  if (on.kind === 'namespace') checkNamespace(on.namespace)
  else checkIdentifier(on.identifier)
}

function noSuchProtectable(on: Protectable): FloeError {
  return on.kind === 'namespace' ? noSuchNamespace(on.namespace) : noSuchRelation(on.kind, on.identifier)
}

function turnOf({ namespace, name }: TableIdentifier): string {
  return JSON.stringify([namespace, name])
}
