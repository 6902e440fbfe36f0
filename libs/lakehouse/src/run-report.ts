import type { LoadReport } from '@floe/etl'
import type { JsonValue } from '@floe/iceberg'
import { jsonOf } from './json-value.ts'

/** Raised when a member changes its meaning or goes away; new members do not raise it. */
const reportVersion = 1

/** What a run did, for `--report`: the README of this package says what each member is. */
export function runReport(report: LoadReport, startedAt: Date): JsonValue {
  const statuses = report.tables.map(({ status }) => status)
  const count = (status: string): number => statuses.filter((each) => each === status).length
  return jsonOf({
    'report-version': reportVersion,
    startedAt: startedAt.toISOString(),
    seconds: report.seconds,
    cpuSeconds: report.cpuSeconds,
    outcome: count('failed') === 0 ? 'ok' : count('failed') === statuses.length ? 'failed' : 'partly-failed',
    loaded: count('loaded'),
    failed: count('failed'),
    tables: report.tables,
  })
}
