import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { FloeError } from '@floe/iceberg'

import type { Engine, EngineComponents, EngineSettings, QueryOptions } from '../engine.ts'
import type { QueryStage } from '../query-profile.ts'
import type { QueryResult } from '../query-result.ts'
import type { TableCatalog } from '../table-lookup.ts'
import { CallChannel } from './call-channel.ts'
import type { CallMessage } from './call-channel.ts'
import type { ResultHead } from './process-calls.ts'
import { remoteResult } from './remote-result.ts'

/** After the time of a query is over the process has this long to say so itself. */
const graceMsDefault = 10_000

/** Variables that a process needs to run at all. Keys, tokens and addresses stay here. */
const environmentNames = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'LANG', 'LC_ALL', 'SystemRoot'] as const

export type EngineProcessSettings = EngineSettings & { readonly timeoutMs: number; readonly graceMs?: number }

/**
 * An engine in a process of its own, for SQL from outside: whatever a query does to it, this process goes on. Catalog
 * and store are asked here. The process starts with the first query, and again after it has died.
 */
export function openEngineProcess(settings: EngineProcessSettings, components: EngineComponents): Engine {
  return new EngineProcess(settings, components)
}

type OpenChild = { readonly process: ChildProcess; readonly channel: CallChannel }
type AskedQuery = { readonly catalog: TableCatalog; readonly onStage?: (stage: QueryStage) => void }

class EngineProcess implements Engine {
  readonly #settings: EngineProcessSettings
  readonly #components: EngineComponents
  readonly #asked = new Map<number, AskedQuery>()
  #child: Promise<OpenChild> | undefined
  #queries = 0
  #closed = false

  constructor(settings: EngineProcessSettings, components: EngineComponents) {
    this.#settings = settings
    this.#components = components
  }

  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    const { signal, rowsMax, resultBytesMax, onStage, catalog = this.#components.catalog } = options
    const { process, channel } = await this.#open()
    const query = ++this.#queries
    this.#asked.set(query, { catalog, ...(onStage === undefined ? {} : { onStage }) })
    const cancel = (): void => void channel.call('cancel', { query }).catch(() => undefined)
    signal?.addEventListener('abort', cancel, { once: true })
    // A process that cannot be interrupted any more must not hold what others wait for.
    const timer = setTimeout(() => process.kill('SIGKILL'), this.#hardTimeoutMs())
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
      this.#asked.delete(query)
    }
    try {
      const limits = {
        ...(rowsMax === undefined ? {} : { rowsMax }),
        ...(resultBytesMax === undefined ? {} : { resultBytesMax }),
      }
      const running = channel.call<ResultHead>('query', { query, sql, ...limits })
      if (signal?.aborted === true) cancel()
      return remoteResult(query, await running, channel, end)
    } catch (error) {
      end()
      throw error
    }
  }

  async checkSelect(sql: string, { catalog = this.#components.catalog }: QueryOptions = {}): Promise<void> {
    const { channel } = await this.#open()
    const query = ++this.#queries
    this.#asked.set(query, { catalog })
    try {
      await channel.call('check', { query, sql })
    } finally {
      this.#asked.delete(query)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const child = await this.#child?.catch(() => undefined)
    if (child === undefined || child.process.exitCode !== null || child.process.signalCode !== null) return
    const exited = once(child.process, 'exit')
    child.process.disconnect()
    await exited
  }

  #hardTimeoutMs(): number {
    const { timeoutMs, graceMs = graceMsDefault } = this.#settings
    return timeoutMs + graceMs
  }

  #open(): Promise<OpenChild> {
    if (this.#closed) return Promise.reject(new FloeError('cancelled', 'the engine is closed'))
    this.#child ??= this.#start().catch((error: unknown) => {
      this.#child = undefined
      throw error
    })
    return this.#child
  }

  async #start(): Promise<OpenChild> {
    const child = fork(new URL('./engine-child.ts', import.meta.url), {
      serialization: 'advanced',
      env: Object.fromEntries(environmentNames.flatMap((name) => entryOf(name))),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const channel = new CallChannel((message) => child.send(message, () => undefined), {
      get: ({ location, range }: { readonly location: string; readonly range?: Range }) =>
        this.#components.store.get(location, range === undefined ? {} : { range }),
      catalog: (input: CatalogInput) => this.#askCatalog(input),
      stage: ({ query, stage }: { readonly query: number; readonly stage: QueryStage }) =>
        this.#asked.get(query)?.onStage?.(stage),
    })
    child.on('message', (message: CallMessage) => channel.receive(message))
    const onEnd = (): void => {
      this.#child = undefined
      channel.end(
        new FloeError('unavailable', 'the process that runs queries has ended', {
          hint: 'run the query again; when it ends the process each time, raise the memory or simplify the query',
        }),
      )
    }
    child.on('error', onEnd)
    child.on('exit', onEnd)
    const { graceMs: _, ...settings } = this.#settings
    await channel.call('open', settings)
    return { process: child, channel }
  }

  #askCatalog({ query, name, values }: CatalogInput): Promise<unknown> {
    const catalog = this.#asked.get(query)?.catalog
    if (catalog === undefined || !catalogCalls.has(name))
      throw new FloeError('permission-denied', `no query that runs may ask the catalog for ${name}`)
    const call = catalog[name] as (...values: readonly unknown[]) => Promise<unknown>
    return call.apply(catalog, [...values])
  }
}

type Range = { readonly offset: number; readonly length: number }
type CatalogInput = {
  readonly query: number
  readonly name: keyof TableCatalog
  readonly values: readonly unknown[]
}

const catalogCalls: ReadonlySet<string> = new Set([
  'listNamespaces',
  'listTables',
  'listViews',
  'loadTable',
  'loadView',
] satisfies (keyof TableCatalog)[])

function entryOf(name: string): readonly (readonly [string, string])[] {
  const value = process.env[name]
  return value === undefined ? [] : [[name, value]]
}
