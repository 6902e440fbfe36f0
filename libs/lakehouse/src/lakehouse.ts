import type { Answer, Provider } from '@floe/agent'
import type { Catalog, CatalogManagement, ExpiryReport, TableIdentifier } from '@floe/catalog'
import type { CatalogSignal } from '@floe/catalog/sql'
import type {
  AccessAdmin,
  AccessControl,
  CatalogRoutes,
  CatalogRoutesSettings,
  ReadableCatalog,
} from '@floe/catalog-server'
import { availableWorkers, openPool } from '@floe/compute'
import type { Pool } from '@floe/compute'
import type { Engine, QueryResult, QueryStage } from '@floe/engine'
import type { LoadProgress, LoadReport, LoadRequest, OrphanReport, OrphanRequest } from '@floe/etl'
import { toFloeError } from '@floe/iceberg'
import { observeStore, openObjectStore } from '@floe/storage'
import type { CallObserver, ObjectStore, OpenObjectStore } from '@floe/storage'
import { principalOf } from './asker.ts'
import type { Asker } from './asker.ts'
import {
  expireDropped,
  openCatalogs,
  openRemoteCatalog,
  requireAccessStore,
  requireCatalog,
  requireManaged,
} from './open-catalogs.ts'
import type { Catalogs } from './open-catalogs.ts'
import { checkParts, checkWarehouse } from './readiness.ts'
import type { Readiness } from './readiness.ts'
import { managementClientOf } from './management-client.ts'
import { TokenCatalogs } from './token-catalogs.ts'
import { catalogDirectory } from './table-directory.ts'
import { QueryEngines } from './query-engines.ts'
import { engineRunner } from './sql-runner.ts'
import { loadDefaults } from './load-defaults.ts'
import type { LakehouseSettings, ProviderSettings } from './settings.ts'
import { system } from './system.ts'
import { tableConfig } from './table-config.ts'
import type { Warehouse } from './warehouse-settings.ts'

/** Rows that an answer carries at most; the SQL that it shows gives the rest. */
const answerRowsMax = 1_000

export type LoadOptions = Omit<LoadRequest, 'workers'> & {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LoadProgress) => void
}

/** Without an asker everything may be read that the lakehouse itself may read. */
export type QueryOptions = {
  readonly signal?: AbortSignal
  readonly rowsMax?: number
  readonly resultBytesMax?: number
  readonly onStage?: (stage: QueryStage) => void
  readonly asker?: Asker
}

/** Who watches what happens inside. */
export type LakehouseObservers = {
  /** Around each call to the catalog's database and to storage. */
  readonly observe?: CallObserver
  readonly onSignal?: (signal: CatalogSignal) => void
}

/**
 * Every part of Floe, wired by one set of settings. Parts open, and their code is read, when they are first used: half
 * of the start of `floe load` would go to the code of servers, engine and agent. `close` ends them all.
 */
export class Lakehouse implements AsyncDisposable {
  readonly settings: LakehouseSettings
  readonly #closers: (() => Promise<void>)[] = []
  #store: OpenObjectStore | undefined
  #observedStore: ObjectStore | undefined
  #catalogs: Promise<Catalogs> | undefined
  #access: Promise<AccessControl> | undefined
  #tokenCatalogs: TokenCatalogs | undefined
  #engines: QueryEngines | undefined
  #pool: Pool | undefined

  readonly #observers: LakehouseObservers

  constructor(settings: LakehouseSettings, observers: LakehouseObservers = {}) {
    this.settings = settings
    this.#observers = observers
  }

  get store(): ObjectStore {
    const { observe } = this.#observers
    const store = this.#openStore()
    this.#observedStore ??= observe === undefined ? store : observeStore(store, observe)
    return this.#observedStore
  }

