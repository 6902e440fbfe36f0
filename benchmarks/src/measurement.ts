import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** One variant's figures, each the median over the runs, with every single run beside it. */
export type VariantResult = {
  readonly variant: string
  readonly runs: readonly Readonly<Record<string, number>>[]
  readonly median: Readonly<Record<string, number>>
}

export type BenchmarkResult = {
  readonly suite: string
  readonly workload: string
  readonly command: string
  readonly startedAt: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly versions: Readonly<Record<string, string>>
  readonly variants: readonly VariantResult[]
  /** Ratios within this run: what a claim may quote. */
  readonly ratios: Readonly<Record<string, number>>
}

const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url))

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export function summarise(variant: string, runs: readonly Readonly<Record<string, number>>[]): VariantResult {
  const names = Object.keys(runs[0] ?? {})
  return {
    variant,
    runs,
    median: Object.fromEntries(
      names.map((name) => [name, median(runs.map((run) => run[name] ?? Number.NaN))]),
    ),
  }
}

export function describeMachine(): Readonly<Record<string, string | number>> {
  const [cpu] = os.cpus()
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
  }
}

export function describeVersions(): Readonly<Record<string, string>> {
  return { node: process.version, commit: gitCommit() }
}

export function gitCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** Writes the result as JSON below benchmarks/results and gives the file's path. */
export function saveResult(result: BenchmarkResult): string {
  mkdirSync(resultsFolder, { recursive: true })
  const stamp = result.startedAt.replaceAll(/[:.]/g, '-')
  const file = path.join(resultsFolder, `${result.suite}-${result.workload}-${stamp}.json`)
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
  return file
}

export function readResult(file: string): BenchmarkResult {
  return JSON.parse(readFileSync(file, 'utf8')) as BenchmarkResult
}
