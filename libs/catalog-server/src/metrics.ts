import { Hono } from 'hono'
import { z } from 'zod'
import type { TableIdentifier } from '@floe/catalog'
import type { JsonObject } from '@floe/iceberg'
import { pathTable } from './path-names.ts'
import { jsonObject, readBody } from './request-body.ts'

export const metricsEndpoints: readonly string[] = [
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
]

const reportKind = z.object({ 'report-type': z.string() })

type MetricsSettings = {
  readonly clock: { now(): number }
  readonly reportMetrics?: (identifier: TableIdentifier, report: JsonObject, receivedAtMs: number) => void
}

/** Reports are about scans and commits that are over: whether the table is still there does not matter. */
export function metricsRoutes({ clock, reportMetrics }: MetricsSettings): Hono {
  return new Hono().post('/namespaces/:namespace/tables/:table/metrics', async (context) => {
    const identifier = pathTable(context)
    const report = await readBody(
      context,
      jsonObject.refine((body) => reportKind.safeParse(body).success, 'has no report-type'),
    )
    reportMetrics?.(identifier, report, clock.now())
    return context.body(null, 204)
  })
}
