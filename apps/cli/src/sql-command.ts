import type { QueryResult } from '@floe/lakehouse'
import type { Command } from 'commander'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { formatBytes, formatCount } from './progress.ts'
import { writeStdout } from './stdout.ts'

type SqlFlags = { readonly output: OutputFormat; readonly explainPruning?: boolean }

export function addSqlCommand(program: Command, signal: AbortSignal): void {
  program
    .command('sql')
    .description('run one SELECT over the tables of the catalog')
    .argument('<select>', 'the query; AT (VERSION => id) and AT (TIMESTAMP => ...) read the past')
    .addOption(outputOption())
    .option('--explain-pruning', 'print manifests and files kept and dropped, and by which predicate')
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
  // Rows are printed as they come: only the reader knows how many are enough.
  const result = await lakehouse.query(sql, { signal, rowsMax: Number.MAX_SAFE_INTEGER })
  try {
    if (flags.explainPruning === true) explainPruning(result)
    const columns = result.columns.map(({ name }) => name)
    await printRows({ columns, batches: result.rows() }, flags.output, writeStdout)
  } finally {
    await result.close()
  }
}

/** Notes go to stderr: stdout stays the rows alone, whatever the output format. */
function explainPruning({ pruning }: QueryResult): void {
  for (const { table, report, filesAnswered } of pruning) {
    const { manifestsTotal, manifestsScanned, filesTotal, filesKept, bytesKept } = report
    process.stderr.write(
      `${table}: manifests ${manifestsScanned} of ${manifestsTotal} read, ` +
        `files ${formatCount(filesKept)} of ${formatCount(filesTotal)} kept (${formatBytes(bytesKept)})\n`,
    )
    if (filesAnswered !== undefined)
      process.stderr.write(`  answered from metadata, unopened: ${formatCount(filesAnswered)}\n`)
    for (const { kind, predicate, count } of report.dropped) {
      process.stderr.write(`  dropped ${formatCount(count)} by ${kind}: ${predicate}\n`)
    }
  }
}
