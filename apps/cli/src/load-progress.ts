import type { IncrementReport, LoadProgress, ResumeReport, TableFailure, TableLoad } from '@floe/lakehouse'
import { formatBytes, formatCount } from './progress.ts'
import type { ProgressLine } from './progress.ts'

/** Shows what a load does, one line at a time. */
export function showProgress(event: LoadProgress, progress: ProgressLine): void {
  switch (event.kind) {
    case 'table-started':
      progress.print(`${event.table}: ${rowEstimate(event.estimatedRows)} in ${event.chunks} chunks`)
      break
    case 'table-resume':
      progress.print(`${event.table}: ${resumeLine(event.resume)}`)
      break
    case 'table-progress':
      progress.update(progressLine(event))
      break
    case 'table-finished':
      progress.print(finishedLine(event.result))
      break
  }
}

function progressLine(event: Extract<LoadProgress, { kind: 'table-progress' }>): string {
  const { table, rows, seconds, wireBytes, encodedBytes, doneShare, secondsLeft, phases } = event
  const elapsed = Math.max(seconds, 0.001)
  const share = doneShare === undefined ? '' : ` ${Math.floor(100 * doneShare)} %`
  const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`
  const total = Math.max(1, phases.waitMs + phases.decodeMs + phases.encodeMs + phases.uploadMs)
  const part = (ms: number): string => `${Math.round((100 * ms) / total)} %`
  const spent = `source ${part(phases.waitMs)} decode ${part(phases.decodeMs)} encode ${part(phases.encodeMs)} upload ${part(phases.uploadMs)}`
  return `${table}:${share} ${formatCount(rows)} rows, ${formatCount(rows / elapsed)} rows/s, ${formatBytes(wireBytes / elapsed)}/s, ${formatBytes(encodedBytes)} written, ${spent}${left}`
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

function resumeLine(resume: ResumeReport): string {
  switch (resume.outcome) {
    case 'resumed': {
      const { chunks, rows, files, changedChunks } = resume
      const changed = changedChunks === 0 ? '' : `; ${changedChunks} have changed since and are read again`
      return `goes on after a load that was killed: ${formatCount(rows)} rows of ${chunks} chunks are there, in ${files} files${changed}`
    }
    case 'anew':
      return `starts anew after a load that was killed: ${resume.reason}`
    case 'impossible':
      return `could not be resumed if it was killed: ${resume.reason}`
    case 'not-needed':
      return 'no load of it was killed'
  }
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

/** PostgreSQL estimates no rows for a table that was never analysed, and for one that is empty. */
function rowEstimate(estimatedRows: number): string {
  return estimatedRows > 0 ? `about ${formatCount(estimatedRows)} rows` : 'rows not estimated'
}
