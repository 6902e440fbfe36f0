import type { QueryResult } from '@floe/lakehouse'
import type { Command } from 'commander'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { formatBytes, formatCount } from './progress.ts'
import { openQueryProgress } from './query-progress.ts'
import { writeStdout } from './stdout.ts'

type SqlFlags = {
  readonly output: OutputFormat
  readonly explainPruning?: boolean
  readonly profile?: boolean
}

export function addSqlCommand(program: Command, signal: AbortSignal): void {
  program
    .command('sql')
    .description('run one SELECT over the tables of the catalog')
    .argument('<select>', 'the query; AT (VERSION => id) and AT (TIMESTAMP => ...) read the past')
    .addOption(outputOption())
    .option('--explain-pruning', 'print manifests and files kept and dropped, and by which predicate')
    .option('--profile', 'print how long each stage of the query took')
    .addHelpText(
      'after',
      '\nExample:\n  floe sql "SELECT count(*) FROM shop.orders AT (TIMESTAMP => TIMESTAMP \'2026-01-01\')"\n' +
        '  floe sql \'SELECT file_path, record_count FROM shop."orders$files"\'\n' +
        '  floe sql \'SELECT * FROM shop."orders$changes" WHERE _change_ordinal > 3\'\n' +
        '  floe sql "SELECT * FROM shop.orders VERSION AS OF \'v1\'"\n',
    )
    .action(async (sql: string, _flags: unknown, command: Command) =>
      runSql(sql, allFlags<SqlFlags>(command), signal),
    )
}

async function runSql(sql: string, flags: SqlFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  using progress = openQueryProgress()
  // Rows are printed as they come: only the reader knows how many are enough.
  const limits = { rowsMax: Number.MAX_SAFE_INTEGER, resultBytesMax: Number.POSITIVE_INFINITY }
  const result = await lakehouse.query(sql, { signal, ...limits, onStage: progress.begin })
  try {
    if (flags.explainPruning === true) explainPruning(result, progress.print)
    const columns = result.columns.map(({ name }) => name)
    await printRows({ columns, batches: progress.count(result.rows()) }, flags.output, async (text) => {
      progress.clear()
      await writeStdout(text)
    })
    if (flags.profile === true) printProfile(result, progress.print)
  } finally {
    await result.close()
  }
}

function printProfile(result: QueryResult, print: (line: string) => void): void {
  const { bindMs, planMs, openMs, firstRowsMs, rowsMs, rows } = result.profile()
  const files = result.pruning.reduce((sum, { report }) => sum + report.filesKept, 0)
  const stages: readonly (readonly [string, number])[] = [
    ['bind', bindMs],
    ['plan', planMs],
    ['open files', openMs],
    ['first rows', firstRowsMs],
    ['other rows', rowsMs],
    ['total', bindMs + planMs + openMs + firstRowsMs + rowsMs],
  ]
  for (const [name, ms] of stages) print(`${name.padEnd(10)} ${ms.toFixed(1).padStart(10)} ms`)
  print(`${formatCount(rows)} rows of ${formatCount(files)} files`)
}

/** Notes go to stderr: stdout stays the rows alone, whatever the output format. */
function explainPruning({ pruning }: QueryResult, print: (line: string) => void): void {
  for (const { table, report, filesAnswered } of pruning) {
    const { manifestsTotal, manifestsScanned, filesTotal, filesKept, bytesKept } = report
    print(
      `${table}: manifests ${manifestsScanned} of ${manifestsTotal} read, ` +
        `files ${formatCount(filesKept)} of ${formatCount(filesTotal)} kept (${formatBytes(bytesKept)})`,
    )
    if (filesAnswered !== undefined)
      print(`  answered from metadata, unopened: ${formatCount(filesAnswered)}`)
    for (const { kind, predicate, count } of report.dropped)
      print(`  dropped ${formatCount(count)} by ${kind}: ${predicate}`)
  }
}
