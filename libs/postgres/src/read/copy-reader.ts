import { chunkQuery } from '../plan/chunk.ts'
import type { Chunk } from '../plan/chunk.ts'
import type { ColumnPlan } from '../plan/column-plan.ts'
import { sourceError } from '../source/source-error.ts'
import type { SourceFailure } from '../source/source-error.ts'
import {
  encodeQuery,
  isCopyTrailer,
  isIgnoredMessage,
  messageLength,
  messageType,
  parseErrorResponse,
  skipCopyHeader,
  unexpectedMessage,
} from './copy-messages.ts'
import { MessageCarry } from './message-carry.ts'
import { RowDecoder } from './row-decoder.ts'
import { beginOnSnapshot, cancelledError } from './source-reader.ts'
import type { BatchHandler, ReadStats, SourceReader, SourceReaderOptions } from './source-reader.ts'
import { openTakenSession } from './source-socket.ts'
import type { TakenSession } from './source-socket.ts'

/** What one call of `process` left behind. */
type Progress = 'needs-bytes' | 'waits-for-batch'

export async function openCopyReader(options: SourceReaderOptions): Promise<SourceReader> {
  const session = await openTakenSession(options.url)
  try {
    await beginOnSnapshot(session.client, options.snapshotId)
    return new CopyReader(session, options)
  } catch (error) {
    session.destroy()
    throw error
  }
}

export function copyCommand(columns: readonly ColumnPlan[], chunk: Chunk): Uint8Array {
  return encodeQuery(`COPY (${chunkQuery(columns, chunk)}) TO STDOUT (FORMAT binary)`)
}

type Pending = { readonly resolve: () => void; readonly reject: (error: unknown) => void }

/** Runs COPY after COPY on a socket of its own and decodes what arrives where it arrives. */
class CopyReader implements SourceReader {
  private readonly decoder: RowDecoder
  private readonly carry = new MessageCarry()
  private bytes: Uint8Array = new Uint8Array(0)
  private view: DataView = new DataView(new ArrayBuffer(0))
  private at = 0
  private end = 0
  private headerPending = false
  private failure: SourceFailure | undefined
  private pending: Pending | undefined
  private onBatch: BatchHandler = () => undefined
  private relation = ''
  private wireBytes = 0
  private waitMs = 0
  private decodeMs = 0
  /** When the time began that is counted next. */
  private since = 0
  private readonly session: TakenSession
  private readonly options: SourceReaderOptions
  private closed = false

  constructor(session: TakenSession, options: SourceReaderOptions) {
    this.session = session
    this.options = options
    this.decoder = new RowDecoder(options.columns, options)
  }

  async read(nextChunk: () => Chunk | undefined, onBatch: BatchHandler): Promise<ReadStats> {
    const { signal } = this.options
    const cancel = (): void => this.fail(cancelledError(signal?.reason))
    this.onBatch = onBatch
    this.session.take({ onBytes: this.receive, onClose: this.connectionLost })
    signal?.addEventListener('abort', cancel)
    try {
      for (let chunk = nextChunk(); chunk !== undefined; chunk = nextChunk()) {
        if (signal?.aborted === true) throw cancelledError(signal.reason)
        await this.copyChunk(chunk)
      }
      if (!this.decoder.isEmpty) {
        await onBatch(this.decoder.toBatch())
        this.decoder.reset()
      }
    } catch (error) {
      this.fail(error)
      throw sourceError(`reading ${this.relation}`, error)
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.session.release()
    }
    const { wireBytes, waitMs, decodeMs, decoder } = this
    return { rows: decoder.rows, wireBytes, waitMs, decodeMs, touched: decoder.touched() }
  }

  timings(): Pick<ReadStats, 'wireBytes' | 'waitMs' | 'decodeMs'> {
    const { wireBytes, waitMs, decodeMs } = this
    return { wireBytes, waitMs, decodeMs }
  }

  heldBytes(): number {
    return this.decoder.heldBytes
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.session.client.end().catch(() => undefined)
  }

