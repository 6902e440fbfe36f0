import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer, sendRaw } from './testing/open-server.ts'
import type { OpenServer, RawAnswer } from './testing/open-server.ts'

let server: OpenServer
beforeAll(async () => {
  server = await openServer()
})
afterAll(() => server[Symbol.asyncDispose]())

function get(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: floe\r\nConnection: close\r\n${headers}\r\n`
}

function post(target: string, body: string | Uint8Array, headers = ''): Uint8Array {
  const bytes = Buffer.from(body)
  const head = `POST ${target} HTTP/1.1\r\nHost: floe\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n`
  return Buffer.concat([Buffer.from(`${head}${headers}\r\n`), bytes])
}

function expectRefusal({ status, body }: RawAnswer): void {
  expect(status, body).toBeGreaterThanOrEqual(400)
  expect(status, body).toBeLessThan(500)
  const { error } = JSON.parse(body) as { error: Readonly<Record<string, unknown>> }
  expect(error['message']).toEqual(expect.any(String))
  expect(error['code']).toEqual(expect.anything())
}

const namespaces = '/v1/sales/namespaces'

describe('a path that plays tricks', () => {
  it.each([
    ['dots', `${namespaces}/../../../etc/passwd`],
    ['encoded dots', `${namespaces}/%2e%2e/tables/x`],
    ['encoded dots and slashes', `${namespaces}/..%2f..%2fetc/tables/..%2Fpasswd`],
    ['NUL', `${namespaces}/a%00b`],
    ['a lone separator', `${namespaces}/%1F`],
    ['an empty level', `${namespaces}/a%1f%1fb`],
    ['half an escape', `${namespaces}/%2`],
    ['an escape that is none', `${namespaces}/%zz/tables/%%`],
    ['overlong UTF-8', `${namespaces}/%C0%AF`],
    ['a lone surrogate in UTF-8', `${namespaces}/%ED%A0%80`],
    ['bytes beyond ASCII', `${namespaces}/\u00E4`],
    ['backslashes', `${namespaces}/a\\..\\b`],
    ['a name beyond the limit', `${namespaces}/${'a'.repeat(5000)}`],
    ['more levels than the limit', `${namespaces}/${Array(40).fill('a').join('%1F')}`],
    ['an encoded prefix', '/v1/%73ales/namespaces/a'],
    ['empty segments', '/v1//sales//namespaces'],
    ['an unknown prefix', '/v1/%2e%2e%2fsales/namespaces'],
    ['a target that is no path', '*'],
  ])('gets a clean refusal: %s', async (_, target) => {
    expectRefusal(await sendRaw(server.url, get(target)))
  })

  it.each([
    ['pageSize=0'],
    ['pageSize=-1'],
    ['pageSize=1e3'],
    ['pageSize=99999999999999999999999'],
    ['pageSize=1&pageSize=2'],
    ['pageToken=%F0%28%8C%28'],
    [`pageToken=${'!'.repeat(9000)}`],
    ['parent=a%00b'],
    ['parent=%1F'],
    ['parent=a&parent=b'],
  ])('gets a clean refusal: %s', async (query) => {
    expectRefusal(await sendRaw(server.url, get(`${namespaces}?${query}`)))
  })
})

describe('a body that plays tricks', () => {
  const valid = JSON.stringify({ namespace: ['a'] })

  it.each<[string, string | Uint8Array, string]>([
    ['half of JSON', '{"namespace":', ''],
    ['nothing', '', ''],
    ['deep arrays', '['.repeat(200_000), ''],
    ['deep objects', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`, ''],
    ['a number', '1', ''],
    ['null', 'null', ''],
    ['a lone surrogate in a name', '{"namespace":["\\ud800"]}', ''],
    [
      'overlong UTF-8',
      Buffer.from([...Buffer.from('{"namespace":["'), 0xc0, 0xaf, ...Buffer.from('"]}')]),
      '',
    ],
    ['UTF-16', Buffer.from(valid, 'utf16le'), ''],
    ['another type', valid, 'Content-Type: application/xml\r\n'],
    ['a form', valid, 'Content-Type: multipart/form-data; boundary=x\r\n'],
    ['a compressed one', valid, 'Content-Encoding: gzip\r\n'],
    ['a key that is no uuid', valid, 'Idempotency-Key: 1\r\n'],
    ['names that are no strings', '{"namespace":[1e400]}', ''],
  ])('gets a clean refusal: %s', async (_, body, headers) => {
    expectRefusal(await sendRaw(server.url, post(namespaces, body, headers)))
    expectRefusal(await sendRaw(server.url, post('/sql', body, headers)))
  })

  it('gets a clean refusal, and its connection closed, when it is too large, with its length or in chunks', async () => {
    const tooLong = `POST ${namespaces} HTTP/1.1\r\nHost: floe\r\nContent-Length: 99999999999\r\n\r\n{`
    const declared = await sendRaw(server.url, tooLong)
    expectRefusal(declared)
    expect(declared.status).toBe(413)
    const chunk = `100000\r\n${'a'.repeat(0x100000)}\r\n`
    const head = 'POST /sql HTTP/1.1\r\nHost: floe\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunked = await sendRaw(server.url, `${head}${chunk}${chunk}`)
    expectRefusal(chunked)
    expect(chunked.status).toBe(413)
  })

  it('gets a table of types as deep as bodies may be, or a clean refusal, and no end of the stack', async () => {
    await sendRaw(server.url, post(namespaces, '{"namespace":["deep"]}'))
    for (const depth of [50, 900]) {
      let type = '"int"'
      for (let id = depth + 1; id > 1; id--)
        type = `{"type":"list","element-id":${id},"element-required":false,"element":${type}}`
      const fields = `[{"id":1,"name":"x","required":false,"type":${type}}]`
      const table = `{"name":"t${depth}","schema":{"type":"struct","fields":${fields}}}`
      const { status, body } = await sendRaw(server.url, post(`${namespaces}/deep/tables`, table))
      expect(status, body.slice(0, 500)).toBeLessThan(500)
    }
  })
})

