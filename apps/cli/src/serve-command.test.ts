import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runFloe } from './testing/run-floe.ts'

/** Longer than what `stop-signal.ts` takes for the same signal. */
const secondSignalMs = 700

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-serve-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const body = '{"namespace":["late"]}'

/** A request whose body is not all there yet, on a server that has read what is. */
async function openRequest(url: string): Promise<{ finish(): void; readonly answer: Promise<string> }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  socket.on('error', () => undefined)
  socket.write(`POST /v1/namespaces HTTP/1.1\r\nHost: floe\r\nContent-Length: ${body.length}\r\n\r\n{`)
  for (;;) {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    if (/^floe_requests_open 2$/m.test(metrics)) break
  }
  return { finish: () => socket.write(body.slice(1)), answer: once(socket, 'close').then(() => text) }
}

/** `floe serve` until it ends; `use` is called once, when it is up. */
async function serve(
  use: (url: string, kill: () => void) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  let used: Promise<void> | undefined
  const finished = await runFloe(['serve', '--port', '0', '--role', 'catalog'], {
    cwd: folder,
    env,
    onStderr: (text, child) => {
      const url = / on (http:\S+)/.exec(text)?.[1]
      if (url !== undefined) used ??= use(url, () => child.kill('SIGTERM'))
    },
  })
  await used
  return finished
}

describe('floe serve', () => {
  it('finishes the request under way after SIGTERM, and ends with 0', async () => {
    let answer = ''
    const { code } = await serve(async (url, kill) => {
      const request = await openRequest(url)
      kill()
      while (
        await fetch(`${url}/health`).then(
          (response) => response.ok,
          () => false,
        )
      )
        await delay(10)
      request.finish()
      answer = await request.answer
    })
    expect(answer).toContain('200 OK')
    expect(answer).toContain('"late"')
    expect(code).toBe(0)
  })

  it('ends at once after a second signal', async () => {
    const { code } = await serve(
      async (url, kill) => {
        const request = await openRequest(url)
        kill()
        await delay(secondSignalMs)
        kill()
        expect(await request.answer).toBe('')
      },
      { FLOE_DRAIN_MS: '600000' },
    )
    expect(code).toBe(130)
  })

  it('keeps an access log, and limits, that the settings ask for', async () => {
    const { code, stderr } = await serve(
      async (url, kill) => {
        const statuses: number[] = []
        // The burst is used up long before the rate of one a second fills it again.
        while (!statuses.includes(429)) statuses.push((await fetch(`${url}/v1/config`)).status)
        kill()
      },
      { FLOE_ACCESS_LOG: 'true', FLOE_REQUESTS_PER_SECOND: '1' },
    )
    expect(code).toBe(0)
    const log = stderr.split('\n').filter((line) => line.startsWith('{'))
    expect(JSON.parse(log.at(-1) ?? '')).toMatchObject({ path: '/v1/config', status: 429 })
  })
})
