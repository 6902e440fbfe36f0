import { writeFileSync } from 'node:fs'
import { defaultLimits } from '@floe/etl'
import { createParquetEncoder } from '@floe/parquet'
import type { Codec, ColumnBatch } from '@floe/parquet'
import { openSourceReader } from '@floe/postgres'
import type { ColumnPlan } from '@floe/postgres'
import { openChunks } from '../load/open-chunks.ts'
import { plainStrings } from './plain-strings.ts'

/** What the process is asked to do: the argument of its command line. */
export type EncoderRequest = {
  readonly url: string
  readonly table: string
  readonly codec: Codec
  /** Strings as the decoder gives them, most of them hashed into dictionaries already, or as bytes alone. */
  readonly strings: 'decoded' | 'plain'
  readonly warmups: number
  readonly repetitions: number
  /** Is given the Parquet file, when there is one. */
  readonly file?: string
}

/** Encodes one row group again and again in a process of its own: prints the mean of one time. */
const request = JSON.parse(process.argv[2] ?? '') as EncoderRequest

async function readBatch(): Promise<{
  readonly columns: readonly ColumnPlan[]
  readonly batch: ColumnBatch
}> {
  await using source = await openChunks({ ...request, workers: 1 })
  const { columns, snapshotId, nextChunk } = source
  const { url } = request
  const clock = { now: (): number => performance.now() }
  const settings = { url, snapshotId, columns, method: 'copy', clock, ...defaultLimits } as const
  const reader = await openSourceReader(settings)
  try {
    let first: ColumnBatch | undefined
    await reader.read(nextChunk, (batch) => {
      // The reader uses the buffers of a batch again.
      first ??= structuredClone(batch)
    })
    if (first === undefined) throw new Error(`${request.table} is empty`)
    return { columns, batch: request.strings === 'plain' ? plainStrings(first) : first }
  } finally {
    await reader.close()
  }
}

function encode(columns: readonly ColumnPlan[], batch: ColumnBatch): readonly Uint8Array[] {
  const fields = columns.map(({ fieldId, name, type, required }) => ({ id: fieldId, name, type, required }))
  const encoder = createParquetEncoder({ schema: { schemaId: 0, fields }, codec: request.codec })
  return [...encoder.encodeRowGroup(batch), ...encoder.finish().chunks]
}

const { columns, batch } = await readBatch()
for (let at = 0; at < request.warmups; at++) encode(columns, batch)
const cpuStarted = process.cpuUsage()
const started = performance.now()
let file: readonly Uint8Array[] = []
for (let at = 0; at < request.repetitions; at++) file = encode(columns, batch)
const seconds = (performance.now() - started) / 1000 / request.repetitions
const { user, system } = process.cpuUsage(cpuStarted)
const bytes = file.reduce((sum, chunk) => sum + chunk.length, 0)
if (request.file !== undefined) writeFileSync(request.file, Buffer.concat(file))
const cpuSeconds = (user + system) / 1_000_000 / request.repetitions
process.stdout.write(`${JSON.stringify({ rows: batch.rowCount, seconds, cpuSeconds, bytes })}\n`)
