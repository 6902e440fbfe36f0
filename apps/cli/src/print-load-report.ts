import { errorReactions, FloeError, stringifyJson } from '@floe/iceberg'
import { jsonOf } from '@floe/lakehouse'
import type { LoadReport, TableLoad, TablePlan } from '@floe/lakehouse'
import { printError } from './cli-error.ts'
import { printRows } from './output.ts'
import { writeStdout } from './stdout.ts'

export async function printLoadReport(report: LoadReport, output: 'table' | 'json'): Promise<void> {
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
export function exitCodeOf({ tables }: LoadReport): number {
  const failures = tables.filter((table) => table.status === 'failed')
  for (const { table, error } of failures) {
    const options = error.hint === undefined ? {} : { hint: error.hint }
    printError(new FloeError(error.code, `${table}: ${error.message}`, options))
  }
  const deciding = failures.find(({ error }) => error.code === 'cancelled') ?? failures[0]
  return deciding === undefined ? 0 : errorReactions[deciding.error.code].exitCode
}
