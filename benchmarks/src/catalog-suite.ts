import { prepareLines } from './catalog-lines.ts'
import type { CatalogLine, CatalogSizes } from './catalog-lines.ts'
import { startCatalogTargets } from './catalog-servers.ts'
import type { CatalogServerName, CatalogTarget } from './catalog-target.ts'
import { HttpConnections } from './http-connections.ts'
import { describeMachine, describeVersions, summarise } from './measurement.ts'
import type { BenchmarkResult, VariantResult } from './measurement.ts'
import { treeCpuSeconds } from './server-cpu.ts'
import { processMemory } from './process-memory.ts'

type CatalogSuiteOptions = {
  readonly servers: readonly CatalogServerName[]
  /** All when absent. */
  readonly lines?: readonly string[]
  readonly runs: number
  readonly seconds: number
  readonly connections: number
  readonly sizes: CatalogSizes
  readonly command: string
  /** Takes a line for each step. */
  readonly log: (text: string) => void
}

type Measured = { readonly target: CatalogTarget; readonly lines: readonly CatalogLine[] }

/** Lines in which a lower figure is not the better one. */
const higherIsBetter: ReadonlySet<string> = new Set(['perSecond'])
const comparedFigures = ['p50Ms', 'p99Ms', 'perSecond'] as const

/** Every server is up all the time; each line runs on one after the other, so that all meet the same machine. */
export async function runCatalogSuite(options: CatalogSuiteOptions): Promise<BenchmarkResult> {
  const startedAt = new Date().toISOString()
  await using targets = await startCatalogTargets(options.servers, options.log)
  const connections: HttpConnections[] = []
  try {
    const measured: Measured[] = []
    for (const target of targets.all) {
      const http = new HttpConnections(target.base, options.connections)
      connections.push(http)
      options.log(`filling ${target.name}`)
      const isWanted = (line: string): boolean => options.lines?.includes(line) ?? true
      measured.push({ target, lines: await prepareLines(target, http, options.sizes, isWanted) })
    }
    const variants = await measureInTurn(measured, options)
    return {
      suite: 'catalog',
      workload: 'rest',
      command: options.command,
      startedAt,
      machine: describeMachine(),
      versions: {
        ...describeVersions(),
        ...Object.fromEntries(targets.all.map(({ name, version }) => [name, version])),
      },
      variants: [...variants, ...measured.map(({ target }) => memoryOf(target))],
      ratios: ratiosOf(variants),
    }
  } finally {
    for (const connection of connections) connection[Symbol.dispose]()
  }
}

/** The first run warms up and does not count. */
async function measureInTurn(
  measured: readonly Measured[],
  { runs, seconds, connections, log }: CatalogSuiteOptions,
): Promise<readonly VariantResult[]> {
  const figures = new Map<string, Readonly<Record<string, number>>[]>()
  const names = measured[0]?.lines.map(({ name }) => name) ?? []
  for (let run = 0; run <= runs; run++) {
    for (const [at, line] of names.entries()) {
      for (const { target, lines } of measured) {
        const cpuBefore = treeCpuSeconds(target.pid)
        const loop = await lines[at]?.run({ connections, secondsMax: seconds })
        const cpuSeconds = treeCpuSeconds(target.pid) - cpuBefore
        const result = loop && { ...loop, cpuMs: (cpuSeconds * 1000) / (loop['operations'] ?? 1) }
        const variant = `${line} ${target.name}`
        if (result === undefined) continue
        log(`${run === 0 ? 'warm-up' : `run ${run}`} ${variant}: ${describe(result)}`)
        if (run > 0) figures.set(variant, [...(figures.get(variant) ?? []), result])
      }
    }
  }
  return [...figures].map(([variant, all]) => summarise(variant, all))
}

function memoryOf({ name, pid }: CatalogTarget): VariantResult {
  return summarise(`memory ${name}`, [processMemory(pid)])
}

/** Floe to each other server, below 1 where Floe is ahead; and long histories to short ones. */
function ratiosOf(variants: readonly VariantResult[]): Readonly<Record<string, number>> {
  const ratios: Record<string, number> = {}
  for (const own of variants.filter(({ variant }) => variant.includes(' floe-'))) {
    const [line, floe] = own.variant.split(' ')
    for (const other of variants) {
      const [otherLine, server = ''] = other.variant.split(' ')
      if (otherLine !== line || !isRival(floe ?? '', server) || !holdsAsMuch(other, own)) continue
      for (const figure of comparedFigures) {
        const [ours = Number.NaN, theirs = Number.NaN] = [own.median[figure], other.median[figure]]
        ratios[`${line} ${figure} ${floe} / ${server}`] = higherIsBetter.has(figure)
          ? theirs / ours
          : ours / theirs
      }
    }
    if (!/^load-\d+-refs$/.test(line ?? '')) continue
    const short = variants.find(({ variant }) => variant === `load-10-refs ${floe}`)?.median['p50Ms']
    if (short !== undefined && line !== 'load-10-refs')
      ratios[`${line} / load-10-refs p50Ms ${floe}`] = (own.median['p50Ms'] ?? Number.NaN) / short
  }
  return ratios
}

/** Nessie keeps the history of tables elsewhere: its answers hold one snapshot, which is no load of ten thousand. */
function holdsAsMuch({ median: theirs }: VariantResult, { median: ours }: VariantResult): boolean {
  return (['snapshots', 'logEntries'] as const).every(
    (figure) => (theirs[figure] ?? 0) >= (ours[figure] ?? 0),
  )
}

/** The reference server on the same database, and Nessie. */
function isRival(floe: string, server: string): boolean {
  return server === 'nessie' || server === floe.replace('floe-', 'reference-')
}

/** The result as lines of text: each line of the suite with the figures of every server. */
export function describeCatalogResult({ variants, ratios }: BenchmarkResult): string {
  const figures = variants.map(({ variant, median }) => `${variant.padEnd(36)} ${describe(median)}`)
  const behind = Object.entries(ratios).filter(([, ratio]) => ratio > 1)
  const verdict =
    behind.length === 0
      ? ['Floe is ahead on every line']
      : ['Floe is behind on:', ...behind.map(([name, ratio]) => `  ${name}: ${ratio.toFixed(2)}`)]
  return [...figures, ...verdict, ''].join('\n')
}

function describe(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value.toLocaleString('en-US', { maximumFractionDigits: 2 })}`)
    .join(', ')
}
