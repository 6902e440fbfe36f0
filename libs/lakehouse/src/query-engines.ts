import path from 'node:path'
import type { ReadableCatalog } from '@floe/catalog-server'
import { taskAt } from '@floe/compute'
import type { Pool } from '@floe/compute'
import type { Engine, EngineComponents } from '@floe/engine'
import type { DecodedManifest } from '@floe/iceberg'
import type { ManifestBytes } from '@floe/planner'
import { loggedEngine } from './logged-engine.ts'
import { QueryLog } from './query-log.ts'
import type { LakehouseSettings } from './settings.ts'
import { system } from './system.ts'

/** What the engines read; a server in front of another catalog may have no token of its own: each query brings its catalog. */
export type QuerySources = {
  readonly catalog: () => Promise<ReadableCatalog>
  readonly store: EngineComponents['store']
  readonly pool: () => Pool
  readonly storeSettings: NonNullable<EngineComponents['storeSettings']>
}

/** Opens the engine of this process, and the one in a process of its own, when they are first used. */
export class QueryEngines {
  readonly #settings: LakehouseSettings
  readonly #components: EngineComponents
  readonly #pool: () => Pool
  readonly #log: QueryLog | undefined
  #own: Promise<Engine> | undefined
  #outside: Promise<Engine> | undefined

  constructor(settings: LakehouseSettings, { catalog, store, storeSettings, pool }: QuerySources) {
    this.#pool = pool
    this.#settings = settings
    this.#log = settings.queryLog === undefined ? undefined : new QueryLog(settings.queryLog)
    const lazy: ReadableCatalog = {
      listNamespaces: async (parent) => (await catalog()).listNamespaces(parent),
      listTables: async (namespace) => (await catalog()).listTables(namespace),
      listViews: async (namespace) => (await catalog()).listViews(namespace),
      loadTable: async (identifier, options) => (await catalog()).loadTable(identifier, options),
      loadView: async (identifier) => (await catalog()).loadView(identifier),
    }
    this.#components = { catalog: lazy, store, storeSettings, clock: system.clock }
  }

  /** For whoever runs this process. */
  own(): Promise<Engine> {
    this.#own ??= this.#openOwn().catch((error: unknown) => {
      this.#own = undefined
      throw error
    })
    return this.#own
  }

  /** For others: in a process of its own, with an entry in the log for each query. */
  async outside(principal: string): Promise<Engine> {
    this.#outside ??= this.#openOutside()
    const engine = await this.#outside
    return this.#log === undefined
      ? engine
      : loggedEngine(engine, principal, { log: this.#log, clock: system.clock })
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled([this.#own, this.#outside])
    for (const engine of opened) if (engine.status === 'fulfilled') await engine.value?.close()
  }

  async #openOwn(): Promise<Engine> {
    const { openEngine } = await import('@floe/engine')
    const { decodeManifestTask } = await import('@floe/planner')
    const task = taskAt<ManifestBytes, DecodedManifest>(decodeManifestTask)
    const decodeElsewhere = (manifest: ManifestBytes): Promise<DecodedManifest> =>
      this.#pool().run(task, manifest)
    return openEngine(this.#engineSettings(), { ...this.#components, decodeElsewhere })
  }

  async #openOutside(): Promise<Engine> {
    const { openEngineProcess } = await import('@floe/engine')
    return openEngineProcess(this.#engineSettings(), this.#components)
  }

  #engineSettings(): LakehouseSettings['query'] & {
    readonly tempDirectory: string
    readonly cacheDirectory: string
  } {
    const { cacheDirectory, query } = this.#settings
    return { ...query, cacheDirectory, tempDirectory: path.join(cacheDirectory, 'spill') }
  }
}
