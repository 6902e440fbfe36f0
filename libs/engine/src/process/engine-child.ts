import { FloeError } from '@floe/iceberg'
import type { ObjectReader } from '@floe/storage'

import { openEngine } from '../engine.ts'
import type { Engine, EngineSettings } from '../engine.ts'
import type { QueryResult } from '../query-result.ts'
import type { TableCatalog } from '../table-lookup.ts'
import { CallChannel } from './call-channel.ts'
import type { CallMessage } from './call-channel.ts'
import type { QueryInput, ReadForm, ResultHead, ResultPart } from './process-calls.ts'

/**
 * The process that runs queries: an engine whose catalog and store are at the other end of the channel. It holds no keys
 * and no tokens, and asks for what a query reads alone.
 */
type RunningQuery = {
  readonly stop: AbortController
  result?: QueryResult
  parts?: AsyncIterator<unknown>
  hasSent?: boolean
}

/** Batches of one message, and how long they may be waited for. */
const gatheredBatchesMax = 32
const gatherMsMax = 25

const clock = { now: (): number => performance.timeOrigin + performance.now() }
const queries = new Map<number, RunningQuery>()
let engine: Engine | undefined

const channel = new CallChannel((message) => process.send?.(message), {
  open: async (settings: EngineSettings) => {
    engine = await openEngine(settings, { catalog: catalogOf(0), store: remoteStore, clock })
  },
  query: runQuery,
  check: ({ query, sql }: { readonly query: number; readonly sql: string }) =>
    opened().checkSelect(sql, { catalog: catalogOf(query) }),
  next: nextPart,
  cancel: ({ query }: { readonly query: number }) => queries.get(query)?.stop.abort(),
  close: async ({ query }: { readonly query: number }) => {
    const running = queries.get(query)
    queries.delete(query)
    await running?.result?.close()
  },
})
process.on('message', (message: CallMessage) => channel.receive(message))
// Whoever asked is gone: nobody waits for an answer any more.
process.on('disconnect', () => process.exit())

const remoteStore: ObjectReader = {
  get: async (location, { signal, range } = {}) => {
    signal?.throwIfAborted()
    return channel.call('get', { location, range })
  },
}

/** The catalog as whoever asks a query sees it. */
function catalogOf(query: number): TableCatalog {
  const ask = <Output>(name: string, ...values: readonly unknown[]): Promise<Output> =>
    channel.call('catalog', { query, name, values })
  return {
    listNamespaces: (parent) => ask('listNamespaces', parent),
    listTables: (namespace) => ask('listTables', namespace),
    listViews: (namespace) => ask('listViews', namespace),
    loadTable: (identifier, options) => ask('loadTable', identifier, options),
    loadView: (identifier) => ask('loadView', identifier),
  }
}

function opened(): Engine {
  if (engine === undefined) throw new FloeError('internal', 'the engine of this process is not open yet')
  return engine
}

async function runQuery({ query, sql, ...limits }: QueryInput): Promise<ResultHead> {
  const running: RunningQuery = { stop: new AbortController() }
  queries.set(query, running)
  try {
    const result = await opened().query(sql, {
      ...limits,
      signal: running.stop.signal,
      catalog: catalogOf(query),
      onStage: (stage) => void channel.call('stage', { query, stage }),
    })
    running.result = result
    // It was given up while it was on its way.
    if (!queries.has(query)) await result.close()
    const { columns, references, pruning } = result
    return { columns, references, pruning }
  } catch (error) {
    queries.delete(query)
    throw error
  }
}

async function nextPart({ query, ...form }: { readonly query: number } & ReadForm): Promise<ResultPart> {
  const running = queries.get(query)
  const result = running?.result
  if (running === undefined || result === undefined) throw new FloeError('cancelled', 'the query has ended')
  running.parts ??=
    form.form === 'rows'
      ? result.rows()[Symbol.asyncIterator]()
      : result.arrow(form.metadata)[Symbol.asyncIterator]()
  const { batches, done } = await nextBatches(running.parts, running.hasSent === true)
  running.hasSent = true
  if (done) queries.delete(query)
  return { batches, done, profile: result.profile(), truncated: result.truncated() }
}

/** The first rows go at once; later ones together, since each message costs both processes a turn. */
async function nextBatches(
  parts: AsyncIterator<unknown>,
  isLater: boolean,
): Promise<{ readonly batches: readonly unknown[]; readonly done: boolean }> {
  const batches: unknown[] = []
  const untilMs = clock.now() + gatherMsMax
  do {
    const { value, done } = await parts.next()
    if (done === true) return { batches, done }
    batches.push(value)
  } while (isLater && batches.length < gatheredBatchesMax && clock.now() < untilMs)
  return { batches, done: false }
}