describe('a message that is meant to be read in two ways', () => {
  it.each([
    [
      'two lengths',
      'POST /sql HTTP/1.1\r\nHost: floe\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    ],
    [
      'a length and chunks',
      'POST /sql HTTP/1.1\r\nHost: floe\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n',
    ],
    [
      'an unknown encoding',
      'POST /sql HTTP/1.1\r\nHost: floe\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    ],
    ['line feeds alone', 'GET /health HTTP/1.1\nHost: floe\n\n'],
    ['a carriage return in a header', get('/health', 'X: a\rb\r\n')],
    ['a host that is none', 'GET /health HTTP/1.1\r\nHost: a b/c@d\r\nConnection: close\r\n\r\n'],
    ['headers beyond the limit', get('/health', `X: ${'a'.repeat(70_000)}\r\n`)],
    ['another protocol', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n'],
  ])('gets one clean refusal: %s', async (_, request) => {
    const answer = await sendRaw(server.url, request)
    expectRefusal(answer)
    expect(answer.body.match(/HTTP\/1\.1 \d/)).toBeNull()
  })
})

describe('a legal name', () => {
  const names = [
    'a.b',
    'a/b',
    'a b',
    'a+b',
    '..a',
    'größe 🧊',
    '%41',
    'a%2Fb',
    "'; --",
    'a\\b',
    '\u0001',
    'tables',
    'namespaces',
  ]

  it.each(names)('of a namespace and a table comes back as it was given: %j', async (name) => {
    const encoded = encodeURIComponent(name)
    const levels = [name, 'inner']
    const headers = { 'content-type': 'application/json' }
    const send = async (path: string, body?: unknown): Promise<unknown> => {
      const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await fetch(`${server.url}${path}`, init)
      expect(response.status, await response.clone().text()).toBe(200)
      return response.json()
    }
    await send(namespaces, { namespace: [name] })
    await send(namespaces, { namespace: levels })
    const schema = { type: 'struct', fields: [] }
    const tables = `${namespaces}/${encoded}%1Finner/tables`
    await send(tables, { name, schema })
    expect(await send(`${namespaces}?parent=${encoded}`)).toMatchObject({ namespaces: [levels] })
    expect(await send(tables)).toMatchObject({ identifiers: [{ namespace: levels, name }] })
    expect(await send(`${tables.replace('%1F', '%1f')}/${encoded}`)).toMatchObject({
      metadata: { location: expect.stringContaining(`file://${server.folder}/sales/`) },
    })
  })

  it('leaves no file outside of its warehouse', async () => {
    const entries = await readdir(server.folder)
    expect(entries.filter((name) => !name.startsWith('.floe')).toSorted()).toEqual([
      'floe.config.yaml',
      'sales',
    ])
    const files = await readdir(`${server.folder}/sales`, { recursive: true })
    expect(files.filter((file) => file.endsWith('.metadata.json')).length).toBeGreaterThan(names.length - 1)
  })
})
