import type { CatalogSignal } from '@floe/lakehouse'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Why a request was turned away before any route saw it. */
type RefusalReason = 'concurrency' | 'rate'

type ServedRequest = {
  readonly method: string
  /** Undefined when no route fits. */
  readonly template: string | undefined
  readonly status: number
  readonly seconds: number
}

/** The numbers of one server. Labels have few values, whatever clients send. */
export type ServerMetrics = {
  countRequest(request: ServedRequest): void
  countRefusal(reason: RefusalReason): void
  countSignal(signal: CatalogSignal): void
  /** Of one look for dropped tables whose retention is over. */
  countExpiry(counts: { readonly expired: number; readonly failed: number }): void
  changeOpen(by: 1 | -1): void
  /** In the text format of Prometheus. */
  render(): Promise<string>
  readonly contentType: string
}

/** From the answers out of memory to commits that wait for each other; seconds. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])

/** Routes that commit, and what they commit. */
const commitRoutes: Readonly<Record<string, string>> = {
  'POST /v1/{prefix}/namespaces/{namespace}/tables': 'create-table',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}': 'table',
  'POST /v1/{prefix}/transactions/commit': 'transaction',
  'POST /v1/{prefix}/namespaces/{namespace}/views': 'create-view',
  'POST /v1/{prefix}/namespaces/{namespace}/views/{view}': 'view',
}

export function createServerMetrics(): ServerMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Time from the headers of a request until its answer starts',
    labelNames: ['method', 'route', 'status'],
    buckets: durationBuckets,
    registers,
  })
  const commits = new Counter({
    name: 'floe_catalog_commits_total',
    help: 'Commits by what they change and how they ended: committed, conflict, refused, unknown, failed',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const signals = signalCounters(registers)
  const refusals = new Counter({
    name: 'floe_requests_refused_total',
    help: 'Requests turned away by a limit',
    labelNames: ['reason'],
    registers,
  })
  const expiries = new Counter({
    name: 'floe_dropped_expired_total',
    help: 'Dropped tables and views whose retention is over: expired, or failed and to be tried again',
    labelNames: ['outcome'],
    registers,
  })
  const open = new Gauge({ name: 'floe_requests_open', help: 'Requests under way', registers })
  return {
    countRequest: ({ method, template, status, seconds }) => {
      const route = template ?? 'unmatched'
      duration.observe({ method: knownMethods.has(method) ? method : 'other', route, status }, seconds)
      const kind = commitRoutes[`${method} ${route}`]
      if (kind !== undefined) commits.inc({ kind, outcome: commitOutcome(status) })
    },
    countRefusal: (reason) => refusals.inc({ reason }),
    countSignal: (signal) => signals[signal].inc(),
    countExpiry: ({ expired, failed }) => {
      expiries.inc({ outcome: 'expired' }, expired)
      expiries.inc({ outcome: 'failed' }, failed)
    },
    changeOpen: (by) => open.inc(by),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function signalCounters(registers: Registry[]): Readonly<Record<CatalogSignal, { inc(): void }>> {
  const retries = new Counter({
    name: 'floe_catalog_commit_retries_total',
    help: 'Commits that were made again upon what another one left',
    registers,
  })
  const reads = new Counter({
    name: 'floe_catalog_metadata_reads_total',
    help: 'Reads of metadata files by where they came from: memory or storage',
    labelNames: ['source'],
    registers,
  })
  return {
    'commit-retry': retries,
    'metadata-cache-hit': reads.labels('memory'),
    'metadata-cache-miss': reads.labels('storage'),
  }
}

function commitOutcome(status: number): string {
  if (status < 300) return 'committed'
  if (status === 409) return 'conflict'
  if (status < 500) return 'refused'
  // The protocol's CommitStateUnknownException; 503 says that nothing happened.
  return status === 503 ? 'failed' : 'unknown'
}
