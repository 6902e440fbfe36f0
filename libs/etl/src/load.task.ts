import { performance } from 'node:perf_hooks'
import type { TaskContext } from '@floe/compute'
import type { DataFile } from '@floe/iceberg'
import type { ColumnBatch } from '@floe/parquet'
import { openSourceReader } from '@floe/postgres/read'
import type { ReadStats } from '@floe/postgres'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'
import { parseWriteSettings, PartitionFanOut } from '@floe/writer/data-files'
import type { FileRollerComponents } from '@floe/writer/data-files'
import { KeyDeletes } from './key-deletes.ts'
import { WorkerCheckpoints } from './worker-checkpoints.ts'
import type { LoadTaskInput, LoadTaskProgress, LoadTaskResult } from './load-task.ts'

/** Those of the store. */
const defaultPartBytes = 8 * 1024 * 1024
const defaultPartsInFlight = 3

const clock = { now: (): number => performance.now() }

/**
 * One worker of a load: takes chunks until none is left, and owns its socket, decoder, encoder and upload throughout.
 * A batch spans chunks, so that small chunks still make full row groups.
 */
export default async function runLoadTask(
  input: LoadTaskInput,
  context: TaskContext<LoadTaskProgress>,
): Promise<LoadTaskResult> {
  await using store = openObjectStore(input.store)
  return await loadRows(input, context, store)
}

/** The work of one worker, on a store that its caller has opened. */
export async function loadRows(
  input: LoadTaskInput,
  context: TaskContext<LoadTaskProgress>,
  store: ObjectStore,
): Promise<LoadTaskResult> {
  const { signal } = context
  const opened: string[] = []
  const files = fileComponents(input, store, opened, context)
  const fanOut = openFanOut(input, files)
  const deletes = KeyDeletes.open(input.target, files)
  const checkpoints = new WorkerCheckpoints(input, store, fanOut)
  try {
    const reader = await openSourceReader({ ...input.source, ...input.limits, signal, clock })
    try {
      let rows = 0
      let heldBytesMax = 0
      const onBatch = async (batch: ColumnBatch): Promise<void> => {
        await fanOut.write(batch)
        heldBytesMax = Math.max(heldBytesMax, heldBytes(input, reader.heldBytes(), fanOut))
        await deletes?.write(batch)
        checkpoints.batchEncoded()
        rows += batch.rowCount
        const { wireBytes, waitMs, decodeMs } = reader.timings()
        const { chunksTaken } = checkpoints
        context.progress({ rows, wireBytes, waitMs, decodeMs, ...fanOut.stats, chunksTaken })
      }
      const dataFiles: DataFile[] = []
      for (;;) {
        const stats = await reader.read(() => checkpoints.next(reader), onBatch)
        signal.throwIfAborted()
        const finished = await fanOut.finish()
        dataFiles.push(...finished)
        await checkpoints.write(finished, stats, opened)
        if (!checkpoints.isDone) continue
        const deleteFiles = (await deletes?.finish()) ?? []
        return { dataFiles, deleteFiles, stats: { ...readStats(stats), ...fanOut.stats, heldBytesMax } }
      }
    } finally {
      await reader.close()
    }
  } catch (error) {
    await fanOut.abort()
    await deletes?.abort()
    // Files of a checkpoint may be another load's by now.
    await store.delete(opened.slice(checkpoints.keptFiles)).catch(() => undefined)
    throw error
  }
}

/** Buffers of the batch, its pages, rows that wait, and the parts of uploads, as if each were full. */
function heldBytes(
  { limits, store, target }: LoadTaskInput,
  readBytes: number,
  fanOut: PartitionFanOut,
): number {
  const { partBytes = defaultPartBytes, inFlightPartsMax = defaultPartsInFlight } = store
  const files = fanOut.held.openFiles + (target.deletes === undefined ? 0 : 1)
  return (
    readBytes + limits.batchBytesMax + fanOut.held.bufferedBytes + files * (inFlightPartsMax + 1) * partBytes
  )
}

function openFanOut(
  {
    limits: { bufferedBytesMax, openFilesMax },
    target: { schema, fileSchema, spec, sortOrder, tableLocation, properties },
  }: LoadTaskInput,
  files: FileRollerComponents,
): PartitionFanOut {
  const write = parseWriteSettings(properties)
  // Rows that are sorted are there twice.
  const waitingBytesMax = (bufferedBytesMax ?? 0) / (sortOrder.fields.length > 0 ? 2 : 1)
  return new PartitionFanOut(
    {
      schema,
      fileSchema,
      spec,
      sortOrder,
      write,
      location: { tableLocation, settings: write },
      ...(bufferedBytesMax === undefined ? {} : { bufferedBytesMax: waitingBytesMax }),
      ...(openFilesMax === undefined ? {} : { openFilesMax }),
    },
    files,
  )
}

function fileComponents(
  { fileNamePrefix, openedFiles }: LoadTaskInput,
  store: ObjectStore,
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

function readStats({ rows, wireBytes, waitMs, decodeMs, touched }: ReadStats): ReadStats {
  return { rows, wireBytes, waitMs, decodeMs, touched }
}
