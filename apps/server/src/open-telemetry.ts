import { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Context, Span, TextMapGetter, Tracer } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { toFloeError } from '@floe/iceberg'
import { catalogOperations } from '@floe/lakehouse/serving'
import { routeTemplate } from './route-template.ts'
import type { ServerContext } from './server-context.ts'
import type { Tracing } from './tracing.ts'

const headers: TextMapGetter<Headers> = {
  get: (carrier, key) => carrier.get(key) ?? undefined,
  keys: (carrier) => [...carrier.keys()],
}

/** Sends spans to an OTLP endpoint over HTTP. Registers nothing globally: each server has its own. */
export function openTelemetry(settings: { readonly url: string; readonly serviceName: string }): Tracing {
  const exporter = new OTLPTraceExporter({ url: settings.url })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': settings.serviceName }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('@floe/server')
  const propagator = new W3CTraceContextPropagator()
  const active = new AsyncLocalStorage<Context>()
  return {
    traceRequest: async (context, answer) => {
      const parent = propagator.extract(ROOT_CONTEXT, context.req.raw.headers, headers)
      const span = startRequest(tracer, context, parent)
      try {
        await active.run(trace.setSpan(parent, span), answer)
        return span.spanContext().traceId
      } finally {
        endRequest(span, context)
      }
    },
    observe: async (call, work) => {
      const parent = active.getStore()
      if (parent === undefined) return work()
      const span = tracer.startSpan(call, { kind: SpanKind.CLIENT }, parent)
      try {
        return await active.run(trace.setSpan(parent, span), work)
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: toFloeError(error).code })
        throw error
      } finally {
        span.end()
      }
    },
    // Spans that cannot be delivered are lost; that is no failure of the server.
    [Symbol.asyncDispose]: () => provider.shutdown().catch(() => undefined),
  }
}

function startRequest(tracer: Tracer, context: ServerContext, parent: Context): Span {
  const { method } = context.req.raw
  const template = routeTemplate(context)
  const operation = catalogOperations[`${method} ${template}`]?.id
  const attributes = {
    'http.request.method': method,
    'url.path': new URL(context.req.url).pathname,
    ...(template === undefined ? {} : { 'http.route': template }),
    ...(operation === undefined ? {} : { 'floe.operation': operation }),
  }
  const name = template === undefined ? method : `${method} ${template}`
  return tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
}

function endRequest(span: Span, context: ServerContext): void {
  const { status } = context.res
  span.setAttribute('http.response.status_code', status)
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
