import { rename, writeFile } from 'node:fs/promises'
import { FloeError, stringifyJson } from '@floe/iceberg'
import { loadMetrics, runReport } from '@floe/lakehouse'
import type { Lakehouse, LoadOptions, LoadReport } from '@floe/lakehouse'
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { outputOption } from './global-options.ts'
import { showProgress } from './load-progress.ts'
import { exitCodeOf, printLoadReport } from './print-load-report.ts'
import { openProgress } from './progress.ts'

/** Flags that every load has, whatever says which tables. */
export type RunFlags = {
  readonly from?: string
  readonly workers?: string
  readonly memory?: string
  readonly dryRun?: boolean
  readonly resume: boolean
  readonly report?: string
  readonly metricsFile?: string
  readonly output: 'table' | 'json'
}

export function addRunOptions(command: Command): Command {
  return command
    .option('--workers <n>', 'connections and threads (default: one per core)', wholeNumber)
    .option('--memory <size>', 'what the workers hold of rows and uploads together, such as 512MB')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--no-resume', 'begin anew, whatever a load that was killed had finished')
    .option('--report <file>', 'write what was done, and what failed, as JSON')
    .option('--metrics-file <file>', 'write metrics for the textfile collector of node_exporter')
    .addOption(outputOption(['table', 'json']))
}

/** Loads, shows progress on stderr, prints the report and writes it where the flags say. Sets the exit code. */
export async function runLoad(
  lakehouse: Lakehouse,
  {
    sourceUrl = lakehouse.settings.sourceUrl,
    ...options
  }: Omit<LoadOptions, 'sourceUrl'> & { readonly sourceUrl?: string | undefined },
  flags: RunFlags,
): Promise<void> {
  if (sourceUrl === undefined) {
    throw new FloeError('invalid-input', 'no database to load from', {
      hint: 'give --from postgres://user:password@host:5432/database, or set FLOE_SOURCE_URL',
    })
  }
  const progress = openProgress()
  const startedAt = new Date()
  const report = await lakehouse.load({
    ...options,
    sourceUrl,
    dryRun: flags.dryRun === true,
    resume: flags.resume && options.resume !== false,
    onProgress: (event) => showProgress(event, progress),
  })
  progress.end()
  await writeFiles(report, startedAt, flags)
  await printLoadReport(report, flags.output)
  process.exitCode = exitCodeOf(report)
}

async function writeFiles(
  report: LoadReport,
  startedAt: Date,
  { report: file, metricsFile }: RunFlags,
): Promise<void> {
  if (file !== undefined) await replaceFile(file, `${stringifyJson(runReport(report, startedAt), 2)}\n`)
  if (metricsFile !== undefined) await replaceFile(metricsFile, loadMetrics(report, startedAt))
}

/** Whoever reads the file meanwhile sees the old text or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await writeFile(temporary, text)
    await rename(temporary, file)
  } catch (cause) {
    throw new FloeError('invalid-input', `${file} cannot be written`, {
      hint: 'the load has ended: choose a file in a directory that is there and may be written to',
      cause,
    })
  }
}

export function wholeNumber(value: string): string {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('give a whole number above 0')
  return value
}
