import { errorReactions, FloeError, stringifyJson } from '@floe/iceberg'
import type {
  IncrementReport,
  LoadMode,
  LoadProgress,
  LoadReport,
  TableFailure,
  TableLoad,
  TablePlan,
  TableSettings,
} from '@floe/lakehouse'
import { jsonOf, parseNamespace } from '@floe/lakehouse'
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printError } from './cli-error.ts'
import { printRows } from './output.ts'
import { formatBytes, formatCount, openProgress } from './progress.ts'
import { writeStdout } from './stdout.ts'

type LoadFlags = {
  readonly from?: string
  readonly table: readonly string[]
  readonly to: string
  readonly mode: LoadMode
  readonly partitionBy?: string
  readonly sort?: string
  readonly cursor?: string
  readonly lag?: string
  readonly merge: boolean
  readonly commitEvery?: number
  readonly columns?: readonly string[]
  readonly where?: string
  readonly transaction?: boolean
  readonly workers?: string
  readonly dryRun?: boolean
  readonly output: 'table' | 'json'
}

export function addLoadCommand(program: Command, signal: AbortSignal): void {
  program
    .command('load')
    .description('load PostgreSQL tables into Iceberg tables')
    .option('--from <postgres-url>', 'the database (default: FLOE_SOURCE_URL)')
    .requiredOption('--table <schema.table>', 'a table, or schema.* for all; may be repeated', collect)
    .requiredOption('--to <namespace>', 'the namespace that gets the tables, under their own names')
    .addOption(
      new Option('--mode <mode>', 'what becomes of an existing table')
        .choices(['create', 'append', 'replace', 'incremental'])
        .default('create'),
    )
    .option(
      '--cursor <column>',
      'incremental: a column that grows with time, or xmin for the versions of rows (needs a primary key)',
    )
    .option(
      '--lag <distance>',
      'how far below the newest value rows may still come, such as "10 minutes" or 1000',
    )
    .option('--no-merge', 'add rows only, also where a primary key could replace older ones')
    .option('--commit-every <rows>', 'incremental: one commit for about so many rows, each final', rowCount)
    .option('--columns <names>', 'the columns to load, with commas between them', names)
    .option('--where <condition>', 'the rows to load, as a condition in SQL')
    .option('--transaction', 'all tables become visible in one commit, or none does')
    .option('--partition-by <transforms>', 'such as "day(ts), bucket(16, id)"')
    .option('--sort <terms>', 'the order within each data file, such as "day(ts) desc nulls last, id"')
    .option('--workers <n>', 'connections and threads (default: one per core)', wholeNumber)
    .option('--dry-run', 'say what would be done, and do nothing')
    .addOption(outputOption(['table', 'json']))
    .addHelpText(
      'after',
      `
Examples:
  floe load --from postgres://me@localhost/shop --table public.orders --to shop --partition-by "day(ordered_at)"
  floe load --table public.orders --to shop --mode incremental --cursor updated_at --lag "10 minutes"

Incremental loads keep where they stand in the table property floe.source.position. With a primary key, rows that were
loaded before are replaced by their new versions (Iceberg equality deletes); without one each row is loaded once, and
those of the newest value wait for a newer one. Rows that the source deletes stay: --mode replace drops them.
`,
    )
    .action(async (_flags: unknown, command: Command) => runLoad(allFlags<LoadFlags>(command), signal))
}

async function runLoad(flags: LoadFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  await using lakehouse = openLakehouse({
    ...settingFlags(flags),
    sourceUrl: flags.from,
    workers: flags.workers,
  })
  const { sourceUrl } = lakehouse.settings
  if (sourceUrl === undefined) {
    throw new FloeError('invalid-input', 'no database to load from', {
      hint: 'give --from postgres://user:password@host:5432/database, or set FLOE_SOURCE_URL',
    })
  }
  const progress = openProgress()
  const report = await lakehouse.load({
    sourceUrl,
    tables: flags.table,
    namespace: parseNamespace(flags.to),
    mode: flags.mode,
    dryRun: flags.dryRun === true,
    signal,
    onProgress: (event) => showProgress(event, progress),
    transaction: flags.transaction === true,
    ...tableSettings(flags),
  })
  progress.end()
  await printReport(report, flags.output)
  process.exitCode = exitCodeOf(report)
}

