import { Hono } from 'hono'
import { z } from 'zod'
import type { TableIdentifier } from '@floe/catalog'
import { stringifyJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { pathIdentifier } from './path-names.ts'
import { jsonObject, readBody } from './request-body.ts'

export const metricsEndpoints: readonly string[] = [
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
]

const reportKind = z.object({ 'report-type': z.string() })

type MetricsSettings = {
  readonly clock: { now(): number }
  readonly reportMetrics?: (identifier: TableIdentifier, report: JsonObject, receivedAtMs: number) => void
  readonly metricsReportsMax?: number
}

type KeptReport = {
  readonly table: string
  readonly receivedAtMs: number
  readonly report: JsonObject
}

const metricsReportsMaxDefault = 1000

/**
 * Reports are about scans and commits that are over: whether the table is still there does not matter. The last ones
 * are kept in memory and read with `GET` on the same path, which is Floe's own and not in the spec.
 */
export function metricsRoutes(settings: MetricsSettings): Hono {
  const { clock, reportMetrics, metricsReportsMax = metricsReportsMaxDefault } = settings
  const path = '/namespaces/:namespace/tables/:table/metrics'
  const kept: KeptReport[] = []
  return new Hono()
    .post(path, async (context) => {
      const identifier = pathIdentifier(context)
      const report = await readBody(
        context,
        jsonObject.refine((body) => reportKind.safeParse(body).success, 'has no report-type'),
      )
      const receivedAtMs = clock.now()
      kept.push({ table: keyOf(identifier), receivedAtMs, report })
      if (kept.length > metricsReportsMax) kept.shift()
      reportMetrics?.(identifier, report, receivedAtMs)
      return context.body(null, 204)
    })
    .get(path, (context) => {
      const table = keyOf(pathIdentifier(context))
      const reports = kept
        .filter((entry) => entry.table === table)
        .map(({ receivedAtMs, report }) => ({ 'received-at-ms': receivedAtMs, report }))
      return new Response(stringifyJson({ reports }), { headers: { 'content-type': 'application/json' } })
    })
}

function keyOf({ namespace, name }: TableIdentifier): string {
  return JSON.stringify([namespace, name])
}
