import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ask } from '../ask.ts'
import type { Answer } from '../answer.ts'
import { directoryOf, openGoldenRunner } from '../golden/duckdb-runner.ts'
import { flightSetup, flightTables } from '../golden/golden-tables.ts'
import {
  createOpenAiCompatibleProvider,
  type OpenAiCompatibleSettings,
} from './openai-compatible-provider.ts'

type ChatRequest = { model: string; temperature: number; messages: { role: string; content: string }[] }
type Reply = string | { readonly status: number } | { readonly hangs: true }
type Endpoint = {
  readonly baseUrl: string
  readonly requests: ChatRequest[]
  readonly keys: (string | undefined)[]
}

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A scripted model behind the chat completions protocol: one reply for each request, the last one for all others. */
async function openEndpoint(replies: readonly Reply[]): Promise<Endpoint> {
  const requests: ChatRequest[] = []
  const keys: (string | undefined)[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      keys.push(request.headers.authorization)
      const reply = replies[Math.min(requests.length, replies.length - 1)] ?? ''
      requests.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as ChatRequest)
      if (typeof reply === 'object' && 'hangs' in reply) return
      const status = typeof reply === 'string' ? 200 : reply.status
      response.writeHead(request.url === '/v1/chat/completions' ? status : 404, {
        'content-type': 'application/json',
      })
      const message = { role: 'assistant', content: reply }
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      const body = { id: 'c', object: 'chat.completion', created: 1, model: 'tiny', choices, usage }
      response.end(JSON.stringify(typeof reply === 'string' ? body : { error: { message: 'no' } }))
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}/v1`, requests, keys }
}

async function askModel(
  endpoint: Endpoint,
  settings: Partial<OpenAiCompatibleSettings> = {},
  signal?: AbortSignal,
): Promise<{ answer: Answer; statements: readonly string[] }> {
  await using runner = await openGoldenRunner(flightSetup, flightTables)
  const provider = createOpenAiCompatibleProvider({ baseUrl: endpoint.baseUrl, model: 'tiny', ...settings })
  const components = { directory: directoryOf(flightTables), runner, provider, clock: { now: () => 0 } }
  const answer = await ask('how many flights left SFO', components, signal === undefined ? {} : { signal })
  return { answer, statements: [...runner.statements] }
}

const rightSql = `SELECT count(*) AS flights FROM demo.flights WHERE origin = 'SFO'`

describe('the OpenAI compatible provider', () => {
  it('answers with the SQL, the rows and the snapshot that were really read', async () => {
    const endpoint = await openEndpoint([`Here it is:\n\`\`\`sql\n${rightSql};\n\`\`\``])
    const { answer } = await askModel(endpoint, { apiKey: 'k-1' })
    expect(answer).toMatchObject({
      kind: 'answer',
      text: 'flights is 4.',
      sql: rightSql,
      rows: [[4n]],
      provider: 'openai-compatible:tiny',
      provenance: 'model',
      attempts: 1,
    })
    expect(endpoint.keys).toEqual(['Bearer k-1'])
  })

  it('shows the model the schema and no row', async () => {
    const endpoint = await openEndpoint([rightSql])
    await askModel(endpoint)
    const [request] = endpoint.requests
    const sent = request?.messages.map(({ content }) => content).join('\n') ?? ''
    expect(request).toMatchObject({ model: 'tiny', temperature: 0 })
    expect(sent).toContain('TABLE "demo"."flights" (8 rows)')
    expect(sent).toContain('"delay" int: Arrival delay in minutes')
    expect(sent).toContain('Today is 1970-01-01.')
    for (const value of ['JFK', 'SEA', '2586']) expect(sent).not.toContain(value)
  })

  it('sends the error of wrong SQL back and answers with the repaired statement', async () => {
    const wrong = 'SELECT count(*) FROM demo.flights WHERE departure = 1'
    const endpoint = await openEndpoint([`\`\`\`sql\n${wrong}\n\`\`\``, `\`\`\`sql\n${rightSql}\n\`\`\``])
    const { answer } = await askModel(endpoint)
    expect(answer).toMatchObject({ kind: 'answer', attempts: 2, rows: [[4n]] })
    const repair = endpoint.requests[1]?.messages.at(-1)?.content ?? ''
    expect(repair).toContain(wrong)
    expect(repair).toMatch(/Error: .*departure/s)
  })

  it('never runs what is not a SELECT', async () => {
    const endpoint = await openEndpoint([
      '```sql\nINSERT INTO demo.flights SELECT * FROM demo.flights\n```',
      `${rightSql}; DROP TABLE demo.flights`,
    ])
    const { answer, statements } = await askModel(endpoint)
    expect(answer).toMatchObject({ kind: 'cannot', reason: 'no-valid-sql' })
    expect(statements).toEqual([])
    expect(endpoint.requests).toHaveLength(3)
  })

  it('gives garbage up after the attempts that are allowed', async () => {
    const endpoint = await openEndpoint(['I like flights!', '{"sql": 5}', '```\n```'])
    const { answer } = await askModel(endpoint, { attemptsMax: 2 })
    expect(answer).toMatchObject({ kind: 'cannot', reason: 'no-valid-sql' })
    expect(endpoint.requests).toHaveLength(2)
  })

  it('passes a question back and a refusal on', async () => {
    const asks = await openEndpoint(['CLARIFY: Which end? | flights from SFO | flights to SFO'])
    expect((await askModel(asks)).answer).toMatchObject({
      kind: 'clarification',
      choices: ['flights from SFO', 'flights to SFO'],
    })
    const refuses = await openEndpoint(['CANNOT: there are no passengers in these tables'])
    expect((await askModel(refuses)).answer).toMatchObject({
      kind: 'cannot',
      text: 'there are no passengers in these tables',
    })
  })

  it('names a refused key, a failing endpoint and a slow model apart', async () => {
    const refused = await openEndpoint([{ status: 401 }])
    await expect(askModel(refused)).rejects.toMatchObject({ code: 'permission-denied' })
    const missing = await openEndpoint([{ status: 400 }])
    await expect(askModel(missing)).rejects.toMatchObject({ code: 'unavailable', retryable: false })
    const slow = await openEndpoint([{ hangs: true }])
    await expect(askModel(slow, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('50 ms'),
    })
  })

  it('stops waiting for the model when the question is cancelled', async () => {
    const endpoint = await openEndpoint([{ hangs: true }])
    const controller = new AbortController()
    const asked = askModel(endpoint, {}, controller.signal)
    setTimeout(() => controller.abort(), 20)
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('refuses settings that cannot work', () => {
    expect(() => createOpenAiCompatibleProvider({ baseUrl: 'localhost', model: 'm' })).toThrow(/baseUrl/)
    expect(() => createOpenAiCompatibleProvider({ baseUrl: 'http://localhost/v1', model: '' })).toThrow(
      /model/,
    )
  })
})
