import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import type { CatalogSignal } from '@floe/lakehouse'
import { describe, expect, it } from 'vitest'
import { readLimits } from './server-limits.ts'
import { createServerMetrics } from './server-metrics.ts'
import { startServer } from './server.ts'
import { openServer, sendRaw } from './testing/open-server.ts'
import { openTracing } from './tracing.ts'

const orders = { name: 'orders', schema: { type: 'struct', fields: [] } }
const tables = '/v1/sales/namespaces/shop/tables'

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
}

/** A request under way whose body ends when `finish` is called. */
async function slowRequest(url: string): Promise<{ finish(): void; readonly answer: Promise<string> }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  const body = '{"namespace":["late"]}'
  socket.write(`POST /v1/namespaces HTTP/1.1\r\nHost: floe\r\nContent-Length: ${body.length}\r\n\r\n{`)
  const answer = once(socket, 'close').then(() => text)
  return { finish: () => socket.write(body.slice(1)), answer }
}

async function openRequests(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^floe_requests_open (\d+)$/m.exec(text)?.[1])
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('GET /ready', () => {
  it('names every part that answers', async () => {
    await using server = await openServer()
    const response = await fetch(`${server.url}/ready`)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      status: 'ready',
      parts: [{ part: 'catalog' }, { part: 'storage of sales' }, { part: 'storage of logs' }],
    })
  })

  it('answers 503 and the part that fails, while the process is well', async () => {
    const settings = readSettings(
      { catalog: 'http://127.0.0.1:9', warehouse: 's3://lake/w' },
      { FLOE_S3_ENDPOINT: 'http://127.0.0.1:9', FLOE_S3_ACCESS_KEY_ID: 'a', FLOE_S3_SECRET_ACCESS_KEY: 'b' },
      '/',
      1,
    )
    await using lakehouse = new Lakehouse(settings)
    const limits = { readyCheckMsMax: 1500 }
    await using server = await startServer(lakehouse, {
      roles: ['query'],
      port: 0,
      host: '127.0.0.1',
      limits,
    })
    const response = await fetch(`${server.url}/ready`)
    expect(response.status).toBe(503)
    const { parts } = (await response.json()) as { parts: readonly { part: string; error?: string }[] }
    expect(parts.map(({ part, error }) => [part, typeof error])).toEqual([
      ['catalog', 'string'],
      ['storage of default', 'string'],
    ])
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })
})

describe('a server that is told to stop', () => {
  it('is not ready at once, finishes what is under way, and takes nothing new', async () => {
    await using server = await openServer({ limits: { stopDelayMs: 300 } })
    const slow = await slowRequest(server.url)
    await until(async () => (await openRequests(server.url)) === 2)
    const closed = server.close()
    const ready = await fetch(`${server.url}/ready`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ status: 'stopping' })
    expect(ready.headers.get('connection')).toBe('close')
    await until(() =>
      fetch(`${server.url}/health`).then(
        () => false,
        () => true,
      ),
    )
    slow.finish()
    expect(await slow.answer).toContain('{"namespace":["late"],"properties":{}}')
    await closed
  })

  it('waits no longer than its limit for what does not end', async () => {
    await using server = await openServer({ limits: { drainMsMax: 50 } })
    const slow = await slowRequest(server.url)
    await until(async () => (await openRequests(server.url)) === 2)
    await server.close()
    expect(await slow.answer).toBe('')
  })
})

