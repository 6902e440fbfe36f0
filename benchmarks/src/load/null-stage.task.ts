import { defaultLimits } from '@floe/etl'
import { unpartitionedSpec } from '@floe/iceberg'
import { selectRows } from '@floe/parquet'
import type { ColumnBatch } from '@floe/parquet'
import { openSourceReader } from '@floe/postgres'
import type { Chunk } from '@floe/postgres'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore, Upload } from '@floe/storage'
import { FileRoller, parseWriteSettings } from '@floe/writer'
import type { NullStageInput, NullStageResult } from './null-stage.ts'

/** Row groups that a worker without a source encodes again and again. */
const batchesKept = 2

const clock = { now: (): number => performance.now() }

type Rows = { readonly rows: number; readonly wireBytes: number }

/** One worker of a load that lacks a stage. */
export default async function runNullStage(input: NullStageInput): Promise<NullStageResult> {
  const { variant } = input
  await using local = openObjectStore()
  const roller = openRoller(input, variant === 'null-source' ? local : discardUploads(local))
  if (variant === 'null-encoder') return timed(input, () => readRows(input, () => undefined))
  if (variant === 'null-store')
    return timed(input, () =>
      finishing(
        roller,
        readRows(input, (batch) => roller.write(batch)),
      ),
    )
  const batches = await keepBatches(input)
  return timed(input, () => finishing(roller, writeAgain(batches, input.rows, roller)))
}

/** All workers begin at once, so that none works beside another's preparation. */
async function timed(
  { shared, workers }: NullStageInput,
  work: () => Promise<Rows>,
): Promise<NullStageResult> {
  const counters = new Int32Array(shared)
  if (Atomics.add(counters, 1, 1) + 1 === workers) Atomics.notify(counters, 1)
  for (let ready = Atomics.load(counters, 1); ready < workers; ready = Atomics.load(counters, 1))
    Atomics.wait(counters, 1, ready)
  const startedMs = performance.timeOrigin + performance.now()
  const startedCpuSeconds = cpuSeconds()
  const rows = await work()
  const endedMs = performance.timeOrigin + performance.now()
  return { ...rows, startedMs, endedMs, startedCpuSeconds, endedCpuSeconds: cpuSeconds() }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

async function readRows(
  { source, chunks, shared }: NullStageInput,
  onBatch: (batch: ColumnBatch) => void | Promise<void>,
): Promise<Rows> {
  const counter = new Int32Array(shared)
  return read(source, () => chunks[Atomics.add(counter, 0, 1)], onBatch)
}

async function read(
  source: NullStageInput['source'],
  nextChunk: () => Chunk | undefined,
  onBatch: (batch: ColumnBatch) => void | Promise<void>,
): Promise<Rows> {
  const reader = await openSourceReader({ ...source, ...defaultLimits, method: 'copy', clock })
  try {
    const { rows, wireBytes } = await reader.read(nextChunk, onBatch)
    return { rows, wireBytes }
  } finally {
    await reader.close()
  }
}

/** The first row groups of the table, which every worker reads for itself. */
async function keepBatches({ source, chunks }: NullStageInput): Promise<readonly ColumnBatch[]> {
  const kept: ColumnBatch[] = []
  const queue = [...chunks]
  const take = (): Chunk | undefined => (kept.length < batchesKept ? queue.shift() : undefined)
  // The reader uses the buffers of a batch again.
  await read(source, take, (batch) => {
    if (kept.length < batchesKept) kept.push(structuredClone(batch))
  })
  return kept
}

async function writeAgain(batches: readonly ColumnBatch[], rows: number, roller: FileRoller): Promise<Rows> {
  let written = 0
  for (let at = 0; written < rows; at++) {
    const batch = batches[at % batches.length]
    if (batch === undefined || batch.rowCount === 0) break
    const wanted = Math.min(batch.rowCount, rows - written)
    await roller.write(wanted === batch.rowCount ? batch : firstRows(batch, wanted))
    written += wanted
  }
  return { rows: written, wireBytes: 0 }
}

function firstRows(batch: ColumnBatch, count: number): ColumnBatch {
  return selectRows(
    batch,
    Uint32Array.from({ length: count }, (_, row) => row),
  )
}

async function finishing(roller: FileRoller, rows: Promise<Rows>): Promise<Rows> {
  const result = await rows
  await roller.closeFile()
  return result
}

function openRoller({ source, file }: NullStageInput, store: ObjectStore): FileRoller {
  const schema = {
    schemaId: 0,
    fields: source.columns.map(({ fieldId, name, type, required }) => ({
      id: fieldId,
      name,
      type,
      required,
    })),
  }
  const write = parseWriteSettings({})
  const location = { tableLocation: `file://${file}`, settings: write }
  let files = 0
  return new FileRoller(
    { schema, fileSchema: schema, spec: unpartitionedSpec, partition: [], location, write },
    { store, clock, nextFileName: () => `${files++}.parquet` },
  )
}

/** The same store, in which what is uploaded is nowhere. */
function discardUploads(store: ObjectStore): ObjectStore {
  const openUpload = (): Promise<Upload> => {
    let sizeBytes = 0
    return Promise.resolve({
      write: (bytes) => {
        sizeBytes += bytes.length
        return Promise.resolve()
      },
      complete: () => Promise.resolve({ sizeBytes }),
      abort: () => Promise.resolve(),
    })
  }
  return {
    get: (location, options) => store.get(location, options),
    head: (location, options) => store.head(location, options),
    put: (location, bytes, options) => store.put(location, bytes, options),
    putIfAbsent: (location, bytes, options) => store.putIfAbsent(location, bytes, options),
    openUpload,
    list: (prefix, options) => store.list(prefix, options),
    delete: (locations, options) => store.delete(locations, options),
    discardUploads: (locations, options) => store.discardUploads(locations, options),
  }
}
