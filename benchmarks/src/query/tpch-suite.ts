import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { saveResult } from '../measurement.ts'
import { planners } from './plan-line.ts'
import { queryVariants } from './query-engine.ts'
import { describeQueryResult } from './query-ratios.ts'
import { queryLines, runQuerySuite } from './query-suite.ts'
import { tpchQueries, tpchWorkload } from './tpch-workload.ts'

/** Texts as the command line has them. */
export type TpchOptions = {
  readonly scale?: string | undefined
  readonly variants?: string | undefined
  readonly lines?: string | undefined
  readonly queries?: string | undefined
  /** Folder that keeps the tables for the next run; a temporary one when absent. */
  readonly data?: string | undefined
  readonly runs: number
  readonly command: string
}

const plannedFiles = 10_000

/** Runs the query suite over TPC-H. Returns the result as text, with the file that it was written to. */
export async function runTpchSuite(options: TpchOptions): Promise<string> {
  const scale = Number(options.scale ?? '1')
  const chosen = <Name extends string>(names: readonly Name[], text: string | undefined): readonly Name[] =>
    names.filter((name) => text === undefined || text.split(',').includes(name))
  const folder = options.data ?? mkdtempSync(path.join(tmpdir(), 'floe-query-'))
  mkdirSync(folder, { recursive: true })
  const generated = mkdtempSync(path.join(tmpdir(), 'floe-tpch-'))
  try {
    const isFilled = existsSync(path.join(folder, 'filled'))
    const result = await runQuerySuite({
      folder: path.resolve(folder),
      workload: () => (isFilled ? tpchQueries(scale) : tpchWorkload(scale, generated)),
      variants: chosen(queryVariants, options.variants),
      planners: chosen(planners, options.variants),
      lines: chosen(queryLines, options.lines),
      ...(options.queries === undefined ? {} : { queries: options.queries.split(',') }),
      plannedFiles,
      runs: options.runs,
      command: options.command,
      log: (text) => process.stderr.write(`${text}\n`),
    })
    return `${describeQueryResult(result)}${saveResult(result)}\n`
  } finally {
    rmSync(generated, { recursive: true, force: true })
    if (options.data === undefined) rmSync(folder, { recursive: true, force: true })
  }
}