describe('limits', () => {
  it('turn away requests that come too fast, in the form of each protocol, but not the checks of health', async () => {
    await using server = await openServer({ limits: { requestsPerSecondMax: 0.01, requestBurstMax: 2 } })
    expect((await fetch(`${server.url}/v1/config`)).status).toBe(200)
    expect((await fetch(`${server.url}/v1/config`)).status).toBe(200)
    const refused = await fetch(`${server.url}/v1/config`)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(10)
    expect(await refused.json()).toMatchObject({ error: { type: 'TooManyRequestsException', code: 429 } })
    const sql = await post(`${server.url}/sql`, { sql: 'SELECT 1' })
    expect(await sql.json()).toMatchObject({
      error: { code: 'resource-exhausted', hint: expect.any(String) },
    })
    for (const path of ['/health', '/ready', '/metrics', '/openapi.json'])
      expect((await fetch(`${server.url}${path}`)).status).toBe(200)
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(
      'floe_requests_refused_total{reason="rate"} 2',
    )
  })

  it('turn away requests beyond those under way, and let them in when a place is free', async () => {
    await using server = await openServer({ limits: { concurrentRequestsMax: 1 } })
    const slow = await slowRequest(server.url)
    await until(async () => (await openRequests(server.url)) === 2)
    const refused = await fetch(`${server.url}/v1/config`)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refused.json()).toMatchObject({ error: { type: 'ServiceUnavailableException' } })
    slow.finish()
    await until(async () => (await fetch(`${server.url}/v1/config`)).status === 200)
    await server.close()
    await slow.answer
  })

  it('hang up on a request whose headers do not come', async () => {
    await using server = await openServer({ limits: { headersMsMax: 100 } })
    const { status, body } = await sendRaw(server.url, 'GET /health HTTP/1.1\r\nHost: floe\r\n')
    expect(status).toBe(408)
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'invalid-input' } })
  })

  it('of rates hold by default for others than the machine itself', () => {
    expect(readLimits({}, '127.0.0.1').requestsPerSecondMax).toBeUndefined()
    expect(readLimits({}, '::1').requestsPerSecondMax).toBeUndefined()
    expect(readLimits({}, '0.0.0.0').requestsPerSecondMax).toBe(1000)
    expect(readLimits({ requestsPerSecondMax: undefined }, '0.0.0.0').requestsPerSecondMax).toBeUndefined()
  })
})

describe('GET /metrics', () => {
  it('counts requests by route and commits by outcome, with no label that clients make up', async () => {
    const metrics = createServerMetrics()
    const observers = { onSignal: (signal: CatalogSignal) => metrics.countSignal(signal) }
    await using server = await openServer({ components: { metrics }, observers })
    await post(`${server.url}/v1/sales/namespaces`, { namespace: ['shop'] })
    await post(`${server.url}${tables}`, orders)
    await post(`${server.url}${tables}`, orders)
    const conflict = {
      requirements: [{ type: 'assert-current-schema-id', 'current-schema-id': 7 }],
      updates: [],
    }
    expect((await post(`${server.url}${tables}/orders`, conflict)).status).toBe(409)
    await fetch(`${server.url}${tables}/orders`)
    for (const path of ['/one', '/two', '/v1/three/namespaces']) await fetch(`${server.url}${path}`)
    const text = await (await fetch(`${server.url}/metrics`)).text()
    const route = '/v1/{prefix}/namespaces/{namespace}/tables'
    for (const line of [
      `http_server_request_duration_seconds_count{method="POST",route="${route}",status="200"} 1`,
      `http_server_request_duration_seconds_count{method="GET",route="${route}/{table}",status="200"} 1`,
      'http_server_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 3',
      'floe_catalog_commits_total{kind="create-table",outcome="committed"} 1',
      'floe_catalog_commits_total{kind="create-table",outcome="conflict"} 1',
      'floe_catalog_commits_total{kind="table",outcome="conflict"} 1',
    ])
      expect(text).toContain(line)
    expect(text).toMatch(/floe_catalog_metadata_reads_total\{source="memory"\} [1-9]/)
    expect(text).toContain('process_resident_memory_bytes')
    expect(text).not.toMatch(/three|shop|orders/)
  })
})

describe('the access log', () => {
  it('has a line of JSON for each request, without queries', async () => {
    const lines: string[] = []
    await using server = await openServer({ components: { accessLog: (line) => lines.push(line) } })
    await fetch(`${server.url}/v1/config?warehouse=sales`)
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        time: expect.any(String),
        method: 'GET',
        path: '/v1/config',
        route: '/v1/config',
        status: 200,
        ms: expect.any(Number),
        address: '127.0.0.1',
      },
    ])
  })
})

