import path from 'node:path'
import { ask, createOpenAiCompatibleProvider, createRulesProvider } from '@floe/agent'
import type { Answer, Provider } from '@floe/agent'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import { openRestCatalog } from '@floe/catalog/rest'
import { createSqlAccessStore, openCatalogDatabase } from '@floe/catalog/sql'
import type { CatalogDatabase } from '@floe/catalog/sql'
import {
  createAccessAdmin,
  createAccessControl,
  createCatalogRoutes,
  requireBearer,
  visibleCatalog,
} from '@floe/catalog-server'
import type { AccessAdmin, AccessControl, ReadableCatalog, WarehouseAccess } from '@floe/catalog-server'
import { availableWorkers, openPool } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { openEngine } from '@floe/engine'
import type { Engine, QueryResult } from '@floe/engine'
import { load } from '@floe/etl'
import type { LoadProgress, LoadReport, LoadRequest } from '@floe/etl'
import { FloeError, toFloeError } from '@floe/iceberg'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'
import { remoteAccessAdmin } from './remote-access-admin.ts'
import { TokenCatalogs } from './token-catalogs.ts'
import { catalogDirectory } from './table-directory.ts'
import { engineRunner } from './sql-runner.ts'
import type { LakehouseSettings, ProviderSettings } from './settings.ts'
import { system } from './system.ts'
import { tableConfig } from './table-config.ts'

/** Rows that an answer carries at most; the SQL that it shows gives the rest. */
const answerRowsMax = 1_000

export type LoadOptions = Omit<LoadRequest, 'workers'> & {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LoadProgress) => void
}

/** Who asks: a principal whose grants are known here, or the bearer of a token that the catalog knows. */
export type Asker = { readonly access?: WarehouseAccess | undefined; readonly bearer?: string | undefined }

/** Without an asker everything may be read that the lakehouse itself may read. */
export type QueryOptions = {
  readonly signal?: AbortSignal
  readonly rowsMax?: number
  readonly asker?: Asker
}

/** Of the one warehouse of a lakehouse. */
const warehouseName = 'default'

/** Every part of Floe, wired by one set of settings. Parts open when they are first used; `close` ends them all. */
export class Lakehouse implements AsyncDisposable {
  readonly settings: LakehouseSettings
  readonly #closers: (() => Promise<void>)[] = []
  #store: (ObjectStore & { close(): Promise<void> }) | undefined
  #database: Promise<CatalogDatabase> | undefined
  #catalog: Promise<Catalog> | undefined
  #access: Promise<AccessControl> | undefined
  #tokenCatalogs: TokenCatalogs | undefined
  #engine: Promise<Engine> | undefined
  #pool: Pool | undefined

  constructor(settings: LakehouseSettings) {
    this.settings = settings
  }

  get store(): ObjectStore {
    if (this.#store === undefined) {
      const store = openObjectStore(this.settings.store)
      this.#closers.push(() => store.close())
      this.#store = store
    }
    return this.#store
  }

  catalog(): Promise<Catalog> {
    this.#catalog ??= this.#openCatalog()
    return this.#catalog
  }