  private copyChunk(chunk: Chunk): Promise<void> {
    this.relation = chunk.relation
    this.headerPending = true
    this.failure = undefined
    this.since = this.options.clock.now()
    return new Promise<void>((resolve, reject) => {
      this.pending = { resolve, reject }
      if (this.closed) reject(new Error('the connection was closed'))
      else this.session.write(copyCommand(this.options.columns, chunk))
    })
  }

  private readonly receive = (bytes: Uint8Array, view: DataView, length: number): boolean => {
    this.count('waitMs')
    this.wireBytes += length
    this.bytes = bytes
    this.view = view
    this.at = 0
    this.end = length
    return this.advance() === 'needs-bytes'
  }

  private readonly connectionLost = (error: Error | undefined): void => {
    // A FATAL error response comes just before the close and says more.
    this.fail(this.failure ?? error ?? { message: 'the server closed the connection', code: '08006' })
  }

  private count(phase: 'waitMs' | 'decodeMs'): void {
    const now = this.options.clock.now()
    this[phase] += now - this.since
    this.since = now
  }

  /** Ends the read. The rest of the data would still come, so the connection cannot be used again. */
  private fail(error: unknown): void {
    this.closed = true
    this.session.destroy()
    this.pending?.reject(error)
    this.pending = undefined
  }

  private advance(): Progress {
    try {
      return this.process()
    } catch (error) {
      this.fail(error)
      return 'waits-for-batch'
    }
  }

  private process(): Progress {
    for (;;) {
      const full = this.carry.length > 0 ? this.processCarry() : this.processBuffer()
      this.count('decodeMs')
      if (!full) return 'needs-bytes'
      if (!this.deliver()) return 'waits-for-batch'
    }
  }

  /** Returns true when the batch is full; the message that did not fit stays where it is. */
  private processCarry(): boolean {
    const { carry } = this
    this.at += carry.fill(this.bytes, this.at, this.end)
    if (!carry.isWhole) return false
    carry.start = this.decodeMessages(carry.bytes, carry.view, carry.start, carry.length)
    if (carry.start < carry.length) return true
    carry.clear()
    return this.processBuffer()
  }

  private processBuffer(): boolean {
    this.at = this.decodeMessages(this.bytes, this.view, this.at, this.end)
    if (this.at === this.end) return false
    if (this.decoder.stop === 'full') return true
    this.at += this.carry.fill(this.bytes, this.at, this.end)
    return false
  }

  /** Rows by the decoder, other messages here, until the batch is full or the bytes end within a message. */
  private decodeMessages(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start
    for (;;) {
      at = this.decoder.decode(bytes, view, at, end)
      if (this.decoder.stop !== 'other') return at
      const length = messageLength(view, at, end)
      if (length === undefined || at + length > end) return at
      at = this.otherMessage(bytes, view, at, length)
    }
  }

  /** Returns where the next message begins. */
  private otherMessage(bytes: Uint8Array, view: DataView, at: number, length: number): number {
    const type = bytes[at] as number
    if (type === messageType.copyData) {
      if (this.headerPending) {
        this.headerPending = false
        return skipCopyHeader(bytes, view, at, length)
      }
      if (!isCopyTrailer(view, at, length)) throw unexpectedMessage(type)
    } else if (type === messageType.errorResponse) {
      this.failure = parseErrorResponse(bytes, at, length)
    } else if (type === messageType.readyForQuery) {
      this.chunkFinished()
    } else if (!isIgnoredMessage(type)) {
      throw unexpectedMessage(type)
    }
    return at + length
  }

  private chunkFinished(): void {
    const { pending, failure } = this
    this.pending = undefined
    if (failure === undefined) pending?.resolve()
    else pending?.reject(failure)
  }

  /** Hands the batch over. Returns false when decoding goes on later. */
  private deliver(): boolean {
    const handled = this.onBatch(this.decoder.toBatch())
    if (handled === undefined) {
      this.batchHandled()
      return true
    }
    handled.then(
      () => {
        this.batchHandled()
        if (!this.closed && this.advance() === 'needs-bytes') this.session.resume()
      },
      (error: unknown) => this.fail(error),
    )
    return false
  }

  private batchHandled(): void {
    this.decoder.reset()
    this.since = this.options.clock.now()
  }
}
