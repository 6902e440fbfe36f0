import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openObjectStore } from '@floe/storage'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { describeMachine, describeVersions, summarise } from '../measurement.ts'
import type { BenchmarkResult, VariantResult } from '../measurement.ts'
import { treeCpuSeconds } from '../server-cpu.ts'
import { countWritten } from './count-written.ts'
import { loadRatios } from './load-ratios.ts'
import type { LoadSource, LoadVariant } from './load-variant.ts'
import { tableName } from './rest-table.ts'
import { startRestLake } from './rest-lake.ts'
import type { RestLake } from './rest-lake.ts'
import { runProcess } from './run-process.ts'
import type { MeasuredRun } from './run-process.ts'
import { openVariant } from './variant-list.ts'
import type { Workload } from './workload.ts'

export type LoadSuiteOptions = {
  readonly workload: Workload
  readonly workers: number
  readonly runs: number
  readonly variants: readonly string[]
  readonly command: string
  readonly log: (text: string) => void
}

/** The server's own part is the same for all; it shall be neither slow nor busy with itself. */
const serverSettings = { shared_buffers: '2GB', max_wal_size: '8GB', jit: 'off', autovacuum: 'off' }

/** Fills one table, and lets every variant load it in turn. */
export async function runLoadSuite(options: LoadSuiteOptions): Promise<BenchmarkResult> {
  const { workload, log } = options
  const startedAt = new Date().toISOString()
  await using postgres = await startPostgres({ settings: serverSettings })
  log(`filling ${workload.table}`)
  const source = await fillSource(postgres, options)
  log(
    `${source.rows.toLocaleString('en-US')} rows; ${options.runs} runs of each variant in turn, after one warm-up`,
  )
  const variants = await withVariants(source, options, (opened) =>
    measureInTurn(opened, postgres, source, options),
  )
  return {
    suite: 'load',
    workload: workload.name,
    command: options.command,
    startedAt,
    machine: describeMachine(),
    versions: { ...describeVersions(), postgres: await serverVersion(postgres) },
    variants,
    ratios: loadRatios(variants),
  }
}

async function fillSource(
  postgres: TestPostgres,
  { workload, workers }: LoadSuiteOptions,
): Promise<LoadSource> {
  const { table, key } = workload
  const rows = await workload.fill(postgres)
  const bounds = `SELECT min(${key})::float8 AS least, max(${key})::float8 AS most FROM ${table}`
  const [range] = await postgres.query<{ least: number; most: number }>(bounds)
  // What the fill left to write must not be written while the first variants run.
  await postgres.query('CHECKPOINT')
  return { url: postgres.url, table, rows, key, keyMin: range?.least ?? 0, keyMax: range?.most ?? 0, workers }
}

/** The variants by name, and how what a run has left behind is counted and removed. */
type Opened = {
  readonly variants: ReadonlyMap<string, LoadVariant>
  readonly lake: RestLake | undefined
  readonly store: RestLake['store']
}

async function withVariants<Result>(
  source: LoadSource,
  { variants: names, log }: LoadSuiteOptions,
  use: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  await using started = new AsyncDisposableStack()
  const local = started.use(openObjectStore())
  let lake: RestLake | undefined
  const openLake = async (): Promise<RestLake> => {
    if (lake === undefined) log('starting MinIO and the REST catalog')
    return (lake ??= started.use(await startRestLake()))
  }
  const variants = new Map<string, LoadVariant>()
  for (const name of names)
    variants.set(name, await openVariant(name, { source, store: local, lake: openLake }))
  return await use({ variants, lake, store: lake?.store ?? local })
}

async function measureInTurn(
  opened: Opened,
  postgres: TestPostgres,
  source: LoadSource,
  { runs, log }: LoadSuiteOptions,
): Promise<readonly VariantResult[]> {
  const figures = new Map<string, Readonly<Record<string, number>>[]>()
  for (let run = 0; run <= runs; run++) {
    for (const [name, variant] of opened.variants) {
      const place = `${name.replaceAll('-', '_')}_${run}`
      const measured = await measure(variant, place, opened, postgres, source)
      const { seconds = 0, cpuSeconds = 0 } = measured
      log(
        `${run === 0 ? 'warm-up' : `run ${run}`} ${name}: ${seconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s`,
      )
      if (run > 0) figures.set(name, [...(figures.get(name) ?? []), measured])
    }
  }
  return [...figures].map(([name, measured]) => summarise(name, measured))
}

/** One run, checked: what it has written holds as many rows as the source. */
async function measure(
  variant: LoadVariant,
  name: string,
  { lake, store }: Opened,
  postgres: TestPostgres,
  source: LoadSource,
): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-load-'))
  try {
    const run = variant({ folder, name })
    const serverBefore = treeCpuSeconds(postgres.pid)
    const measured = await runProcess(run)
    const serverCpuSeconds = treeCpuSeconds(postgres.pid) - serverBefore
    const locations = await run.written?.(measured)
    const written = locations === undefined ? undefined : await countWritten(store, locations)
    const rows = written?.rows ?? measured.rows
    if (rows !== source.rows) throw new Error(`${name} has ${rows} rows, and ${source.table} ${source.rows}`)
    return figuresOf({ ...measured, rows }, serverCpuSeconds, written)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await lake?.clear(name, tableName(source.table))
  }
}

function figuresOf(
  measured: MeasuredRun,
  serverCpuSeconds: number,
  written: { readonly bytes: number; readonly files: number } | undefined,
): Readonly<Record<string, number>> {
  const { rows, seconds, wireBytes, cpuSeconds } = measured
  const millionRows = rows / 1_000_000
  return {
    ...numbersOf(measured),
    serverCpuSeconds,
    rowsPerSecond: rows / seconds,
    cpuSecondsPerMillionRows: cpuSeconds / millionRows,
    serverCpuSecondsPerMillionRows: serverCpuSeconds / millionRows,
    ...(wireBytes === undefined ? {} : { megabytesPerSecond: wireBytes / seconds / 1_000_000 }),
    ...(written === undefined ? {} : { bytesWritten: written.bytes, filesWritten: written.files }),
  }
}

function numbersOf(figures: MeasuredRun): Readonly<Record<string, number>> {
  const numbers = Object.entries(figures).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  )
  return Object.fromEntries(numbers)
}

async function serverVersion(postgres: TestPostgres): Promise<string> {
  const [row] = await postgres.query<{ server_version: string }>('SHOW server_version')
  return row?.server_version ?? 'unknown'
}
