import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { limitBody } from './request-limit.ts'

const app = new Hono()
app.use(limitBody(10))
app.all('/', async (context) => context.text(await context.req.text()))

const post = (
  body: ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
): Response | Promise<Response> =>
  app.request('/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream()
}

it('lets bodies through up to the limit, declared or not, and answers 413 to longer ones', async () => {
  for (const declared of [true, false]) {
    const headers = (text: string): Record<string, string> =>
      declared ? { 'content-length': String(text.length) } : {}
    const right = await post(streamOf('0123456789'), headers('0123456789'))
    expect([right.status, await right.text()]).toEqual([200, '0123456789'])
    const long = await post(streamOf('0123456789a'), headers('0123456789a'))
    expect(long.status).toBe(413)
    expect(await long.json()).toMatchObject({ error: { code: 413, type: 'BadRequestException' } })
  }
})

it('counts what comes in chunks even when a length is declared beside it', async () => {
  const headers = { 'content-length': '1', 'transfer-encoding': 'chunked' }
  expect((await post(streamOf('0123456789a'), headers)).status).toBe(413)
})

it('does not look at requests without a body', async () => {
  expect((await app.request('/')).status).toBe(200)
  expect((await app.request('/', { method: 'HEAD' })).status).toBe(200)
})
