import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { S3Server } from '@floe/peers'

/** Passes bytes on to an S3 server, and counts those that come back. */
export type Wire = AsyncDisposable & { readonly endpoint: string; received: number }

export async function openWire({ endpoint }: S3Server): Promise<Wire> {
  const { hostname, port } = new URL(endpoint)
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    upstream.on('data', (bytes) => (counted.received += bytes.byteLength))
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const counted: Wire = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: 0,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
  return counted
}
