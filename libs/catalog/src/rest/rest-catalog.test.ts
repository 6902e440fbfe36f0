import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { newTableMetadata, tableMetadataToJson } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'
import type { Catalog, TableIdentifier } from '../catalog.ts'
import { openRestCatalog } from './index.ts'
import type { RestCatalogSettings } from './index.ts'

type Answer = {
  readonly status?: number
  readonly body?: unknown
  readonly text?: string
  readonly cut?: boolean
}
type Handler = (request: IncomingMessage, body: string) => Answer

const orders: TableIdentifier = { namespace: ['a b', 'c+d'], name: 'o/rders' }
const metadata = newTableMetadata({
  schema: { schemaId: 0, fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }] },
  location: 's3://bucket/shop/orders',
  uuid: '6f0e2a57-0a5e-4a8e-9d5c-0d8a8f3b6a11',
  nowMs: 1,
})
const table = { 'metadata-location': 's3://bucket/m.json', metadata: tableMetadataToJson(metadata) }
const commit = { requirements: [], updates: [{ action: 'set-properties', updates: { a: '1' } }] } as const

let server: Server | undefined

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  server = undefined
})

/** A catalog of another make: answers `/v1/config` with `config`, and everything else as `handle` says. */
async function serve(handle: Handler, config: object = { defaults: {}, overrides: {} }): Promise<string> {
  const answer = (request: IncomingMessage, response: ServerResponse, received: string): void => {
    const { status, body, text, cut } = request.url?.startsWith('/v1/config')
      ? { body: config }
      : handle(request, received)
    if (cut === true) return void response.destroy()
    response.writeHead(status ?? 200, { 'content-type': 'application/json' })
    response.end(text ?? (body === undefined ? '' : JSON.stringify(body)))
  }
  server = createServer((request, response) => {
    let received = ''
    request.on('data', (chunk: Buffer) => (received += chunk.toString()))
    request.on('end', () => answer(request, response, received))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function open(
  handle: Handler,
  more: Partial<RestCatalogSettings> = {},
  config?: object,
): Promise<Catalog> {
  return openRestCatalog({ uri: await serve(handle, config), ...more }, { sleep: async () => undefined })
}

function error(type: string, status: number): Answer {
  return { status, body: { error: { message: 'as told', type, code: status } } }
}

describe('what the REST client sends', () => {
  it('puts the prefix of the catalog into every path, and encodes names one by one', async () => {
    const paths: string[] = []
    const handle: Handler = (request) => (paths.push(`${request.method} ${request.url}`), { body: table })
    const catalog = await open(
      handle,
      { prefix: 'mine' },
      { defaults: {}, overrides: { prefix: 'main%7Clake' } },
    )
    await catalog.loadTable(orders)
    await catalog.dropTable(orders, { purge: true })
    expect(paths).toEqual([
      'GET /v1/main%7Clake/namespaces/a%20b%1Fc%2Bd/tables/o%2Frders',
      'DELETE /v1/main%7Clake/namespaces/a%20b%1Fc%2Bd/tables/o%2Frders?purgeRequested=true',
    ])
  })

  it('joins levels as the catalog wishes', async () => {
    let path: string | undefined
    const handle: Handler = ({ url }) => ((path = url), { body: { properties: {} } })
    const catalog = await open(handle, {}, { defaults: {}, overrides: { 'namespace-separator': '%2E' } })
    await catalog.loadNamespace(['a', 'b'])
    expect(path).toBe('/v1/namespaces/a.b')
  })

  it('sends token and headers with every request', async () => {
    const seen: (string | undefined)[] = []
    const handle: Handler = ({ headers }) => (
      seen.push(headers.authorization, String(headers['x-team'])),
      { body: table }
    )
    const catalog = await open(handle, {
      auth: { kind: 'bearer', token: 'sesame' },
      headers: { 'x-team': 'blue' },
    })
    await catalog.loadTable(orders)
    expect(seen).toEqual(['Bearer sesame', 'blue'])
  })

  it('writes ids beyond 2^53 digit by digit', async () => {
    let sent = ''
    const catalog = await open((_request, body) => ((sent = body), { body: table }))
    const requirement = {
      type: 'assert-ref-snapshot-id',
      ref: 'main',
      snapshotId: 9_007_199_254_740_993n,
    } as const
    await catalog.commitTable(orders, { requirements: [requirement], updates: [] })
    expect(sent).toContain('"snapshot-id":9007199254740993')
  })
})

describe('what the REST client reads', () => {
  it('follows the pages of a list to the end', async () => {
    const pages: Readonly<Record<string, Answer>> = {
      '': { body: { namespaces: [['a']], 'next-page-token': 'two' } },
      two: { body: { namespaces: [['b']], 'next-page-token': 'three' } },
      three: { body: { namespaces: [['c', 'd']], 'next-page-token': null } },
    }
    const handle: Handler = ({ url }) => {
      const token = new URL(String(url), 'http://x').searchParams.get('pageToken')
      return pages[token ?? ''] ?? error('BadRequestException', 400)
    }
    expect(await (await open(handle)).listNamespaces()).toEqual([['a'], ['b'], ['c', 'd']])
  })

  it('hands on what a table comes with: config, storage credentials, what its remote signer wants', async () => {
    const credentials = [
      { prefix: 's3://bucket/shop/', config: { 's3.access-key-id': 'near' } },
      { prefix: 's3://other/', config: { 's3.access-key-id': 'foreign' } },
    ]
    const body = {
      ...table,
      config: { 's3.endpoint': 'http://minio' },
      'storage-credentials': credentials,
      'remote-signing-config': { properties: { table: 'orders' }, headers: { 'x-sign': ['a', 'b'] } },
    }
    expect(await (await open(() => ({ body }))).loadTable(orders)).toMatchObject({
      metadataLocation: 's3://bucket/m.json',
      metadata: { tableUuid: metadata.tableUuid },
      config: { 's3.endpoint': 'http://minio' },
      storageCredentials: credentials,
      remoteSigning: { properties: { table: 'orders' }, headers: { 'x-sign': ['a', 'b'] } },
    })
  })

  it('calls an answer that is no table corrupt', async () => {
    const catalog = await open(() => ({ body: { metadata: { 'format-version': 2 } } }))
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'corrupt-data' })
  })
})

type Call = (catalog: Catalog) => Promise<unknown>

const load: Call = (catalog) => catalog.loadTable(orders)
const change: Call = (catalog) => catalog.commitTable(orders, commit)
const create: Call = (catalog) => catalog.createTable(orders, { schema: { schemaId: 0, fields: [] } })
const dropSpace: Call = (catalog) => catalog.dropNamespace(['a'])

describe('what the failure of a request means', () => {
  it.each<[string, Call, Answer, ErrorCode]>([
    ['a missing table', load, error('NoSuchTableException', 404), 'not-found'],
    ['a wrong token', load, error('NotAuthorizedException', 401), 'permission-denied'],
    ['a busy catalog', load, error('ServiceUnavailableException', 503), 'unavailable'],
    ['a proxy without the catalog', load, { status: 502, text: '<html>' }, 'unavailable'],
    ['a failed requirement', change, error('CommitFailedException', 409), 'commit-conflict'],
    ['a conflict without a type', change, { status: 409 }, 'commit-conflict'],
    ['a taken name', create, error('AlreadyExistsException', 409), 'already-exists'],
    ['a taken name without a type', create, { status: 409 }, 'already-exists'],
    ['a namespace that is not empty', dropSpace, error('NamespaceNotEmptyException', 409), 'invalid-input'],
    ['a malformed commit', change, error('BadRequestException', 400), 'invalid-input'],
    ['500 on a commit', change, error('CommitStateUnknownException', 500), 'commit-state-unknown'],
    ['502 on a commit', change, { status: 502, text: '<html>' }, 'commit-state-unknown'],
    [
      '503 of the catalog itself on a commit',
      change,
      error('ServiceUnavailableException', 503),
      'unavailable',
    ],
    ['503 of a proxy on a commit', change, { status: 503, text: '<html>' }, 'commit-state-unknown'],
    ['504 on a create', create, { status: 504 }, 'commit-state-unknown'],
    ['a commit that is cut off', change, { cut: true }, 'commit-state-unknown'],
    ['a commit answered with nonsense', change, { text: '<html>' }, 'commit-state-unknown'],
    ['a load that is cut off', load, { cut: true }, 'unavailable'],
  ])('%s', async (_name, call, answer, code) => {
    const catalog = await open(() => answer)
    await expect(call(catalog)).rejects.toMatchObject({ code })
  })

  it('a commit that finds nobody listening has surely not happened', async () => {
    const catalog = await open(() => ({ body: table }))
    server?.closeAllConnections()
    await new Promise((resolve) => server?.close(resolve))
    server = undefined
    await expect(change(catalog)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })

  it('a commit without an answer in time may have happened', async () => {
    const uri = await serve(() => ({ body: table }))
    const silent: typeof fetch = (input, init) =>
      (input as string).includes('/config')
        ? fetch(input, init)
        : new Promise((_resolve, reject) => {
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error))
          })
    const catalog = await openRestCatalog({ uri, requestTimeoutMs: 500 }, { fetch: silent })
    await expect(change(catalog)).rejects.toMatchObject({ code: 'commit-state-unknown' })
  })
})
