import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import { createCatalogRoutes } from '@floe/catalog-server'
import type { CatalogRoutesSettings } from '@floe/catalog-server'
import { openSqlCatalog } from '@floe/catalog/sql'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'

export type ServedCatalog = AsyncDisposable & {
  readonly url: string
  /** Method and path of every request that came. */
  readonly requests: readonly string[]
}

/** The catalog over a local folder, served with limits of the caller's choice. */
export async function serveCatalog(
  settingsOf: (store: ObjectStore) => Partial<CatalogRoutesSettings>,
): Promise<ServedCatalog> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-catalog-'))
  const store = openObjectStore()
  const clock = { now: () => Date.now() }
  const database = { kind: 'sqlite' as const, path: path.join(folder, 'catalog.db') }
  const catalog = await openSqlCatalog(
    { database, warehouse: `file://${folder}/warehouse`, clock, uuid: () => randomUUID() },
    { store },
  )
  const routes = createCatalogRoutes({ catalog, clock, ...settingsOf(store) })
  const requests: string[] = []
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`)
    void answer(incoming, outgoing, async (request) => routes.fetch(request))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await catalog.close()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fetch: (request: Request) => Promise<Response>,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method ?? 'GET',
    headers: new Headers(
      Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
    ),
    ...(body.length === 0 ? {} : { body }),
  })
  const response = await fetch(request)
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(Buffer.from(await response.arrayBuffer()))
}
