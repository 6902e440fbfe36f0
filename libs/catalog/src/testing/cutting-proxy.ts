import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** What becomes of a connection at a message of the client: `before` the server sees it, or `after` it was served. */
export type Cut = 'before' | 'after'

export type CuttingProxy = {
  readonly port: number
  /** Cuts the connection at the next message that holds `text`; `meanwhile` runs before the client notices. */
  readonly cutAt: (text: string, cut: Cut, meanwhile?: () => Promise<void>) => void
  readonly close: () => Promise<void>
}

/** Stands between a client and the server at `port`, and loses messages when it is told to. */
export async function openCuttingProxy(port: number): Promise<CuttingProxy> {
  let planned:
    | { readonly text: string; readonly cut: Cut; readonly meanwhile: () => Promise<void> }
    | undefined
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    let onAnswer: (() => Promise<void>) | undefined
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (planned === undefined || !bytes.includes(planned.text)) return void upstream.write(bytes)
      const { cut, meanwhile } = planned
      planned = undefined
      const lose = (): Promise<void> => meanwhile().finally(() => client.destroy())
      if (cut === 'before') return void lose()
      onAnswer = lose
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (onAnswer === undefined) client.write(bytes)
      else void onAnswer()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cutAt: (text, cut, meanwhile = async () => {}) => {
      planned = { text, cut, meanwhile }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
