import { Agent, request } from 'node:http'
import { gunzipSync } from 'node:zlib'

export type Reply = {
  readonly status: number
  /** As sent. */
  readonly bytes: number
  readonly body: () => Buffer
}

/** Plain HTTP over connections that are kept: as little work for each request as Node allows. */
export class HttpConnections implements Disposable {
  readonly #base: URL
  readonly #agent: Agent

  /** `base` is what the paths of requests are below; `count` connections are opened at most. */
  constructor(base: string, count: number) {
    this.#base = new URL(base)
    this.#agent = new Agent({ keepAlive: true, maxSockets: count, scheduling: 'fifo' })
  }

  send(method: string, path: string, body?: string): Promise<Reply> {
    // As Java's client and PyIceberg do.
    const accept = { 'accept-encoding': 'gzip' }
    const headers =
      body === undefined
        ? accept
        : { ...accept, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const { hostname, port, pathname } = this.#base
    const target = { agent: this.#agent, hostname, port, path: `${pathname}${path}`, method, headers }
    return new Promise((resolve, reject) => {
      const sent = request(target, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const sent = Buffer.concat(chunks)
          const isGzip = response.headers['content-encoding'] === 'gzip'
          const answer: Reply = {
            status: response.statusCode ?? 0,
            bytes: sent.byteLength,
            // Unpacked by who looks into it: the time of a load is the server's.
            body: () => (isGzip ? gunzipSync(sent) : sent),
          }
          resolve(answer)
        })
      })
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A server may close a connection that was idle just when it is used again.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(this.send(method, path, body))
        else reject(error)
      })
      sent.end(body)
    })
  }

  /** As `send`, for what must succeed. */
  async demand(method: string, path: string, body?: string): Promise<string> {
    const { status, body: answer } = await this.send(method, path, body)
    const text = answer().toString('utf8')
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status}: ${text.slice(0, 500)}`)
    return text
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
