import path from 'node:path'
import { ask, createOpenAiCompatibleProvider, createRulesProvider } from '@floe/agent'
import type { Answer, Provider } from '@floe/agent'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import { openRestCatalog } from '@floe/catalog/rest'
import { openSqlCatalog } from '@floe/catalog/sql'
import { createCatalogRoutes } from '@floe/catalog-server'
import type { CatalogRoutesSettings } from '@floe/catalog-server'
import { availableWorkers, openPool } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { openEngine } from '@floe/engine'
import type { Engine, QueryResult } from '@floe/engine'
import { load } from '@floe/etl'
import type { LoadProgress, LoadReport, LoadRequest } from '@floe/etl'
import { toFloeError } from '@floe/iceberg'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'
import { openDelegation } from './open-delegation.ts'
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

export type QueryOptions = { readonly signal?: AbortSignal; readonly rowsMax?: number }

/** Every part of Floe, wired by one set of settings. Parts open when they are first used; `close` ends them all. */
export class Lakehouse implements AsyncDisposable {
  readonly settings: LakehouseSettings
  readonly #closers: (() => Promise<void>)[] = []
  #store: (ObjectStore & { close(): Promise<void> }) | undefined
  #catalog: Promise<Catalog> | undefined
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

  /** The Iceberg REST protocol over this lakehouse's catalog, for a server to mount. */
  async catalogRoutes(): Promise<ReturnType<typeof createCatalogRoutes>> {
    const { settings } = this
    return createCatalogRoutes({
      catalog: await this.catalog(),
      clock: system.clock,
      warehouse: settings.warehouse,
      tableConfig: () => tableConfig(settings),
      planning: {
        store: this.store,
        ...(settings.scanPlanningMode === undefined ? {} : { mode: settings.scanPlanningMode }),
      },
      ...this.#delegation(),
    })
  }

  /** Only for a warehouse in S3: files of others are reached without keys. */
  #delegation(): Pick<CatalogRoutesSettings, 'delegation'> {
    const { warehouse, store, s3Delegation } = this.settings
    if (!warehouse.startsWith('s3')) return {}
    const delegation = openDelegation(store, s3Delegation)
    this.#closers.push(async () => delegation.close())
    return { delegation: delegation.settings }
  }

  async loadTable(identifier: TableIdentifier): ReturnType<Catalog['loadTable']> {
    return (await this.catalog()).loadTable(identifier)
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#catalog, this.#engine])
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
    const { settings, store } = this
    const catalog =
      settings.catalog.kind === 'rest'
        ? await openRestCatalog(settings.catalog)
        : await openSqlCatalog(
            {
              database: { kind: 'sqlite', path: settings.catalog.path },
              warehouse: settings.warehouse,
              clock: system.clock,
              uuid: system.uuid,
            },
            { store },
          )
    this.#closers.push(() => catalog.close())
    return catalog
  }

  #openEngine(): Promise<Engine> {
    this.#engine ??= (async () => {
      const { cacheDirectory } = this.settings
      const components = { catalog: await this.catalog(), store: this.store, clock: system.clock }
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
