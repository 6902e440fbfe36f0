import type { Chunk } from '../plan/chunk.ts'
import type { ColumnPlan } from '../plan/column-plan.ts'
import { sourceError } from '../source/source-error.ts'
import type { SourceFailure } from '../source/source-error.ts'
import { messageHeaderBytes, messageLength, messageType, parseErrorResponse } from './copy-messages.ts'
import { copyCommand } from './copy-reader.ts'
import { MessageCarry } from './message-carry.ts'
import { beginOnSnapshot } from './source-reader.ts'
import { openTakenSession } from './source-socket.ts'
import type { TakenSession } from './source-socket.ts'

/**
 * Reads chunks and throws the bytes away: the limit that benchmarks hold a reader against.
 * @param rests  read as a load does, in large pieces; by default bytes are taken as they come
 * @returns bytes received
 */
export async function drainCopy(
  url: string,
  snapshotId: string,
  columns: readonly ColumnPlan[],
  nextChunk: () => Chunk | undefined,
  { rests = false }: { readonly rests?: boolean } = {},
): Promise<{ readonly wireBytes: number }> {
  const session = await openTakenSession(url, { rests })
  let wireBytes = 0
  try {
    await beginOnSnapshot(session.client, snapshotId)
    for (let chunk = nextChunk(); chunk !== undefined; chunk = nextChunk()) {
      wireBytes += await drainChunk(session, columns, chunk)
    }
    return { wireBytes }
  } finally {
    await session.client.end().catch(() => undefined)
  }
}

async function drainChunk(
  session: TakenSession,
  columns: readonly ColumnPlan[],
  chunk: Chunk,
): Promise<number> {
  const scan = new MessageScan()
  let wireBytes = 0
  try {
    await new Promise<void>((resolve, reject) => {
      session.take({
        onBytes: (bytes, view, length) => {
          wireBytes += length
          if (scan.skip(bytes, view, length)) {
            if (scan.failure === undefined) resolve()
            else reject(scan.failure)
          }
          return true
        },
        onClose: (error) =>
          reject(scan.failure ?? error ?? { message: 'the server closed the connection', code: '08006' }),
      })
      session.write(copyCommand(columns, chunk))
    })
  } catch (error) {
    throw sourceError(`draining ${chunk.relation}`, error)
  } finally {
    session.release()
  }
  return wireBytes
}

/** Steps over messages by their lengths; reads only errors and the end. */
class MessageScan {
  failure: SourceFailure | undefined
  private readonly header = new MessageCarry()
  /** Bytes of the current message that are still to come. */
  private missing = 0

  /** Returns true when the server is ready for the next query. */
  skip(bytes: Uint8Array, view: DataView, end: number): boolean {
    let at = Math.min(this.missing, end)
    this.missing -= at
    while (at < end) {
      const length = this.header.length > 0 ? undefined : messageLength(view, at, end)
      const isError = bytes[at] === messageType.errorResponse
      if (length === undefined || (isError && at + length > end)) {
        at += this.header.fill(bytes, at, end)
        if (!this.header.isWhole) continue
        const ready = this.finish(this.header.bytes, 0, this.header.length)
        this.header.clear()
        if (ready) return true
        continue
      }
      if (at + length > end) {
        this.missing = at + length - end
        return false
      }
      if (this.finish(bytes, at, length)) return true
      at += Math.max(length, messageHeaderBytes)
    }
    return false
  }

  private finish(bytes: Uint8Array, at: number, length: number): boolean {
    if (bytes[at] === messageType.errorResponse) this.failure = parseErrorResponse(bytes, at, length)
    return bytes[at] === messageType.readyForQuery
  }
}
