import { performance } from 'node:perf_hooks'
import type { TaskContext } from '@floe/compute'
import type { ColumnBatch } from '@floe/parquet'
import { openSourceReader } from '@floe/postgres'
import type { Chunk, ReadStats } from '@floe/postgres'
import { openObjectStore } from '@floe/storage'
import { parseWriteSettings, PartitionFanOut } from '@floe/writer'
import type { FileRollerComponents } from '@floe/writer'
import { KeyDeletes } from './key-deletes.ts'
import type { LoadTaskInput, LoadTaskProgress, LoadTaskResult } from './load-task.ts'

const clock = { now: (): number => performance.now() }

/**
 * One worker of a load: takes chunks until none is left, and owns its socket, decoder, encoder and upload throughout.
 * A batch spans chunks, so that small chunks still make full row groups.
 */
export default async function runLoadTask(
  input: LoadTaskInput,
  context: TaskContext<LoadTaskProgress>,
): Promise<LoadTaskResult> {
  const { signal } = context
  const store = openObjectStore(input.store)
  const opened: string[] = []
  const files = fileComponents(input, store, opened, context)
  const fanOut = openFanOut(input, files)
  const deletes = KeyDeletes.open(input.target, files)
  try {
    const reader = await openSourceReader({ ...input.source, ...input.limits, signal, clock })
    try {
      const taker = chunkTaker(input)
      const stats = await reader.read(taker.next, async (batch: ColumnBatch) => {
        await fanOut.write(batch)
        await deletes?.write(batch)
        const { encodedBytes } = fanOut.stats
        context.progress({ rows: batch.rowCount, encodedBytes, chunksTaken: taker.taken() })
      })
      signal.throwIfAborted()
      const dataFiles = await fanOut.finish()
      const deleteFiles = (await deletes?.finish()) ?? []
      return { dataFiles, deleteFiles, stats: { ...readStats(stats), ...fanOut.stats } }
    } finally {
      await reader.close()
    }
  } catch (error) {
    await fanOut.abort()
    await deletes?.abort()
    await store.delete(opened).catch(() => undefined)
    throw error
  } finally {
    await store.close()
  }
}

function openFanOut(
  { target: { schema, fileSchema, spec, sortOrder, tableLocation, properties } }: LoadTaskInput,
  files: FileRollerComponents,
): PartitionFanOut {
  const write = parseWriteSettings(properties)
  return new PartitionFanOut(
    { schema, fileSchema, spec, sortOrder, write, location: { tableLocation, settings: write } },
    files,
  )
}

function fileComponents(
  { fileNamePrefix, openedFiles }: LoadTaskInput,
  store: ReturnType<typeof openObjectStore>,
  opened: string[],
  { signal }: TaskContext<LoadTaskProgress>,
): FileRollerComponents {
  let fileNumber = 0
  return {
    store,
    clock,
    signal,
    nextFileName: () => `${fileNamePrefix}-${String(fileNumber++).padStart(5, '0')}.parquet`,
    onFileOpened: (location) => {
      opened.push(location)
      openedFiles.postMessage(location, [])
    },
  }
}

function chunkTaker({ chunks, chunkCounter }: LoadTaskInput): {
  readonly next: () => Chunk | undefined
  readonly taken: () => number
} {
  const counter = new Int32Array(chunkCounter)
  return {
    next: () => chunks[Atomics.add(counter, 0, 1)],
    taken: () => Math.min(chunks.length, Atomics.load(counter, 0)),
  }
}

function readStats({ rows, wireBytes, waitMs, decodeMs, touched }: ReadStats): ReadStats {
  return { rows, wireBytes, waitMs, decodeMs, touched }
}
