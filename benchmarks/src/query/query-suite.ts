import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultWorkers } from '@floe/lakehouse'
import { installDuckDbExtensions, startLineProcess } from '@floe/peers'
import { describeMachine, describeVersions, summarise } from '../measurement.ts'
import type { BenchmarkResult, VariantResult } from '../measurement.ts'
import { findDifference, parseAnswer } from './answers.ts'
import { deleteRowsOnBranch } from './delete-rows.ts'
import { measurePlanning } from './plan-line.ts'
import type { Planner } from './plan-line.ts'
import type { QueryEngineSettings, QueryMeasure, QueryRequest, QueryVariant } from './query-engine.ts'
import { fillLakehouse, openLakehouse, tableFiles } from './query-lake.ts'
import { ratiosOf } from './query-ratios.ts'
import type { QueryWorkload } from './query-workload.ts'

export const queryLines = ['queries', 'deletes', 'first-row', 'planning'] as const
type QueryLine = (typeof queryLines)[number]

export type QuerySuiteOptions = {
  /** Holds the lakehouse; one that is there from an earlier run is used again. */
  readonly folder: string
  readonly workload: () => Promise<QueryWorkload>
  readonly variants: readonly QueryVariant[]
  readonly planners: readonly Planner[]
  readonly lines: readonly QueryLine[]
  /** Queries by name; all when absent. */
  readonly queries?: readonly string[]
  /** Files of the table that is planned. */
  readonly plannedFiles: number
  readonly runs: number
  readonly command: string
  readonly log: (text: string) => void
}

const deletedBranch = 'deleted'
const deletedEvery = 10

/** One query of the suite in every variant that takes part in it. */
type Measurement = {
  readonly name: string
  readonly variants: readonly QueryVariant[]
  readonly request: QueryRequest
  readonly answer?: string
}

type Engines = ReadonlyMap<QueryVariant, ReturnType<typeof startLineProcess>>

/** Engines are up all the time, each in a process; every query runs on one after the other. */
export async function runQuerySuite(options: QuerySuiteOptions): Promise<BenchmarkResult> {
  const startedAt = new Date().toISOString()
  const workload = await options.workload()
  const settings = await prepareLakehouse(workload, options)
  const engines = new Map<QueryVariant, ReturnType<typeof startLineProcess>>()
  try {
    for (const variant of options.variants) engines.set(variant, await startEngine(variant, settings))
    const variants = await measureInTurn(measurementsOf(workload, options), engines, options)
    if (options.lines.includes('planning'))
      variants.push(...(await measurePlanning({ ...options, files: options.plannedFiles })))
    return {
      suite: 'query',
      workload: workload.name,
      command: options.command,
      startedAt,
      machine: describeMachine(),
      versions: describeVersions(),
      variants,
      ratios: ratiosOf(variants),
    }
  } finally {
    for (const engine of engines.values()) await engine[Symbol.asyncDispose]()
  }
}

async function prepareLakehouse(
  workload: QueryWorkload,
  { folder, log, lines }: QuerySuiteOptions,
): Promise<Omit<QueryEngineSettings, 'variant' | 'extensions'>> {
  const mark = path.join(folder, 'filled')
  await using lakehouse = openLakehouse(folder, defaultWorkers())
  if (!existsSync(mark)) await fillLakehouse(lakehouse, workload, log)
  writeFileSync(mark, '')
  const tables = await tableFiles(lakehouse)
  if (lines.includes('deletes')) {
    const rows = { branch: deletedBranch, every: deletedEvery }
    await deleteRowsOnBranch(lakehouse, workload.large.table, rows)
  }
  return { folder, tables }
}

async function startEngine(
  variant: QueryVariant,
  settings: Omit<QueryEngineSettings, 'variant' | 'extensions'>,
): Promise<ReturnType<typeof startLineProcess>> {
  const extensions = variant === 'iceberg' ? await installDuckDbExtensions(['avro', 'iceberg']) : []
  const script = fileURLToPath(new URL('./query-process.ts', import.meta.url))
  const own: QueryEngineSettings = { ...settings, variant, extensions }
  return startLineProcess(process.execPath, [script, JSON.stringify(own)])
}

function measurementsOf(
  { queries, large }: QueryWorkload,
  { lines, variants, queries: wanted }: QuerySuiteOptions,
): readonly Measurement[] {
  const { table, scans, streamedRows } = large
  const all: Measurement[] = []
  if (lines.includes('queries'))
    all.push(
      ...queries
        .filter(({ name }) => wanted?.includes(name) ?? true)
        .map(({ sql, ...query }) => ({ ...query, variants, request: { sql } })),
    )
  if (lines.includes('deletes'))
    for (const { name, select } of scans) {
      all.push({ name: `scan of ${name}`, variants, request: { sql: `${select} FROM ${table}` } })
      const version = `AT (VERSION => '${deletedBranch}')`
      const request = { sql: `${select} FROM ${table} ${version}` }
      all.push({ name: `scan of ${name} with deletes`, variants: ['floe'], request })
    }
  if (lines.includes('first-row')) {
    const sql = `SELECT * FROM ${table} LIMIT ${streamedRows}`
    all.push({ name: 'first row', variants, request: { sql, firstRows: true } })
  }
  return all
}

/** The first run warms up, and its answers are compared. */
async function measureInTurn(
  measurements: readonly Measurement[],
  engines: Engines,
  { runs, log }: QuerySuiteOptions,
): Promise<VariantResult[]> {
  const figures = new Map<string, Readonly<Record<string, number>>[]>()
  for (let run = 0; run <= runs; run++) {
    for (const { name, variants, request, answer } of measurements) {
      const answers =
        answer === undefined ? [] : [{ from: 'the published answer', rows: parseAnswer(answer) }]
      for (const variant of variants) {
        const measured = (await engines.get(variant)?.ask(request)) as QueryMeasure | undefined
        if (measured === undefined) continue
        const { seconds, cpuSeconds, rows } = measured
        const label = `${name} ${variant}`
        log(`${run === 0 ? 'warm-up' : `run ${run}`} ${label}: ${seconds.toFixed(3)} s`)
        answers.push({ from: variant, rows })
        if (run > 0) figures.set(label, [...(figures.get(label) ?? []), { seconds, cpuSeconds }])
      }
      if (run === 0) compareAnswers(name, answers)
    }
  }
  return [...figures].map(([variant, all]) => summarise(variant, all))
}

function compareAnswers(
  name: string,
  answers: readonly { readonly from: string; readonly rows: QueryMeasure['rows'] }[],
): void {
  const [first, ...others] = answers
  for (const other of others) {
    const difference = first === undefined ? undefined : findDifference(first.rows, other.rows)
    if (difference !== undefined)
      throw new Error(`${name}: ${first?.from} and ${other.from} differ: ${difference}`)
  }
}
