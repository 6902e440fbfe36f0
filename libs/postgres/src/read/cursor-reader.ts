import Cursor from 'pg-cursor'
import { chunkQuery } from '../plan/chunk.ts'
import type { Chunk } from '../plan/chunk.ts'
import type { ColumnPlan } from '../plan/column-plan.ts'
import { connectSource } from '../source/connect-source.ts'
import type { SourceConnection } from '../source/connect-source.ts'
import { sourceError } from '../source/source-error.ts'
import { writeField } from '../wire/text-to-wire.ts'
import { WireWriter } from '../wire/wire-writer.ts'
import { messageType } from './copy-messages.ts'
import { RowDecoder } from './row-decoder.ts'
import { beginOnSnapshot, cancelledError } from './source-reader.ts'
import type { BatchHandler, ReadStats, SourceReader, SourceReaderOptions } from './source-reader.ts'

/** Rows of one fetch: enough to hide the round trip, few enough that wide rows stay small. */
const fetchRows = 1000

type TextRow = readonly (string | null)[]

export async function openCursorReader(options: SourceReaderOptions): Promise<SourceReader> {
  const client = await connectSource(options.url)
  try {
    await beginOnSnapshot(client, options.snapshotId)
    return new CursorReader(client, options)
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}

/** Values with parts come as the bytes that COPY would send: their text forms have a grammar for each kind. */
function asText(plan: ColumnPlan): ColumnPlan {
  return plan.send === undefined ? plan : { ...plan, select: `${plan.send}(${plan.select})` }
}

/** Values stay the server's text until they are written in binary form, for the decoder that COPY uses. */
const textTypes = { getTypeParser: () => (value: string) => value }

/**
 * Reads through a portal, in text. Slower than COPY by a factor of five to ten, for servers that cannot COPY; the
 * batches are the same because the same decoder makes them.
 */
class CursorReader implements SourceReader {
  private readonly decoder: RowDecoder
  private readonly writer = new WireWriter()
  private readonly client: SourceConnection
  private readonly options: SourceReaderOptions
  private wireBytes = 0
  private waitMs = 0
  private decodeMs = 0

  constructor(client: SourceConnection, options: SourceReaderOptions) {
    this.client = client
    this.options = options
    this.decoder = new RowDecoder(options.columns, options)
  }

  async read(nextChunk: () => Chunk | undefined, onBatch: BatchHandler): Promise<ReadStats> {
    for (let chunk = nextChunk(); chunk !== undefined; chunk = nextChunk()) {
      try {
        await this.readChunk(chunk, onBatch)
      } catch (error) {
        throw sourceError(`reading ${chunk.relation}`, error)
      }
    }
    if (!this.decoder.isEmpty) {
      await onBatch(this.decoder.toBatch())
      this.decoder.reset()
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
    await this.client.end().catch(() => undefined)
  }

  private async readChunk(chunk: Chunk, onBatch: BatchHandler): Promise<void> {
    const { columns, clock, signal } = this.options
    const config = {
      rowMode: 'array' as const,
      types: textTypes as unknown as NonNullable<Cursor.CursorQueryConfig['types']>,
    }
    const cursor = this.client.query(new Cursor<TextRow>(chunkQuery(columns.map(asText), chunk), [], config))
    for (;;) {
      if (signal?.aborted === true) throw cancelledError(signal.reason)
      const asked = clock.now()
      const rows = await cursor.read(fetchRows)
      this.waitMs += clock.now() - asked
      if (rows.length === 0) break
      await this.decodeRows(rows, onBatch)
    }
    await cursor.close()
  }

  private async decodeRows(rows: readonly TextRow[], onBatch: BatchHandler): Promise<void> {
    const { decoder, writer } = this
    const { clock } = this.options
    let since = clock.now()
    this.encodeRows(rows)
    for (let at = 0; ;) {
      at = decoder.decode(writer.bytes, writer.view, at, writer.length)
      this.decodeMs += clock.now() - since
      if (at === writer.length) break
      await onBatch(decoder.toBatch())
      decoder.reset()
      since = clock.now()
    }
    writer.clear()
  }

  private encodeRows(rows: readonly TextRow[]): void {
    const { writer } = this
    const { columns } = this.options
    for (const row of rows) {
      writer.byte(messageType.copyData)
      const at = writer.length
      writer.int32(0)
      writer.int16(columns.length)
      columns.forEach(({ wire }, index) => {
        const text = row[index] ?? null
        this.wireBytes += 4 + (text?.length ?? 0)
        writeField(writer, wire, text)
      })
      writer.view.setInt32(at, writer.length - at)
    }
  }
}
