import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Client } from 'pg'
import { connectSource } from '../source/connect-source.ts'
import type { SourceConnection } from '../source/connect-source.ts'
import { wordSlackBytes } from './string-dictionary.ts'

const receiveBytes = 128 * 1024

/**
 * The server writes 8 KiB at a time, and a reader that is always awake pays a wake-up and a system call for each. After
 * a read of less than this the socket rests for `restMs` while the kernel gathers more: the drain of lineitem takes
 * 0.74 s of CPU instead of 1.60, and less wall time, since the server shares the machine.
 */
const restBelowBytes = 64 * 1024
/** At 100 MB/s 100 KB come meanwhile, which the kernel's receive buffer holds. */
const restMs = 1

/** Gets each read while the socket is taken over. Returns false to pause; the bytes then stay until `resume`. */
type SocketHandler = {
  onBytes(bytes: Uint8Array, view: DataView, length: number): boolean
  onClose(error: Error | undefined): void
}

/**
 * A session whose socket can be taken over from node-postgres after startup. Over plain sockets every read lands in one
 * buffer without an allocation (0.25 against 0.35 us a row on lineitem); TLS has no such reads and copies its chunks.
 */
export type TakenSession = {
  readonly client: SourceConnection
  /** Until `release`, no query may go through `client`. */
  take(handler: SocketHandler): void
  release(): void
  write(bytes: Uint8Array): void
  resume(): void
  destroy(): void
}

type Receiver = { bytes: Uint8Array; view: DataView }

function newReceiver(length: number): Receiver {
  const bytes = new Uint8Array(length + wordSlackBytes)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** @param rests  whether a plain socket rests after a small read */
export async function openTakenSession(
  url: string,
  { rests = true }: { readonly rests?: boolean } = {},
): Promise<TakenSession> {
  const receiver = newReceiver(receiveBytes)
  const route: { handler: SocketHandler | undefined } = { handler: undefined }
  const socket = usesTls(url) ? undefined : directSocket(receiver, route, rests)
  const client = await connectSource(url, socket === undefined ? {} : { stream: () => socket })
  const stream = socket ?? streamOf(client)
  stream.on('error', (error: Error) => route.handler?.onClose(error))
  stream.on('close', () => route.handler?.onClose(undefined))
  const parsers = stream.listeners('data') as ((chunk: Buffer) => void)[]
  const onData = chunkReceiver(receiver, route, stream)
  return {
    client,
    take: (handler) => {
      route.handler = handler
      if (socket !== undefined) return
      stream.removeAllListeners('data')
      stream.on('data', onData)
    },
    release: () => {
      route.handler = undefined
      if (socket !== undefined) return
      stream.removeAllListeners('data')
      for (const parser of parsers) stream.on('data', parser)
    },
    write: (bytes) => void stream.write(bytes),
    resume: () => void stream.resume(),
    destroy: () => void stream.destroy(),
  }
}

/** node-postgres feeds on `data` events, which a socket with `onread` does not emit: they are emitted here. */
function directSocket(
  { bytes, view }: Receiver,
  route: { readonly handler: SocketHandler | undefined },
  rests: boolean,
): Socket {
  const socket: Socket = new Socket({
    onread: {
      buffer: bytes.subarray(0, receiveBytes),
      callback: (length: number): boolean => {
        if (route.handler !== undefined) {
          if (!route.handler.onBytes(bytes, view, length)) return false
          if (!rests || length >= restBelowBytes) return true
          setTimeout(() => void socket.resume(), restMs)
          return false
        }
        socket.emit('data', Buffer.from(bytes.subarray(0, length)))
        return true
      },
    },
  } as ConstructorParameters<typeof Socket>[0])
  return socket
}

function chunkReceiver(
  receiver: Receiver,
  route: { readonly handler: SocketHandler | undefined },
  stream: Duplex,
): (chunk: Uint8Array) => void {
  return (chunk) => {
    if (chunk.length + wordSlackBytes > receiver.bytes.length)
      Object.assign(receiver, newReceiver(chunk.length))
    receiver.bytes.set(chunk)
    if (route.handler?.onBytes(receiver.bytes, receiver.view, chunk.length) === false) stream.pause()
  }
}

/** As node-postgres will decide it from the URL and the environment. */
function usesTls(url: string): boolean {
  return new Client({ connectionString: url }).ssl
}

function streamOf(client: SourceConnection): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream
}