function tableSettings({ partitionBy, sort, columns, where, ...flags }: LoadFlags): Partial<TableSettings> {
  const cursor = cursorOf(flags)
  return {
    ...(partitionBy === undefined ? {} : { partitionBy }),
    ...(sort === undefined ? {} : { sortBy: sort }),
    ...(columns === undefined ? {} : { columns }),
    ...(where === undefined ? {} : { where }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

function cursorOf({
  cursor,
  lag,
  merge,
  commitEvery,
}: Pick<LoadFlags, 'cursor' | 'lag' | 'merge' | 'commitEvery'>): TableSettings['cursor'] {
  if (cursor !== undefined) {
    return {
      column: cursor,
      merge,
      ...(lag === undefined ? {} : { lag }),
      ...(commitEvery === undefined ? {} : { commitEveryRows: commitEvery }),
    }
  }
  if (lag === undefined && merge && commitEvery === undefined) return undefined
  throw new FloeError('invalid-input', '--lag, --no-merge and --commit-every say how a cursor is used', {
    hint: 'give --cursor a column that grows with time, or xmin',
  })
}

function showProgress(event: LoadProgress, progress: ReturnType<typeof openProgress>): void {
  switch (event.kind) {
    case 'table-started':
      progress.print(`${event.table}: ${rowEstimate(event.estimatedRows)} in ${event.chunks} chunks`)
      break
    case 'table-progress': {
      const { table, rows, estimatedRows, encodedBytes, seconds } = event
      const rate = rows / Math.max(seconds, 0.001)
      const share = estimatedRows > 0 ? ` ${Math.min(99, Math.floor((100 * rows) / estimatedRows))} %` : ''
      const left = estimatedRows > rows ? `, ${Math.ceil((estimatedRows - rows) / rate)} s left` : ''
      progress.update(
        `${table}:${share} ${formatCount(rows)} rows, ${formatCount(rate)} rows/s, ${formatBytes(encodedBytes)} written${left}`,
      )
      break
    }
    case 'table-finished':
      progress.print(finishedLine(event.result))
      break
  }
}

function finishedLine(result: TableLoad | TableFailure): string {
  if (result.status === 'failed') return `${result.table}: failed: ${result.error.message}`
  const { table, rows, seconds, files, snapshotId, schemaChanges, warnings, increment, commits } = result
  const changes = schemaChanges.map(
    (change) =>
      `\n  schema: ${change.kind} ${change.column}${change.kind === 'rename' ? ` to ${change.to}` : ''}`,
  )
  return [
    `${table}: ${formatCount(rows)} rows in ${seconds.toFixed(2)} s, ${files} files, snapshot ${snapshotId}`,
    ...(increment === undefined ? [] : [`\n  ${incrementLine(increment, commits)}`]),
    ...changes,
    ...warnings.map((warning) => `\n  warning: ${warning}`),
  ].join('')
}

const ruleTexts: Readonly<Record<IncrementReport['rule'], string>> = {
  merge: 'rows loaded before are replaced by key',
  'key-order': 'only keys above the last one are read',
  'held-back': 'rows of the newest value wait for the next load',
}

function incrementLine({ cursor, rule, isFirst }: IncrementReport, commits: number): string {
  const what = isFirst ? `from the beginning by ${cursor}` : `what is new by ${cursor}`
  const made = commits === 1 ? '' : commits === 0 ? ', nothing to commit' : `, in ${commits} commits`
  return `${what}: ${ruleTexts[rule]}${made}`
}

async function printReport(report: LoadReport, output: 'table' | 'json'): Promise<void> {
  if (output === 'json') {
    await writeStdout(`${stringifyJson(jsonOf(report), 2)}\n`)
    return
  }
  const planned = report.tables.filter((table) => table.status === 'planned')
  if (planned.length > 0)
    await printRows({ columns: planColumns, batches: [planned.map(planRow)] }, 'table', writeStdout)
  const loaded = report.tables.filter((table) => table.status === 'loaded')
  if (loaded.length > 0)
    await printRows({ columns: loadColumns, batches: [loaded.map(loadRow)] }, 'table', writeStdout)
}

const loadColumns = ['table', 'rows', 'seconds', 'rows/s', 'MB/s', 'files', 'bytes', 'snapshot', 'read by']
function loadRow(result: TableLoad): readonly unknown[] {
  const {
    table,
    rows,
    seconds,
    rowsPerSecond,
    megabytesPerSecond,
    files,
    dataBytes,
    snapshotId,
    method,
    workers,
  } = result
  const speed = [Number(seconds.toFixed(2)), Math.round(rowsPerSecond), Number(megabytesPerSecond.toFixed(1))]
  return [table, rows, ...speed, files, dataBytes, snapshotId, `${method} x ${workers}`]
}

const planColumns = [
  'table',
  'source',
  'method',
  'chunks',
  'source bytes',
  'about rows',
  'about seconds',
  'partitioned by',
  'columns',
  'schema changes',
]
function planRow(plan: TablePlan): readonly unknown[] {
  const { table, source, method, chunks, sourceBytes, estimatedRows, estimatedSeconds, partitionedBy } = plan
  const columns = plan.columns
    .map(({ name, type, required }) => `${name} ${type}${required ? ' required' : ''}`)
    .join(', ')
  const changes = plan.schemaChanges.map(({ kind, column }) => `${kind} ${column}`).join(', ')
  return [
    table,
    source,
    method,
    chunks,
    sourceBytes,
    estimatedRows,
    Number(estimatedSeconds.toFixed(1)),
    partitionedBy,
    columns,
    changes,
  ]
}

/** Prints each failure with what to do. A load that was stopped says so; else the first failure decides. */
function exitCodeOf({ tables }: LoadReport): number {
  const failures = tables.filter((table) => table.status === 'failed')
  for (const { table, error } of failures) {
    const options = error.hint === undefined ? {} : { hint: error.hint }
    printError(new FloeError(error.code, `${table}: ${error.message}`, options))
  }
  const deciding = failures.find(({ error }) => error.code === 'cancelled') ?? failures[0]
  return deciding === undefined ? 0 : errorReactions[deciding.error.code].exitCode
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

function names(value: string): readonly string[] {
  const list = value.split(',').map((name) => name.trim())
  if (list.includes('')) throw new InvalidArgumentError('give names with commas between them')
  return list
}

function rowCount(value: string): number {
  return Number(wholeNumber(value))
}

function wholeNumber(value: string): string {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('give a whole number above 0')
  return value
}

/** PostgreSQL estimates no rows for a table that was never analysed, and for one that is empty. */
function rowEstimate(estimatedRows: number): string {
  return estimatedRows > 0 ? `about ${formatCount(estimatedRows)} rows` : 'rows not estimated'
}
