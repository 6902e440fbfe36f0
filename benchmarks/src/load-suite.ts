import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { describeMachine, describeVersions, saveResult, summarise } from './measurement.ts'
import type { BenchmarkResult, VariantResult } from './measurement.ts'
import { treeCpuSeconds } from './server-cpu.ts'
import { chooseWorkload } from './workload.ts'
import type { Workload } from './workload.ts'

export type LoadSuiteOptions = {
  readonly scale: number | undefined
  readonly workers: number
  readonly runs: number
  readonly variants: readonly string[]
  readonly command: string
}

const serverSettings = { shared_buffers: '2GB', max_wal_size: '8GB', jit: 'off', autovacuum: 'off' }

export async function runLoadSuite(options: LoadSuiteOptions): Promise<string> {
  const workload = chooseWorkload(options.scale)
  const startedAt = new Date().toISOString()
  await using postgres = await startPostgres({ settings: serverSettings })
  log(`filling ${workload.table}`)
  const rows = await workload.fill(postgres)
  const { variants } = options
  log(
    `${rows.toLocaleString('en-US')} rows; ${variants.join(', ')} in turn, ${options.runs} runs each, after one warm-up`,
  )
  const measured = await measureInTurn(postgres, workload, options)
  const result: BenchmarkResult = {
    suite: 'load',
    workload: workload.name,
    command: options.command,
    startedAt,
    machine: describeMachine(),
    versions: { ...describeVersions(), postgres: await serverVersion(postgres) },
    variants: measured,
    ratios: ratiosOf(measured),
  }
  printResult(result)
  return saveResult(result)
}

async function measureInTurn(
  postgres: TestPostgres,
  workload: Workload,
  { workers, runs, variants }: LoadSuiteOptions,
): Promise<readonly VariantResult[]> {
  const figures = new Map<string, Record<string, number>[]>(variants.map((variant) => [variant, []]))
  for (let run = 0; run <= runs; run++) {
    for (const variant of variants) {
      const measured = await runVariant(variant, postgres, workload, workers)
      log(`${run === 0 ? 'warm-up' : `run ${run}`} ${variant}: ${measured['seconds']?.toFixed(2)} s`)
      if (run > 0) figures.get(variant)?.push(measured)
    }
  }
  return variants.map((variant) => summarise(variant, figures.get(variant) ?? []))
}

async function runVariant(
  variant: string,
  postgres: TestPostgres,
  { table }: Workload,
  workers: number,
): Promise<Record<string, number>> {
  const serverBefore = treeCpuSeconds(postgres.pid)
  const script = fileURLToPath(new URL('./load-variant.ts', import.meta.url))
  const args = [script, variant, postgres.url, table, String(workers)]
  // As the floe command does: modules are compiled once, not in each run.
  const env = { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') }
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`variant ${variant} ended with exit code ${String(code)}`)
  const figures = JSON.parse(output) as Record<string, number>
  const { rows = 0, seconds = 0, wireBytes = 0, loaderCpuSeconds = 0 } = figures
  const serverCpuSeconds = treeCpuSeconds(postgres.pid) - serverBefore
  return {
    ...figures,
    serverCpuSeconds,
    rowsPerSecond: rows / seconds,
    megabytesPerSecond: wireBytes / seconds / 1_000_000,
    loaderCpuSecondsPerMillionRows: loaderCpuSeconds / (rows / 1_000_000),
    serverCpuSecondsPerMillionRows: serverCpuSeconds / (rows / 1_000_000),
  }
}

function ratiosOf(measured: readonly VariantResult[]): Readonly<Record<string, number>> {
  const seconds = (variant: string): number =>
    measured.find((candidate) => candidate.variant === variant)?.median['seconds'] ?? Number.NaN
  const ratios = {
    // The raw drain is the limit: the same queries on as many connections, bytes thrown away.
    'copy wall / raw drain': seconds('copy') / seconds('drain'),
    'cursor wall / raw drain': seconds('cursor') / seconds('drain'),
    'cursor wall / copy wall': seconds('cursor') / seconds('copy'),
  }
  return Object.fromEntries(Object.entries(ratios).filter(([, ratio]) => !Number.isNaN(ratio)))
}

async function serverVersion(postgres: TestPostgres): Promise<string> {
  const [row] = await postgres.query<{ server_version: string }>('SHOW server_version')
  return row?.server_version ?? 'unknown'
}

function printResult({ variants: measured, ratios }: BenchmarkResult): void {
  for (const { variant, median } of measured) {
    const figures = Object.entries(median).map(
      ([name, value]) => `${name} ${value.toLocaleString('en-US', { maximumFractionDigits: 2 })}`,
    )
    process.stdout.write(`${variant}: ${figures.join(', ')}\n`)
  }
  for (const [name, ratio] of Object.entries(ratios)) process.stdout.write(`${name}: ${ratio.toFixed(2)}\n`)
}

function log(text: string): void {
  process.stderr.write(`${text}\n`)
}
