import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Reply = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly text?: string
  /** The connection is cut instead. */
  readonly cut?: boolean
}

/** A catalog of another make: answers each request as `reply` says, and remembers them all. */
export class ForeignServer {
  readonly received: Received[] = []
  readonly #server: Server

  constructor(reply: (request: Received) => Reply | Promise<Reply>) {
    this.#server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const seen = { method, url, headers, body }
        this.received.push(seen)
        void Promise.resolve(reply(seen)).then((answer) => {
          if (answer.cut === true) return void response.destroy()
          response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
          response.end(answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body)))
        })
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
