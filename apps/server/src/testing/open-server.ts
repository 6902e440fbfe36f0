import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import type { LakehouseObservers } from '@floe/lakehouse'
import { startServer } from '../server.ts'
import type { RunningServer, ServerComponents, ServerSettings } from '../server.ts'

export type OpenServer = AsyncDisposable &
  Pick<RunningServer, 'url' | 'close'> & { readonly folder: string; readonly lakehouse: Lakehouse }

export type OpenOptions = {
  readonly limits?: NonNullable<ServerSettings['limits']>
  readonly components?: ServerComponents
  readonly observers?: LakehouseObservers
  /** Further lines of `floe.config.yaml`. */
  readonly config?: string
}

/** A server of all roles over the empty warehouses `sales` and `logs`, in a folder that goes with it. */
export async function openServer({
  limits = {},
  components = {},
  observers = {},
  config = '',
}: OpenOptions = {}): Promise<OpenServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-server-'))
  await writeFile(
    path.join(folder, 'floe.config.yaml'),
    `warehouses: { sales: "file:sales", logs: "file:logs" }\n${config}`,
  )
  const lakehouse = new Lakehouse(readSettings({}, {}, folder, 1), observers)
  const settings = { roles: ['catalog', 'query', 'agent'], port: 0, host: '127.0.0.1', limits } as const
  const server = await startServer(lakehouse, settings, components)
  const stop = async (): Promise<void> => {
    await server.close()
    await lakehouse.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { url: server.url, close: () => server.close(), folder, lakehouse, [Symbol.asyncDispose]: stop }
}

export type RawAnswer = { readonly status: number; readonly head: string; readonly body: string }

/** Sends bytes as they are and reads until the server closes the connection. */
export async function sendRaw(url: string, request: string | Uint8Array): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    // A server that refuses may close before it has read everything.
    socket.on('error', () => undefined)
  })
  socket.write(request)
  await closed
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: rest.join('\r\n\r\n') }
}
