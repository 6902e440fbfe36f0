import type { LakehouseObservers } from '@floe/lakehouse'
import type { ServerContext } from './server-context.ts'

/** Spans of requests and of the calls that they make. */
export type Tracing = AsyncDisposable & {
  /** Runs `answer` within a span, below the one that the request's `traceparent` names. Gives the id of the trace. */
  traceRequest(context: ServerContext, answer: () => Promise<void>): Promise<string>
  /** Watches calls to database and storage: each is a span below that of the request. */
  readonly observe: NonNullable<LakehouseObservers['observe']>
}

/**
 * Tracing as the standard variables of OpenTelemetry configure it; `undefined`, and nothing loaded, when they name no
 * endpoint or switch it off.
 */
export async function openTracing(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Tracing | undefined> {
  const url = tracesUrl(environment)
  if (url === undefined || environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  const { openTelemetry } = await import('./open-telemetry.ts')
  return openTelemetry({ url, serviceName: environment['OTEL_SERVICE_NAME'] ?? 'floe' })
}

function tracesUrl(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const own = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  if (own !== undefined && own !== '') return own
  const base = environment['OTEL_EXPORTER_OTLP_ENDPOINT']
  return base === undefined || base === '' ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`
}