  /** Loads PostgreSQL tables. Failures of single tables are in the report, not thrown. */
  async load({ signal, onProgress, ...request }: LoadOptions): Promise<LoadReport> {
    const { settings, store } = this
    return load(
      { ...loadDefaults(settings), ...request, workers: settings.workers },
      {
        ...system,
        catalog: await this.catalog(),
        store,
        storeSettings: settings.store,
        pool: this.#openPool(),
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    )
  }

  /** Runs one SELECT over catalog tables. */
  async query(sql: string, { asker, ...options }: QueryOptions = {}): Promise<QueryResult> {
    const catalog = await this.#catalogOf(asker)
    return (await this.#openEngine()).query(sql, { ...options, catalog })
  }

  /** Answers a plain-language question with SQL that was checked and run. */
  async ask(
    question: string,
    options: {
      readonly signal?: AbortSignal
      readonly provider?: ProviderSettings
      readonly asker?: Asker
    } = {},
  ): Promise<Answer> {
    const engine = await this.#openEngine()
    const catalog = await this.#catalogOf(options.asker)
    const { provider = this.settings.provider, signal } = options
    return ask(
      question,
      {
        directory: catalogDirectory(catalog),
        runner: engineRunner(engine, answerRowsMax, catalog),
        provider: openProvider(provider),
        clock: system.clock,
      },
      signal === undefined ? {} : { signal },
    )
  }

  /** The Iceberg REST protocol over this lakehouse's catalog, for a server to mount. */
  async catalogRoutes(): Promise<ReturnType<typeof createCatalogRoutes>> {
    const { settings } = this
    const { access } = settings
    const control =
      access.kind === 'on' && settings.catalog.kind !== 'rest' ? await this.#accessControl() : undefined
    const uri = access.kind === 'on' ? access.oauth2ServerUri : undefined
    return createCatalogRoutes({
      catalog: await this.catalog(),
      clock: system.clock,
      warehouse: settings.warehouse,
      tableConfig: () => tableConfig(settings),
      ...(control === undefined ? {} : { access: control }),
      ...(uri === undefined ? {} : { defaults: { 'oauth2-server-uri': uri } }),
    })
  }

  /** Lets requests to a server through that may be; `undefined` when nobody is asked who they are. */
  async authorization(): Promise<AccessControl['middleware'] | undefined> {
    const { access, catalog } = this.settings
    if (access.kind !== 'on') return undefined
    // The catalog behind knows tokens and grants: it is asked with the token of each request.
    if (catalog.kind === 'rest') return requireBearer((path) => path === '/health' || path === '/ready')
    return (await this.#accessControl()).middleware
  }

  /** Tokens, grants and restrictions, here or at the server that has them. */
  async accessAdmin(): Promise<AccessAdmin> {
    const { settings } = this
    if (settings.catalog.kind === 'rest') return remoteAccessAdmin(settings.catalog)
    const store = createSqlAccessStore((await this.#openDatabase()).sql)
    return createAccessAdmin({ warehouse: warehouseName, catalog: await this.catalog(), store }, system)
  }

  async loadTable(identifier: TableIdentifier): ReturnType<Catalog['loadTable']> {
    return (await this.catalog()).loadTable(identifier)
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#database, this.#catalog, this.#access, this.#engine])
    // What was opened last may still use what was opened first.
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).toReversed())
      await close().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw toFloeError(failures[0])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #openCatalog(): Promise<Catalog> {
    const { settings } = this
    if (settings.catalog.kind !== 'rest') {
      const database = await this.#openDatabase()
      return database.catalog({ name: warehouseName, location: settings.warehouse })
    }
    const catalog = await openRestCatalog(settings.catalog)
    this.#closers.push(() => catalog.close())
    return catalog
  }

  #openDatabase(): Promise<CatalogDatabase> {
    this.#database ??= (async () => {
      const { catalog } = this.settings
      if (catalog.kind === 'rest') throw new FloeError('internal', 'a remote catalog has no database here')
      const settings = { database: catalog, clock: system.clock, uuid: system.uuid }
      const database = await openCatalogDatabase(settings, { store: this.store })
      this.#closers.push(() => database.close())
      return database
    })()
    return this.#database
  }

  #accessControl(): Promise<AccessControl> {
    this.#access ??= (async () => {
      const { access, warehouse: location } = this.settings
      const { bootstrapToken, oidc } = access.kind === 'on' ? access : {}
      const store = createSqlAccessStore((await this.#openDatabase()).sql)
      return createAccessControl(
        {
          store,
          warehouses: [{ name: warehouseName, location, catalog: await this.catalog() }],
          ...(bootstrapToken === undefined ? {} : { bootstrapToken }),
          ...(oidc === undefined ? {} : { oidc }),
        },
        system,
      )
    })()
    return this.#access
  }

  /** The catalog as one asker sees it. */
  async #catalogOf({ access, bearer }: Asker = {}): Promise<ReadableCatalog> {
    if (access !== undefined) return visibleCatalog(await this.catalog(), access)
    const { catalog } = this.settings
    if (bearer === undefined || catalog.kind !== 'rest') return this.catalog()
    if (this.#tokenCatalogs === undefined) {
      const catalogs = new TokenCatalogs((token) => openRestCatalog({ ...catalog, token }))
      this.#closers.push(() => catalogs.close())
      this.#tokenCatalogs = catalogs
    }
    return this.#tokenCatalogs.open(bearer)
  }

  #openEngine(): Promise<Engine> {
    this.#engine ??= (async () => {
      const { cacheDirectory } = this.settings
      // A server in front of another catalog may have no token of its own: each query brings its catalog.
      const catalog: ReadableCatalog = {
        listNamespaces: async (parent) => (await this.catalog()).listNamespaces(parent),
        listTables: async (namespace) => (await this.catalog()).listTables(namespace),
        loadTable: async (identifier) => (await this.catalog()).loadTable(identifier),
      }
      const components = { catalog, store: this.store, clock: system.clock }
      const tempDirectory = path.join(cacheDirectory, 'spill')
      const engine = await openEngine({ cacheDirectory, tempDirectory }, components)
      this.#closers.push(() => engine.close())
      return engine
    })()
    return this.#engine
  }

  #openPool(): Pool {
    if (this.#pool === undefined) {
      const pool = openPool({ workers: this.settings.workers })
      this.#closers.push(() => pool.close())
      this.#pool = pool
    }
    return this.#pool
  }
}

/** What the settings say about a load; the request may say otherwise. */
function loadDefaults({ readMethod, typePolicies }: LakehouseSettings): Partial<LoadRequest> {
  return { method: readMethod, ...(typePolicies === undefined ? {} : { policies: typePolicies }) }
}

function openProvider(settings: ProviderSettings): Provider {
  return settings.kind === 'rules' ? createRulesProvider() : createOpenAiCompatibleProvider(settings)
}

/** Workers of a load when nothing else is said: one per core. */
export function defaultWorkers(): number {
  return availableWorkers()
}