type Span = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

/** What an OTLP collector receives, as JSON. */
async function openCollector(): Promise<AsyncDisposable & { readonly url: string; readonly spans: Span[] }> {
  const spans: Span[] = []
  const receive = async (request: IncomingMessage): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      resourceSpans: readonly { scopeSpans: readonly { spans: readonly Span[] }[] }[]
    }
    spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
  }
  const server = createServer((request, response) => {
    void receive(request).then(() => response.setHeader('content-type', 'application/json').end('{}'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    [Symbol.asyncDispose]: stop,
  }
}

describe('traces', () => {
  it('reach a collector: a request below its caller, and its calls to database and storage below it', async () => {
    await using collector = await openCollector()
    const tracing = await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    if (tracing === undefined) throw new Error('tracing is configured')
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const lines: string[] = []
    {
      await using open = tracing
      const components = { tracing: open, accessLog: (line: string) => void lines.push(line) }
      await using server = await openServer({ components, observers: { observe: open.observe } })
      await post(`${server.url}/v1/sales/namespaces`, { namespace: ['shop'] })
      await post(`${server.url}${tables}`, orders, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
    }
    const created = collector.spans.filter((span) => span.traceId === traceId)
    const request = created.find(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331')
    expect(request?.name).toBe('POST /v1/{prefix}/namespaces/{namespace}/tables')
    expect(request?.attributes).toEqual(
      expect.arrayContaining([
        { key: 'floe.operation', value: { stringValue: 'createTable' } },
        { key: 'http.response.status_code', value: { intValue: 200 } },
      ]),
    )
    const calls = created
      .filter(({ parentSpanId }) => parentSpanId === request?.spanId)
      .map(({ name }) => name)
    expect(new Set(calls)).toEqual(new Set(['database query', 'database transaction', 'storage putIfAbsent']))
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ trace: traceId })
  })

  it('are off when no endpoint is named, or when they are switched off', async () => {
    expect(await openTracing({})).toBeUndefined()
    expect(await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeUndefined()
    expect(
      await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' }),
    ).toBeUndefined()
  })
})

describe('GET /openapi.json', () => {
  it('describes every operation that /v1/config announces, under the name of the specification', async () => {
    await using server = await openServer()
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      openapi: string
      paths: Readonly<Record<string, Readonly<Record<string, { operationId: string }>>>>
    }
    expect(document.openapi).toBe('3.1.0')
    const { endpoints } = (await (await fetch(`${server.url}/v1/config`)).json()) as { endpoints: string[] }
    for (const endpoint of endpoints) {
      const [method = '', path = ''] = endpoint.split(' ')
      expect(document.paths[path]?.[method.toLowerCase()]?.operationId, endpoint).toMatch(/^[a-z][A-Za-z]+$/)
    }
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(
      expect.arrayContaining(['getConfig', 'sql', 'ask', 'health', 'ready', 'metrics', 'openapi']),
    )
  })
})

describe('another floe as the client', () => {
  it('works in the warehouse that it names, and hears of one that is not there', async () => {
    await using server = await openServer()
    const open = (warehouse: string): Lakehouse =>
      new Lakehouse(readSettings({ catalog: server.url, warehouse }, {}, server.folder, 1))
    await using logs = open('logs')
    await (await logs.catalog()).createNamespace(['remote'])
    const list = async (prefix: string): Promise<unknown> =>
      (await fetch(`${server.url}/v1/${prefix}/namespaces`)).json()
    expect(await list('logs')).toMatchObject({ namespaces: [['remote']] })
    expect(await list('sales')).toMatchObject({ namespaces: [] })
    await using none = open('none')
    await expect(none.catalog()).rejects.toMatchObject({ code: 'not-found' })
  })
})