  #openStore(): OpenObjectStore {
    if (this.#store === undefined) {
      const store = openObjectStore(this.settings.store)
      this.#closers.push(() => store.close())
      this.#store = store
    }
    return this.#store
  }

  /** The catalog of the first warehouse. */
  async catalog(): Promise<Catalog> {
    const [first] = this.settings.warehouses
    return requireCatalog(await this.#openCatalogs(), first)
  }

  /** Loads PostgreSQL tables. Failures of single tables are in the report, not thrown. */
  async load({ signal, onProgress, ...request }: LoadOptions): Promise<LoadReport> {
    const { settings } = this
    const store = this.#openStore()
    const { load } = await import('@floe/etl')
    return load(
      { ...loadDefaults(settings), ...request, workers: settings.workers },
      {
        ...system,
        catalog: await this.catalog(),
        store,
        storeSettings: () => store.currentSettings(),
        pool: this.#openPool(),
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    )
  }

  /** Removes files of a table that nothing reaches. */
  async removeOrphans(request: OrphanRequest): Promise<OrphanReport> {
    const catalog = await this.catalog()
    const { removeOrphans } = await import('@floe/etl')
    return removeOrphans(request, { catalog, store: this.store, clock: system.clock })
  }

  /** Runs one SELECT over catalog tables. */
  async query(sql: string, { asker, ...options }: QueryOptions = {}): Promise<QueryResult> {
    const catalog = await this.#catalogOf(asker)
    return (await this.#engineFor(asker)).query(sql, { ...options, catalog })
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
    const engine = await this.#engineFor(options.asker)
    const catalog = await this.#catalogOf(options.asker)
    const { provider = this.settings.provider, signal } = options
    const { ask } = await import('@floe/agent')
    return ask(
      question,
      {
        directory: catalogDirectory(catalog),
        runner: engineRunner(engine, answerRowsMax, catalog),
        provider: await openProvider(provider),
        clock: system.clock,
      },
      signal === undefined ? {} : { signal },
    )
  }

  /** The Iceberg REST protocol over the catalogs of all warehouses, for a server to mount. */
  async catalogRoutes(): Promise<CatalogRoutes> {
    const { createCatalogRoutes } = await import('@floe/catalog-server')
    const { warehouses, access, scanPlanningMode } = this.settings
    const catalogs = await this.#openCatalogs()
    const [first, ...others] = warehouses
    const { oauth2ServerUri: uri } = access.kind === 'on' ? access : {}
    const delegation = await this.#delegation()
    // Files of others than those in S3 are reached without keys.
    const delegationOf = ({ location }: Warehouse): typeof delegation =>
      location.startsWith('s3') ? delegation : {}
    return createCatalogRoutes({
      catalog: requireCatalog(catalogs, first),
      clock: system.clock,
      prefix: first.name,
      warehouse: first.location,
      ...(access.kind === 'on' ? { access: await this.#accessControl() } : {}),
      ...(uri === undefined ? {} : { defaults: { 'oauth2-server-uri': uri } }),
      tableConfig: () => tableConfig(first, this.settings),
      planning: {
        store: this.store,
        ...(scanPlanningMode === undefined ? {} : { mode: scanPlanningMode }),
      },
      ...delegationOf(first),
      warehouses: others.flatMap((warehouse) => {
        const catalog = catalogs.catalogOf(warehouse)
        if (catalog === undefined) return []
        const config = { tableConfig: () => tableConfig(warehouse, this.settings) }
        return [{ ...warehouse, catalog, ...config, ...delegationOf(warehouse) }]
      }),
    })
  }

  async #delegation(): Promise<Pick<CatalogRoutesSettings, 'delegation'>> {
    const { warehouses, store, s3Delegation } = this.settings
    if (!warehouses.some(({ location }) => location.startsWith('s3'))) return {}
    const { openDelegation } = await import('./open-delegation.ts')
    const delegation = openDelegation(store, s3Delegation)
    this.#closers.push(async () => delegation.close())
    return { delegation: delegation.settings }
  }

  /** Whether the catalog and the storage of each warehouse answer; `signal` ends the waiting for those that do not. */
  async checkReady(signal: AbortSignal): Promise<Readiness> {
    const storage = this.settings.warehouses.map((warehouse) => [
      `storage of ${warehouse.name}`,
      () => checkWarehouse(this.store, warehouse, signal),
    ])
    return checkParts({ catalog: () => this.#checkCatalog(), ...Object.fromEntries(storage) }, signal)
  }

  async #checkCatalog(): Promise<unknown> {
    try {
      return await (await this.#openCatalogs()).check()
    } catch (error) {
      const { access, catalog } = this.settings
      const isInFront = access.kind === 'on' && catalog.kind === 'rest'
      // A catalog that asks for a token answers: clients bring theirs.
      if (isInFront && toFloeError(error).code === 'permission-denied') return undefined
      throw error
    }
  }

  /** How a server asks its clients who they are, and what they may do; `undefined` when it asks nobody. */
  async accessControl(): Promise<Pick<AccessControl, 'authenticate' | 'authorize'> | undefined> {
    const { access, catalog } = this.settings
    if (access.kind !== 'on') return undefined
    if (catalog.kind !== 'rest') return this.#accessControl()
    // The catalog behind knows tokens and grants: it is asked with the token of each request.
    const { requireBearer } = await import('@floe/catalog-server')
    const isPublic = (path: string): boolean => path === '/health' || path === '/ready'
    return {
      authenticate: requireBearer(isPublic, (bearer) => this.#catalogOf({ bearer })),
      authorize: (_context, next) => next(),
    }
  }

  /** Tokens, grants and restrictions, here or at the server that has them. */
  async accessAdmin(): Promise<AccessAdmin> {
    const client = managementClientOf(this.settings)
    if (client !== undefined) {
      const { remoteAccessAdmin } = await import('./remote-access-admin.ts')
      return remoteAccessAdmin(client)
    }
    const catalogs = await this.#openCatalogs()
    const [first] = this.settings.warehouses
    const own = { catalog: requireCatalog(catalogs, first), store: requireAccessStore(catalogs) }
    const { createAccessAdmin } = await import('@floe/catalog-server')
    return createAccessAdmin({ warehouse: first.name, ...own }, system)
  }

  /** Dropped tables, protection and the audit log of the first warehouse, here or at the server that has them. */
  async management(): Promise<CatalogManagement> {
    const client = managementClientOf(this.settings)
    if (client === undefined) return requireManaged(await this.catalog())
    const { remoteManagement } = await import('./remote-management.ts')
    return remoteManagement(client)
  }

  /** Ends the retention of dropped tables of all warehouses, where the catalog is kept here. */
  async expireDropped(): Promise<readonly ExpiryReport[]> {
    return expireDropped(await this.#openCatalogs(), this.settings.warehouses)
  }

  async loadTable(identifier: TableIdentifier): ReturnType<Catalog['loadTable']> {
    return (await this.catalog()).loadTable(identifier)
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#catalogs, this.#access])
    // What was opened last may still use what was opened first.
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).toReversed())
      await close().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw toFloeError(failures[0])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #openCatalogs(): Promise<Catalogs> {
    // What fails is forgotten: a catalog that is not up yet must not stay away for ever.
    this.#catalogs ??= this.#connectCatalogs().catch((error: unknown) => {
      this.#catalogs = undefined
      throw error
    })
    return this.#catalogs
  }

  async #connectCatalogs(): Promise<Catalogs> {
    const { observe, onSignal } = this.#observers
    const catalogs = await openCatalogs(this.settings, {
      store: this.store,
      places: this.#openStore(),
      ...(observe === undefined ? {} : { observe }),
      ...(onSignal === undefined ? {} : { onSignal }),
    })
    this.#closers.push(() => catalogs.close())
    return catalogs
  }

  #accessControl(): Promise<AccessControl> {
    this.#access ??= this.#openAccessControl().catch((error: unknown) => {
      this.#access = undefined
      throw error
    })
    return this.#access
  }

  async #openAccessControl(): Promise<AccessControl> {
    const { access } = this.settings
    const { bootstrapToken, oidc } = access.kind === 'on' ? access : {}
    const catalogs = await this.#openCatalogs()
    const [first, ...others] = this.settings.warehouses
    const { createAccessControl } = await import('@floe/catalog-server')
    return createAccessControl(
      {
        store: requireAccessStore(catalogs),
        warehouses: [
          { ...first, catalog: requireCatalog(catalogs, first) },
          ...others.map((warehouse) => ({ ...warehouse, catalog: requireCatalog(catalogs, warehouse) })),
        ],
        ...(bootstrapToken === undefined ? {} : { bootstrapToken }),
        ...(oidc === undefined ? {} : { oidc }),
      },
      system,
    )
  }

  /** The catalog as one asker sees it. */
  async #catalogOf({ access, bearer }: Asker = {}): Promise<ReadableCatalog> {
    if (access !== undefined) {
      const { visibleCatalog } = await import('@floe/catalog-server')
      return visibleCatalog(await this.catalog(), access)
    }
    const { catalog } = this.settings
    if (bearer === undefined || catalog.kind !== 'rest') return this.catalog()
    if (this.#tokenCatalogs === undefined) {
      const catalogs = new TokenCatalogs((token) => {
        const own = { ...catalog, auth: { kind: 'bearer', token } } as const
        return openRemoteCatalog(own, this.settings, this.#openStore())
      })
      this.#closers.push(() => catalogs.close())
      this.#tokenCatalogs = catalogs
    }
    return this.#tokenCatalogs.open(bearer)
  }

  #openEngines(): QueryEngines {
    if (this.#engines === undefined) {
      const engines = new QueryEngines(this.settings, {
        catalog: () => this.catalog(),
        store: this.store,
        pool: () => this.#openPool(),
        storeSettings: () => this.#openStore().currentSettings(),
      })
      this.#closers.push(() => engines.close())
      this.#engines = engines
    }
    return this.#engines
  }

  /** Whoever asks from outside has an engine apart. */
  #engineFor(asker: Asker | undefined): Promise<Engine> {
    const engines = this.#openEngines()
    return asker === undefined ? engines.own() : engines.outside(principalOf(asker))
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

async function openProvider(settings: ProviderSettings): Promise<Provider> {
  const { createOpenAiCompatibleProvider, createRulesProvider } = await import('@floe/agent')
  return settings.kind === 'rules' ? createRulesProvider() : createOpenAiCompatibleProvider(settings)
}

/** Workers of a load when nothing else is said: one per core. */
export function defaultWorkers(): number {
  return availableWorkers()
}
