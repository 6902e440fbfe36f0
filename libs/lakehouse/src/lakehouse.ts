import path from 'node:path'
import { ask, createOpenAiCompatibleProvider, createRulesProvider } from '@floe/agent'
import type { Answer, Provider } from '@floe/agent'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import type { CatalogSignal } from '@floe/catalog/sql'
import { createCatalogRoutes } from '@floe/catalog-server'
import { availableWorkers, openPool } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { openEngine } from '@floe/engine'
import type { Engine, QueryResult } from '@floe/engine'
import { load } from '@floe/etl'
import type { LoadProgress, LoadReport, LoadRequest } from '@floe/etl'
import { FloeError, toFloeError } from '@floe/iceberg'
import { observeStore, openObjectStore } from '@floe/storage'
import type { CallObserver, ObjectStore, OpenObjectStore } from '@floe/storage'
import { openCatalogs } from './open-catalogs.ts'
import type { Catalogs } from './open-catalogs.ts'
import { checkParts, checkWarehouse } from './readiness.ts'
import type { Readiness } from './readiness.ts'
import { catalogDirectory } from './table-directory.ts'
import { engineRunner } from './sql-runner.ts'
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

export type QueryOptions = { readonly signal?: AbortSignal; readonly rowsMax?: number }

/** Who watches what happens inside. */
export type LakehouseObservers = {
  /** Around each call to the catalog's database and to storage. */
  readonly observe?: CallObserver
  readonly onSignal?: (signal: CatalogSignal) => void
}

/** Every part of Floe, wired by one set of settings. Parts open when they are first used; `close` ends them all. */
export class Lakehouse implements AsyncDisposable {
  readonly settings: LakehouseSettings
  readonly #closers: (() => Promise<void>)[] = []
  #store: OpenObjectStore | undefined
  #observedStore: ObjectStore | undefined
  #catalogs: Promise<Catalogs> | undefined
  #engine: Promise<Engine> | undefined
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

  /** Runs one SELECT over catalog tables. */
  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    return (await this.#openEngine()).query(sql, options)
  }

  /** Answers a plain-language question with SQL that was checked and run. */
  async ask(
    question: string,
    options: { readonly signal?: AbortSignal; readonly provider?: ProviderSettings } = {},
  ): Promise<Answer> {
    const engine = await this.#openEngine()
    const catalog = await this.catalog()
    const { provider = this.settings.provider, signal } = options
    return ask(
      question,
      {
        directory: catalogDirectory(catalog),
        runner: engineRunner(engine, answerRowsMax),
        provider: openProvider(provider),
        clock: system.clock,
      },
      signal === undefined ? {} : { signal },
    )
  }

  /** The Iceberg REST protocol over the catalogs of all warehouses, for a server to mount. */
  async catalogRoutes(): Promise<ReturnType<typeof createCatalogRoutes>> {
    const { warehouses, store } = this.settings
    const catalogs = await this.#openCatalogs()
    const [first, ...others] = warehouses
    return createCatalogRoutes({
      catalog: requireCatalog(catalogs, first),
      clock: system.clock,
      prefix: first.name,
      warehouse: first.location,
      tableConfig: () => tableConfig(first, store),
      warehouses: others.flatMap((warehouse) => {
        const catalog = catalogs.catalogOf(warehouse)
        if (catalog === undefined) return []
        return [{ ...warehouse, catalog, tableConfig: () => tableConfig(warehouse, store) }]
      }),
    })
  }

  /** Whether the catalog and the storage of each warehouse answer; `signal` ends the waiting for those that do not. */
  async checkReady(signal: AbortSignal): Promise<Readiness> {
    const storage = this.settings.warehouses.map((warehouse) => [
      `storage of ${warehouse.name}`,
      () => checkWarehouse(this.store, warehouse, signal),
    ])
    return checkParts(
      { catalog: async () => (await this.#openCatalogs()).check(), ...Object.fromEntries(storage) },
      signal,
    )
  }

  async loadTable(identifier: TableIdentifier): ReturnType<Catalog['loadTable']> {
    return (await this.catalog()).loadTable(identifier)
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#catalogs, this.#engine])
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

  #openEngine(): Promise<Engine> {
    this.#engine ??= this.#startEngine().catch((error: unknown) => {
      this.#engine = undefined
      throw error
    })
    return this.#engine
  }

  async #startEngine(): Promise<Engine> {
    const { cacheDirectory } = this.settings
    const components = { catalog: await this.catalog(), store: this.store, clock: system.clock }
    const tempDirectory = path.join(cacheDirectory, 'spill')
    const engine = await openEngine({ cacheDirectory, tempDirectory }, components)
    this.#closers.push(() => engine.close())
    return engine
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

function requireCatalog(catalogs: Catalogs, warehouse: Warehouse): Catalog {
  const catalog = catalogs.catalogOf(warehouse)
  if (catalog !== undefined) return catalog
  throw new FloeError('internal', `there is no catalog of warehouse ${warehouse.name}`)
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
